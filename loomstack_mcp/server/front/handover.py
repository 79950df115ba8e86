"""A session goes on with the SDK's server, on the same pipe: it is told what opened the session, and then the rest.

No call that was answered here is ever told again: it would run twice.
"""

import json
import queue
import secrets

from loomstack_mcp.server.front.messages import Json
from loomstack_mcp.server.front.wire import Wire


class Opening:
    """What the SDK's server reads and writes: first what opened the session, whose answers the client has already."""

    def __init__(self, wire: Wire, lines: queue.SimpleQueue[bytes], opened: tuple[Json, ...], unknown: bytes) -> None:
        """`opened` are messages without ids; `unknown` is the line that was not known, and `lines` come after it."""
        self._wire = wire
        self._lines = lines
        own = f"loomstack-{secrets.token_hex(8)}"
        self._answered = json.dumps({"jsonrpc": "2.0", "id": own}, separators=(",", ":")).removesuffix('"}')
        replayed = [
            one if one["method"].startswith("notifications/") else {"jsonrpc": "2.0", "id": f"{own}-{number}", **one}
            for number, one in enumerate(opened)
        ]
        self._first = [*(json.dumps(one).encode() + b"\n" for one in replayed), unknown]

    def readline(self) -> str:
        """The next line, "" at the end of the stream."""
        line = self._first.pop(0) if self._first else self._lines.get()
        return line.decode("utf-8", "replace")

    def write(self, text: str) -> None:
        """Pass an answer on, unless the client has it already."""
        if not text.startswith(self._answered):
            self._wire.write(text)

    def flush(self) -> None:
        """All is written at once."""
