"""`serve` on stdin and stdout: messages in, answers out, and the SDK's server for what is not known here."""

import contextlib
import os
import queue
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, NoReturn

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.server.ending import Ending
from loomstack_mcp.server.errors import INTERNAL
from loomstack_mcp.server.front.calls import Calls
from loomstack_mcp.server.front.failures import log_error, refused
from loomstack_mcp.server.front.messages import NotKnown
from loomstack_mcp.server.front.session import Session
from loomstack_mcp.server.front.wire import Wire, message_of

if TYPE_CHECKING:
    from loomstack_mcp.server.face import Face
    from loomstack_mcp.server.front.worker import Worker

_NO_SDK = "the MCP SDK, which answers this, could not be loaded; the server's log names the cause, and goes on without"


class Front:
    """The server of one client's session."""

    def __init__(self, folder: str, flags: Mapping[str, str | None]) -> None:
        """`flags` are those of the command line. Nothing is read, and nothing of the rest of the house imported."""
        self._folder = folder
        self._flags = flags
        self._ending = Ending(self._close)
        self._wire = Wire(self._ending.now)
        self._calls = Calls(self._wire)
        self._session = Session(self._wire, self._calls, self._working)
        self._work: Worker | None = None
        self._making = threading.Lock()
        self._aside: queue.SimpleQueue[bytes] | None = None
        """Lines that a thread has read, once the main one is busy with more than messages."""
        self._can_hand_over = True

    def serve(self) -> NoReturn:
        """Serve until stdin ends, a signal, or the client is gone; then end the process with status 0."""
        if os.environ.get("CLAUDE_CODE_MESSAGING_SOCKET"):
            from loomstack_mcp.server.push import begin_push  # for the client that has such a channel

            begin_push(os.environ, self._flags, lambda: self._working().face, self._opened)
        while line := self._aside.get() if self._aside else self._wire.readline():
            if not self._answered(line):
                self._hand_over(line)
        if not self._aside:
            self._left()
        self._end()

    def _answered(self, line: bytes) -> bool:
        try:
            if message := message_of(line):
                self._session.received(message)
        except NotKnown:
            return False
        except Exception as error:  # noqa: BLE001 the message's last handler: its text stays on the server
            log_error(error)
            self._refuse(line, INTERNAL)
        return True

    def _end(self) -> NoReturn:
        self._calls.all_answered()
        if self._work:
            self._work.listening.close()
        self._ending.now()

    def _left(self) -> None:
        """The client asks nothing more."""
        self._ending.soon()
        if self._work:
            self._work.face.leave()

    def _working(self) -> "Worker":
        with self._making:
            if self._work is None:
                from pathlib import Path  # what a start needs nothing of

                from loomstack_mcp.adapters.hub_tokens import forget_named_token
                from loomstack_mcp.edge.here import ELSEWHERE, Here
                from loomstack_mcp.server.front.worker import Worker

                forget_named_token(os.environ)
                self._work = Worker(Here(Path(self._folder), self._flags, elsewhere=ELSEWHERE), self._wire)
            return self._work

    def _opened(self) -> "Face | None":
        """The face, once a call has opened its store."""
        return self._work.face if self._work and self._work.face.is_open else None

    def _close(self) -> None:
        self._wire.mute()
        if self._work:
            self._work.face.close()

    def _hand_over(self, line: bytes) -> None:
        """The SDK's server goes on, to the end. Where it cannot be loaded, that request is refused and this goes on."""
        if self._aside is None:
            self._aside = queue.SimpleQueue()
            threading.Thread(target=self._read_aside, args=(self._aside,), daemon=True).start()
        try:
            if not self._can_hand_over:
                raise ImportError
            from loomstack_mcp.adapters.handovers import note_handover
            from loomstack_mcp.server.front.handover import Opening
            from loomstack_mcp.server.sdk.app import build_server  # imports the SDK, which most sessions do without
            from loomstack_mcp.server.sdk.bus import Bus
            from loomstack_mcp.server.sdk.transport import Streams, serve_stdio

            face = self._working().face
            with contextlib.suppress(Invalid):  # settings that do not load: each call says so
                note_handover(face.here.own_settings.home, *self._session.asking(line))
            changes = Bus(face)
            server = build_server(face, changes)
        except Exception as error:  # noqa: BLE001 whatever keeps the SDK from loading, the session goes on
            if self._can_hand_over:
                log_error(error)
            self._can_hand_over = False
            self._refuse(line, _NO_SDK)
            return
        opening = Opening(self._wire, self._aside, self._session.opening, line)
        serve_stdio(server, beside=changes.watch, on_eof=face.leave, streams=Streams(opening, opening))
        self._end()

    def _read_aside(self, lines: "queue.SimpleQueue[bytes]") -> None:
        """Read on while the main thread imports and serves: what was asked here can still be cancelled here."""
        while line := self._wire.readline():
            if not self._cancelled(line):
                lines.put(line)
        lines.put(b"")
        self._left()

    def _cancelled(self, line: bytes) -> bool:
        try:
            message = message_of(line)
        except NotKnown:
            return False
        return message is not None and self._session.cancelled(message)

    def _refuse(self, line: bytes, why: str) -> None:
        with contextlib.suppress(NotKnown):  # what is no JSON everywhere has no id to answer to
            if (message := message_of(line)) and isinstance(id := message.get("id"), int | str):  # noqa: A001
                self._wire.send(refused(id, why))


def serve(folder: str, flags: Mapping[str, str | None]) -> NoReturn:
    """Serve the session of the client that started this process."""
    Front(folder, flags).serve()
