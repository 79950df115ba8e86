"""Push: an idle session of Claude Code hears of what it waits for by its client's own channel, without a call.

Its inbox is a Unix socket that each child of the session is told of (run on 2.1.330, 2026-11). Codex has nothing like
it: there the next call and the hooks of the next turn tell.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping

from loomstack_mcp.adapters.user import USER_FILE, home_named, hub_origin, may_be_paused, principal, store_file
from loomstack_mcp.core.errors import LoomError
from loomstack_mcp.core.limits import ALERTS_MAX, SECOND_MS
from loomstack_mcp.store.bells import was_rung

TYPE_CHECKING = False  # `typing` costs a start 4 ms
if TYPE_CHECKING:
    from collections.abc import Sequence

    from loomstack_mcp.core.events import DueAlert
    from loomstack_mcp.server.face import Face

INBOX = "CLAUDE_CODE_MESSAGING_SOCKET"
_TOKEN, _SESSION = "CLAUDE_CODE_MESSAGING_TOKEN", "CLAUDE_CODE_SESSION_ID"
_TICK_S = 1.0
_FAR_S, _FAR_WAITING_S = 60.0, 5.0
"""A hub rings no bell here: so often it is asked, and so often while the session waits for something."""
_APART_S = 60.0
"""Each message costs a turn. A path that the session asked for does not wait for that."""
_AT_ONCE = "freed"
_NOT_PUSHED = frozenset({"expired", "stranded", "superseded", "contradicted", "conflict"})
"""Worth knowing with the next call, and no turn of its own."""
_SEND_S_MAX = 2.0
_BYTES_MAX = 2_000


def begin_push(environment: Mapping[str, str], flags: Mapping[str, str | None], face: "Callable[[], Face]") -> bool:
    """Watch on behalf of the client's session, to the end of this process; False where it cannot or must not be told.

    No store is opened, and nothing imported for it, before something has happened to the session.
    """
    session, inbox, token = (environment.get(name, "") for name in (_SESSION, INBOX, _TOKEN))
    if not (session and inbox and token) or environment.get("LOOMSTACK_PUSH") == "off":
        return False
    home = flags.get("home") or home_named(environment)
    store = _store(environment, flags, home)
    if store:
        push = Push(
            "" if hub_origin(store) else store, home, session=f"claude:{session}", inbox=inbox, token=token, face=face
        )
        threading.Thread(target=push.watch, daemon=True).start()
    return bool(store)


class Push:
    """The watch for one session."""

    def __init__(
        self, store: str, home: str, *, session: str, inbox: str, token: str, face: "Callable[[], Face]"
    ) -> None:
        """`face` is asked for once there may be something to tell. `store` is a file, "" where a hub is asked."""
        self._store, self._home = store, home
        self._session, self._inbox, self._token = session, inbox, token
        self._face = face
        self._next_s = 0.0

    def watch(self) -> None:
        """Tell the session whatever there is to tell, for ever."""
        again_s = None if self._store else time.monotonic() + _FAR_S
        while True:
            time.sleep(_TICK_S)
            is_rung = bool(self._store) and was_rung(self._store, self._session)
            if is_rung or (again_s is not None and time.monotonic() >= again_s):
                again_s = self.look()

    def look(self) -> float | None:
        """Tell what is new; returns when to look again, by the monotonic clock, though nothing rings."""
        try:
            again_s = self._told()
            if not self._store:
                again_s = _FAR_S if again_s is None else min(again_s, _FAR_WAITING_S)
        except LoomError:  # a store that is busy, or settings that do not load: there is a later
            again_s = _APART_S
        return None if again_s is None else time.monotonic() + again_s

    def _told(self) -> float | None:
        """In how many seconds to look again. Raises LoomError."""
        if may_be_paused(self._home, now_ms=round(time.time() * SECOND_MS)):
            return _APART_S
        from loomstack_mcp.core.runs import Caller  # which costs a session to which nothing happens memory

        face = self._face()
        if face.here.own_settings.push == "off":
            return None
        caller = Caller(principal=principal(), session=self._session)
        found = face.work(lambda: face.loom.watches.watched(caller))
        news = [alert for alert in found.alerts if alert.kind not in _NOT_PUSHED][:ALERTS_MAX]
        wait_s = self._next_s - time.monotonic()
        if news and wait_s > 0 and not any(alert.kind == _AT_ONCE for alert in news):
            return wait_s
        if news and self._is_sent(news):
            face.work(lambda: face.loom.alerts.heard(news))
        return found.again_ms / SECOND_MS if found.again_ms is not None else None

    def _is_sent(self, news: "Sequence[DueAlert]") -> bool:
        """Whether the client took it; where it did not, the next call tells."""
        import socket  # which few sessions need

        from loomstack_mcp.core.briefing.alerts import alerts_told

        text = alerts_told(news).encode()[:_BYTES_MAX].decode(errors="ignore")
        lines = ({"type": "auth", "token": self._token}, {"type": "user", "message": {"role": "user", "content": text}})
        self._next_s = time.monotonic() + _APART_S
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as inbox:
                inbox.settimeout(_SEND_S_MAX)
                inbox.connect(self._inbox)
                inbox.sendall("".join(json.dumps(line) + "\n" for line in lines).encode())
        except OSError:
            return False
        return True


def _store(environment: Mapping[str, str], flags: Mapping[str, str | None], home: str) -> str:
    """The store's file, or the hub; "" where that is not plain, or the person wants no push."""
    if _may_choose(f"{home}/{USER_FILE}"):
        from loomstack_mcp.adapters.settings import (  # YAML, for the few who have such a file
            hub_of,
            load_settings,
            sqlite_path,
        )

        try:
            settings = load_settings(flags, environment=environment)
            return "" if settings.push == "off" else hub_of(settings) or str(sqlite_path(settings))
        except LoomError:  # each call says so
            return ""
    store = flags.get("store") or environment.get("LOOMSTACK_STORE") or ""
    return hub_origin(store) or store_file({"LOOMSTACK_STORE": store}, home)


def _may_choose(file: str) -> bool:
    """Whether a file of settings may say which store it is, or that nothing is pushed."""
    try:
        with open(file, encoding="utf-8") as opened:
            text = opened.read()
    except (OSError, UnicodeDecodeError):
        return False
    return "store" in text or "push" in text
