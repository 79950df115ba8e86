"""Real dashboards: the process of `ui`, and a page of a browser that keeps its cookie and sends what browsers send."""

import contextlib
import gzip
import http.client
import json
import os
import pty
import re
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conftest import environment
from tests.deadlines import seconds, wait_until
from tests.hubs import Answer
from tests.processes import MODULE, start

API = "/api/v1/"
OTHER_ACCOUNTS = os.getuid() == 0 and Path("/proc/net/tcp").exists()
"""Whether we can come as another account, and the system tells whose a connection is."""
_LOADED = re.compile(rb'(?:src|href)="(/static/[^"]+)"|(?:from|import)\s*"(\.?/[^"]+)"')


class Ui:
    """`loomstack-mcp ui`: with a terminal, which tells its codes, or without."""

    def __init__(self, home: Path, cwd: Path, *options: str, terminal: bool = True, **env: str) -> None:
        self._terminal, theirs = pty.openpty()
        command = [*MODULE, *options, "ui", "--port", "0"]
        self.process = start(
            command,
            cwd=cwd,
            env=environment(home, **env),
            stdin=theirs if terminal else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=theirs,
            text=True,
        )
        os.close(theirs)
        assert self.process.stdout
        self.said = self.process.stdout.readline()
        found = re.search(r":(\d+)/#key=(\S+)", self.said)
        assert found, self.said
        self.port, self.key = int(found[1]), found[2]
        self._told = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def codes(self) -> list[str]:
        """All that the terminal has shown."""
        return re.findall(r"\b\d{4}-\d{4}\b", self._told.decode())

    def type(self, keys: str) -> None:
        """What a person types at its terminal."""
        os.write(self._terminal, keys.encode())

    def code(self, number: int = 1) -> str:
        """The code of that number, once it is there."""
        wait_until(lambda: len(self.codes()) >= number)
        return self.codes()[number - 1]

    def page(self, **more: Any) -> "Page":
        """A page that has opened the printed link."""
        page = Page(self.port, **more)
        assert page.post("session", key=self.key).status == 200
        return page

    def stop(self) -> str:
        """What it said on its terminal."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(seconds(10))
        self._reader.join(seconds(1))
        return self._told.decode()

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # nobody holds the other end any more
            while part := os.read(self._terminal, 1_000):
                self._told += part


@contextlib.contextmanager
def running_ui(home: Path, cwd: Path, *options: str, **more: Any) -> Iterator[Ui]:
    ui = Ui(home, cwd, *options, **more)
    try:
        yield ui
    finally:
        ui.stop()


@dataclass
class Page:
    """A page of a browser, as far as HTTP knows one."""

    port: int
    host: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    cookie: str = ""
    page_key: str = ""

    @property
    def origin(self) -> str:
        return f"http://{self.host or f'127.0.0.1:{self.port}'}"

    def get(self, path: str, **headers: str | None) -> Answer:
        """What a list says; with `/` in front any path."""
        return self._asked("GET", path, None, headers)

    def post(
        self, path: str, body: object = None, /, *, headers: Mapping[str, str | None] | None = None, **named: str
    ) -> Answer:
        """What comes of a form; the cookie and the key of who signs in are kept."""
        usual = {"Content-Type": "application/json", "Origin": self.origin, "Sec-Fetch-Site": "same-origin"}
        answer = self._asked("POST", path, body if body is not None else named, {**usual, **(headers or {})})
        if set_cookie := answer.headers.get("set-cookie"):
            self.cookie = set_cookie.partition(";")[0]
        if isinstance(answer.body, dict) and answer.body.get("page_key"):
            self.page_key = answer.body["page_key"]
        return answer

    def rows(self, path: str) -> Any:
        answer = self.get(path)
        assert answer.status == 200, answer.text
        return answer.body["rows"]

    def foreign_get(self, path: str) -> tuple[int, bytes]:
        """What another account's program is told with this page's cookie. Only root can be another account."""
        with contextlib.closing(self.connection()) as line:
            os.seteuid(65_534)
            try:
                line.connect()
            finally:
                os.seteuid(0)
            line.request("GET", f"{API}{path}", headers=self._usual())
            answer = line.getresponse()
            return answer.status, answer.read()

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds(10))

    def stream(self, query: str = "", *, seen: int | None = None) -> "Stream":
        """An open stream of events."""
        connection = self.connection()
        last = {} if seen is None else {"Last-Event-ID": str(seen)}
        connection.request("GET", f"{API}events/stream{query}", headers={**self._usual(), **last})
        return Stream(connection.getresponse(), connection)

    def _usual(self) -> dict[str, str]:
        found = {"Host": self.host or f"127.0.0.1:{self.port}", **self.headers}
        found |= {"Cookie": self.cookie} if self.cookie else {}
        return found | ({"loomstack-page": self.page_key} if self.page_key else {})

    def _asked(self, method: str, path: str, body: object, headers: Mapping[str, str | None]) -> Answer:
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in {**self._usual(), **told}.items() if value is not None}
        text = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        with contextlib.closing(self.connection()) as connection:
            connection.request(method, path if path.startswith("/") else f"{API}{path}", text, sent)
            found = connection.getresponse()
            return Answer(
                found.status,
                {name.lower(): value for name, value in found.getheaders()},
                found.read().decode("utf-8", "surrogateescape"),
            )


@dataclass
class Stream:
    """A stream of events, message by message."""

    response: http.client.HTTPResponse
    connection: http.client.HTTPConnection

    def message(self) -> dict[str, Any]:
        """The next message with its kind and id; {} at the end."""
        found: dict[str, Any] = {}
        while line := self.response.readline().decode():
            name, _, value = line.rstrip("\n").partition(": ")
            if name in ("event", "id"):
                found[name] = value
            elif name == "data":
                found |= json.loads(value)
            elif not line.strip() and "event" in found:
                return found
        return {}

    def close(self) -> None:
        self.response.close()
        self.connection.close()


def first_files(page: Page) -> Iterator[tuple[str, int]]:
    """The page, what it loads by itself, and the script of the list that it shows first."""
    found = list(_loaded(page, "/"))
    yield from found
    script = next(path for path, _ in found if path.endswith("/app.js")).replace("/app.js", "/live.js")
    yield script, sent_bytes(page, script)[0]


def _loaded(page: Page, path: str, known: frozenset[str] = frozenset()) -> Iterator[tuple[str, int]]:
    """A file, and those that it loads by itself, each with its bytes on the wire."""
    size, text = sent_bytes(page, path)
    yield path, size
    known |= {path}
    for found in _LOADED.finditer(text):
        named = (found[1] or found[2]).decode()
        inner = named if named.startswith("/") else f"{path.rpartition('/')[0]}/{named.removeprefix('./')}"
        if inner not in known:
            for one, its_size in _loaded(page, inner, known):
                known |= {one}
                yield one, its_size


def sent_bytes(page: Page, path: str) -> tuple[int, bytes]:
    connection = page.connection()
    told = {"Host": f"127.0.0.1:{page.port}", "Cookie": page.cookie, "Accept-Encoding": "gzip"}
    connection.request("GET", path, headers=told)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    assert response.status == 200, (path, response.status)
    return len(body), gzip.decompress(body) if response.getheader("content-encoding") == "gzip" else body
