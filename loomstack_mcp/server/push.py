"""Push: an idle session of Claude Code hears of what it waits for by its client's own channel, without a call.

Its inbox is a Unix socket that each child of the session is told of (run on 2.1.330, 2026-11). Codex has nothing like
it: there the next call and the hooks of the next turn tell.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack

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
_UNTOLD_S, _UNTOLD_WAITING_S = 60.0, 5.0
"""A hub rings no bell here: so often it is asked, and so often at most while the session waits for something."""
_DATABASE = ("postgresql:", "postgres:")
_APART_S = 60.0
"""Each message costs a turn. A path that the session asked for does not wait for that."""
_AT_ONCE = "freed"
_NOT_PUSHED = frozenset({"expired", "stranded", "superseded", "contradicted", "conflict"})
"""Worth knowing with the next call, and no turn of its own."""
_SEND_S_MAX = 2.0
_BYTES_MAX = 2_000


def begin_push(
    environment: Mapping[str, str],
    flags: Mapping[str, str | None],
    face: "Callable[[], Face]",
    opened: "Callable[[], Face | None]",
) -> bool:
    """Watch on behalf of the client's session, to the end of this process; False where it cannot or must not be told.

    No store is opened, and nothing imported for it, before something has happened to the session; a database is
    listened to once a call has opened it, as `opened` tells.
    """
    session, inbox, token = (environment.get(name, "") for name in (_SESSION, INBOX, _TOKEN))
    if not (session and inbox and token) or environment.get("LOOMSTACK_PUSH") == "off":
        return False
    home = flags.get("home") or home_named(environment)
    store = _store(environment, flags, home)
    if store:
        bell: SessionBell = HubBell(face)
        if store.startswith(_DATABASE):
            bell = DatabaseBell(opened, f"claude:{session}")
        elif not hub_origin(store):
            bell = FileBell(store, f"claude:{session}")
        push = Push(bell, home, session=f"claude:{session}", inbox=inbox, token=token, face=face)
        threading.Thread(target=push.watch, daemon=True).start()
    return bool(store)


class SessionBell:
    """What rings where something may have happened to a session."""

    is_heard = True
    """Whether it does; else it is looked by time."""

    def is_rung(self, *, within_s: float) -> bool:
        """Whether it rang since this was last asked, or does in that time."""
        raise NotImplementedError

    def looked(self, waits_in: "Sequence[tuple[str, int]]") -> bool:  # noqa: ARG002 a hub's does
        """It was looked what there is to tell; returns whether it rings where any of these repos moves on."""
        return False


class HubBell(SessionBell):
    """A hub's, which tells that the repo has moved in which the session waits for something."""

    is_heard = False

    def __init__(self, face: "Callable[[], Face]") -> None:
        self._face = face
        self._waits_in: tuple[tuple[str, int], ...] = ()
        self._looked_s = 0.0
        self._has_moved = False

    def looked(self, waits_in: "Sequence[tuple[str, int]]") -> bool:
        """As `SessionBell`."""
        # A wait asks about one repo: who waits in several is looked at by time.
        self._waits_in = tuple(waits_in) if len(waits_in) == 1 else ()
        self._looked_s, self._has_moved = time.monotonic(), False
        return bool(self._waits_in)

    def is_rung(self, *, within_s: float) -> bool:
        """Seldom, for a busy repo moves all the time."""
        until_s = time.monotonic() + within_s
        for repo_id, seen in self._waits_in:
            try:
                self._face().waits.await_change(repo_id, seen, until_s=until_s, stopped=threading.Event())
                self._has_moved = time.monotonic() < until_s
            except LoomError:  # it is looked by time
                self._has_moved = False
                self._waits_in = ()
        if self._has_moved:
            self._waits_in = ()
        next_s = self._looked_s + _UNTOLD_WAITING_S
        time.sleep(max(0, min(until_s, next_s if self._has_moved else until_s) - time.monotonic()))
        if not self._has_moved or time.monotonic() < next_s:
            return False
        self._has_moved = False  # it rings once: whoever hears it may not come to look
        return True


class FileBell(SessionBell):
    """That beside a store which is a file."""

    def __init__(self, store: str, session: str) -> None:
        self._store, self._session = store, session

    def is_rung(self, *, within_s: float) -> bool:
        """As the file says after that time."""
        time.sleep(within_s)
        return was_rung(self._store, self._session)


class DatabaseBell(SessionBell):
    """That of a store which tells of news by itself, heard from the session's first call on."""

    def __init__(self, opened: "Callable[[], Face | None]", session: str) -> None:
        self._opened, self._session = opened, session
        self._face: Face | None = None
        self._news = threading.Event()
        self._listening = ExitStack()

    @property
    def is_heard(self) -> bool:  # type: ignore[override]  # as things are
        """Whether it is now; nothing happens to a session that called nothing yet."""
        return self._face is None or self._face.loom.tells_news

    def is_rung(self, *, within_s: float) -> bool:
        """At once where it rings."""
        if self._face is None and (face := self._opened()):
            self._news = self._listening.enter_context(face.loom.listening(self._session))
            self._face = face
        is_rung = self._news.wait(within_s)
        if is_rung:  # else it may ring just now
            self._news.clear()
        return is_rung


class Push:
    """The watch for one session."""

    def __init__(
        self, bell: SessionBell, home: str, *, session: str, inbox: str, token: str, face: "Callable[[], Face]"
    ) -> None:
        """`face` is asked for once there may be something to tell."""
        self._bell, self._home = bell, home
        self._session, self._inbox, self._token = session, inbox, token
        self._face = face
        self._next_s = 0.0
        self._waiting_s = _UNTOLD_WAITING_S

    def watch(self) -> None:
        """Tell the session whatever there is to tell, for ever."""
        again_s = None if self._bell.is_heard else time.monotonic() + _UNTOLD_S
        while True:
            if self._bell.is_rung(within_s=_TICK_S) or (again_s is not None and time.monotonic() >= again_s):
                again_s = self.look()
            elif again_s is None and not self._bell.is_heard:
                again_s = time.monotonic() + _UNTOLD_WAITING_S

    def look(self) -> float | None:
        """Tell what is new; returns when to look again, by the monotonic clock, though nothing rings."""
        try:
            again_s = self._told()
            if not self._bell.is_heard:
                again_s = _UNTOLD_S if again_s is None else min(again_s, self._waiting_s)
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
        self._waiting_s = _UNTOLD_S if self._bell.looked(found.waits_in) else _UNTOLD_WAITING_S
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
    """The store's file, the hub, or the database; "" where that is not plain, or the person wants no push."""
    if _may_choose(f"{home}/{USER_FILE}"):
        from loomstack_mcp.adapters.settings import (  # YAML, for the few who have such a file
            hub_of,
            load_settings,
            postgres_url,
            sqlite_path,
        )

        try:
            settings = load_settings(flags, environment=environment)
            return (
                ""
                if settings.push == "off"
                else hub_of(settings) or postgres_url(settings) or str(sqlite_path(settings))
            )
        except LoomError:  # each call says so
            return ""
    store = flags.get("store") or environment.get("LOOMSTACK_STORE") or ""
    return (
        hub_origin(store)
        or (store if store.startswith(_DATABASE) else "")
        or store_file({"LOOMSTACK_STORE": store}, home)
    )


def _may_choose(file: str) -> bool:
    """Whether a file of settings may say which store it is, or that nothing is pushed."""
    try:
        with open(file, encoding="utf-8") as opened:
            text = opened.read()
    except (OSError, UnicodeDecodeError):
        return False
    return "store" in text or "push" in text
