"""A client over raw JSON-RPC on stdio, for tests and benchmarks: no SDK between us and the server."""

import contextlib
import json
import queue
import subprocess
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.deadlines import seconds
from tests.processes import start

MODERN = "2026-07-28"
_META = "io.modelcontextprotocol/"


class Server:
    """A server process and its pipe. Answers are matched by id: they may come in any order."""

    def __init__(
        self, argv: list[str], *, env: dict[str, str] | None = None, cwd: Path | str | None = None, fresh: bool = False
    ) -> None:
        self.process = start(
            argv, env=env, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, fresh=fresh
        )
        self._ids = iter(range(1, 1 << 30))
        self._answers: dict[int, dict[str, Any]] = {}
        self._lines: queue.Queue[bytes] = queue.Queue()
        self._stderr: list[bytes] = []
        self.modern_era = False
        threading.Thread(target=self._read, daemon=True).start()
        self._stderr_reader = threading.Thread(target=self._read_stderr, daemon=True)
        self._stderr_reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close_stdin()
        try:
            self.process.wait(seconds(5))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def send_raw(self, line: bytes) -> None:
        assert self.process.stdin
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def notify(self, method: str, params: dict[str, Any] | None = None) -> None:
        self.send_raw(json.dumps({"jsonrpc": "2.0", "method": method, "params": params or {}}).encode() + b"\n")

    def start(self, method: str, params: dict[str, Any] | None = None) -> int:
        id = next(self._ids)  # noqa: A001
        params = dict(params or {})
        if self.modern_era:
            meta = {f"{_META}protocolVersion": MODERN, f"{_META}clientCapabilities": {}}
            params["_meta"] = {**meta, **params.get("_meta", {})}
        message = {"jsonrpc": "2.0", "id": id, "method": method, "params": params}
        self.send_raw(json.dumps(message).encode() + b"\n")
        return id

    def wait(self, id: int, quiet_s: float = 15) -> dict[str, Any]:  # noqa: A002
        while id not in self._answers:
            try:
                line = self._lines.get(timeout=seconds(quiet_s))
            except queue.Empty:
                waited = f"no answer to {id} in {seconds(quiet_s):.0f} s"
                raise TimeoutError(f"{waited}; stderr: {self.stderr_text()}") from None
            if not line:
                raise EOFError(f"the server ended ({self.process.wait(seconds(5))}); stderr: {self.stderr_text()}")
            message = json.loads(line)
            if isinstance(message.get("id"), int) and "method" not in message:
                self._answers[message["id"]] = message
        return self._answers.pop(id)

    def line(self, quiet_s: float = 15, at_end: bytes | None = None) -> bytes:
        """The next line, whatever it is; `at_end` once there is none. Raises TimeoutError, EOFError."""
        try:
            line = self._lines.get(timeout=seconds(quiet_s))
        except queue.Empty:
            raise TimeoutError(f"no line in {seconds(quiet_s):.0f} s; stderr: {self.stderr_text()}") from None
        if not line and at_end is None:
            raise EOFError(f"the server ended ({self.process.wait(seconds(5))}); stderr: {self.stderr_text()}")
        return line or at_end or b""

    def notification(self, quiet_s: float = 15) -> dict[str, Any]:
        """The next message that answers nothing."""
        while True:
            message: dict[str, Any] = json.loads(self._lines.get(timeout=seconds(quiet_s)))
            if "id" not in message:
                return message

    def request(self, method: str, params: dict[str, Any] | None = None, quiet_s: float = 15) -> dict[str, Any]:
        return self.wait(self.start(method, params), quiet_s)

    def initialize(self, protocol: str = "2025-11-25", client_name: str = "test") -> dict[str, Any]:
        info = {"name": client_name, "version": "1"}
        answer = self.request("initialize", {"protocolVersion": protocol, "capabilities": {}, "clientInfo": info})
        self.notify("notifications/initialized")
        return answer

    def start_call(self, tool: str, arguments: dict[str, Any], meta: dict[str, Any] | None = None) -> int:
        params: dict[str, Any] = {"name": tool, "arguments": arguments}
        return self.start("tools/call", {**params, "_meta": meta} if meta else params)

    def call(
        self, tool: str, arguments: dict[str, Any], meta: dict[str, Any] | None = None, quiet_s: float = 15
    ) -> dict[str, Any]:
        """The result of a tool call; a protocol error raises."""
        answer = self.wait(self.start_call(tool, arguments, meta), quiet_s)
        if "error" in answer:
            raise RuntimeError(f"{tool}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    def answer(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        """The structured content of a call that must succeed."""
        result = self.call(tool, arguments, quiet_s=60)
        assert not result.get("isError"), result["content"][0]["text"]
        structured: dict[str, Any] = result["structuredContent"]
        return structured

    def error(self, tool: str, /, **arguments: Any) -> str:
        """The text of a call that must fail."""
        result = self.call(tool, arguments)
        assert result.get("isError"), result
        text: str = result["content"][0]["text"]
        return text

    def close_stdin(self) -> None:
        if self.process.stdin and not self.process.stdin.closed:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()

    def stderr_text(self) -> str:
        """What was read of it so far."""
        return b"".join(self._stderr).decode("utf-8", "replace")

    def whole_stderr(self) -> str:
        """All that it said, for which it ends."""
        self.close_stdin()
        self.process.wait(seconds(30))
        self._stderr_reader.join(seconds(30))
        return self.stderr_text()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(b"")

    def _read_stderr(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self._stderr.append(line)
