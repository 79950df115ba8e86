"""Tells those who listen which resources changed, for as long as anybody listens (`subscriptions/listen`)."""

import threading
import time

from loomstack_mcp.core.errors import LoomError
from loomstack_mcp.server.face import Face
from loomstack_mcp.server.front.definitions import PREFIX
from loomstack_mcp.server.front.failures import log_error, refused
from loomstack_mcp.server.front.messages import Json, RequestId, correlated
from loomstack_mcp.server.front.wire import Wire

_POLL_S, _FAR_POLL_S = 1, 5
_CONNECTION_CLOSED = -32000


class Listening:
    """The open subscriptions of a session. Where nobody listens nothing is asked; a hub is asked seldom."""

    def __init__(self, face: Face, wire: Wire) -> None:
        self._face = face
        self._wire = wire
        self._wanted: list[tuple[RequestId, frozenset[str]]] = []
        """The requests to listen, and the resources of each; the newest owns an id that is in use twice."""
        self._lock = threading.Lock()
        self._newcomer = False
        self._watching = False

    def begin(self, id: RequestId, honored: Json, uris: frozenset[str]) -> None:  # noqa: A002 the protocol's word
        """Acknowledge a subscription, and tell of what changes from now on."""
        self._notify("subscriptions/acknowledged", id, {"notifications": honored})
        with self._lock:
            self._wanted.append((id, uris))
            self._newcomer = True
            starts, self._watching = not self._watching, True
        if starts:
            threading.Thread(target=self._watch, daemon=True).start()

    def cancel(self, id: RequestId) -> bool:  # noqa: A002 the protocol's word
        """That one listens no longer; whether it did."""
        with self._lock:
            mine = [one for one in self._wanted if correlated(one[0]) == correlated(id)]
            if mine:
                self._wanted.remove(mine[-1])
            return bool(mine)

    def close(self) -> None:
        """The session ends: each request to listen is answered with that."""
        with self._lock:
            ended, self._wanted = self._wanted, []
        for id, _ in ended:  # noqa: A001 the protocol's word
            self._wire.send(refused(id, "Connection closed", code=_CONNECTION_CLOSED))

    def _watch(self) -> None:
        from loomstack_mcp.server.resources import Watch  # what only listeners need

        watch = Watch(self._face)
        while True:
            with self._lock:
                if not self._wanted:
                    self._watching = False
                    return
                newcomer, self._newcomer = self._newcomer, False
            pause_s = _POLL_S
            try:
                self._tell(self._face.work(lambda: watch.stale(newcomer=newcomer)))  # noqa: B023 called at once
                pause_s = _FAR_POLL_S if self._face.loom.is_far else _POLL_S
            except LoomError:  # the store does not answer now; what changed is told once it does
                with self._lock:
                    self._newcomer = self._newcomer or newcomer
            except Exception as error:  # noqa: BLE001 listeners go on to hear of what comes
                log_error(error)
            time.sleep(pause_s)

    def _tell(self, stale: tuple[str, ...]) -> None:
        for uri in stale:
            with self._lock:
                wanted = tuple(self._wanted)
            for id, uris in wanted:  # noqa: A001 the protocol's word
                if uri in uris:
                    self._notify("resources/updated", id, {"uri": uri})

    def _notify(self, what: str, id: RequestId, params: Json) -> None:  # noqa: A002 the protocol's word
        meta = {f"{PREFIX}subscriptionId": id}
        self._wire.send({"jsonrpc": "2.0", "method": f"notifications/{what}", "params": {**params, "_meta": meta}})
