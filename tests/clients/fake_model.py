"""A model's HTTP interface on loopback, played back from a Script; what it says is up to each provider's subclass."""

import gzip
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

from tests.clients.script import Json, Script

Reply = tuple[int, bytes, str]
"""Status, body, content type."""
NOT_FOUND: Reply = (
    404,
    b'{"type":"error","error":{"type":"not_found_error","message":"not found"}}',
    "application/json",
)


class FakeModel:
    """with FakeModel(script) as model: model.url, model.requests"""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests: list[Json] = []
        self._lock = threading.Lock()
        self._httpd = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._httpd.daemon_threads = True
        self._httpd.fake = self  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self._httpd.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._httpd.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._httpd.shutdown()
        self._httpd.server_close()

    def got(self, path: str) -> Reply:
        """The answer to a GET."""
        return NOT_FOUND

    def posted(self, path: str, body: Json, record: Json) -> Reply:
        """The answer to a POST; `record` is the entry in `requests`, to be filled in."""
        raise NotImplementedError

    def recorded(self, **fields: Any) -> Json:
        record = {"t": time.time(), **fields}
        with self._lock:
            self.requests.append(record)
        return record


def event(kind: str, **fields: Any) -> str:
    """One event of a stream."""
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._record(None)
        self._send(200, b"", "application/json")

    def do_GET(self) -> None:
        self._record(None)
        self._send(*self._fake.got(urlsplit(self.path).path))

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.headers.get("content-encoding") == "gzip":
            raw = gzip.decompress(raw)
        try:
            body = json.loads(raw or b"{}")
        except ValueError:
            body = {"_raw": raw.decode("utf8", "replace")}
        record = self._record(body, in_bytes=len(raw))
        self._send(*self._fake.posted(urlsplit(self.path).path, body, record))

    @property
    def _fake(self) -> FakeModel:
        return self.server.fake  # type: ignore[attr-defined,no-any-return]

    def _record(self, body: Json | None, **fields: Any) -> Json:
        headers = {name.lower(): value for name, value in self.headers.items()}
        return self._fake.recorded(method=self.command, path=self.path, headers=headers, body=body, **fields)

    def _send(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
            self.wfile.flush()
