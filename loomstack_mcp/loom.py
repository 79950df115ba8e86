"""The composition root: settings to store to services, for every face that lives longer than a hook."""

from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from loomstack_mcp.adapters.settings import POSTGRES_NEEDED, Settings, has_store, hub_of, postgres_url, sqlite_path
from loomstack_mcp.core.errors import StoreUnavailable
from loomstack_mcp.core.limits import STILL_MS, STILL_READING_MS, STILL_WRITING_MS
from loomstack_mcp.services.offered import Services, services_over
from loomstack_mcp.store.base import Store
from loomstack_mcp.store.sqlite.migrate import migrating_store

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from subprocess import Popen
    from threading import Event

    from loomstack_mcp.adapters.jwt import JwtIssuer
    from loomstack_mcp.adapters.telemetry import Telemetry
    from loomstack_mcp.remote.line import Line
    from loomstack_mcp.services.offered import ServiceMaker


class Loom(Services):
    """Every service over one store, or over a hub.

    Opening it writes nothing: the first call that needs the store does.
    """

    def __init__(
        self,
        store: Store,
        *,
        rework_max: int,
        settings: Settings | None = None,
        made: "ServiceMaker | None" = None,
        line: "Line | None" = None,
        telemetry: "Telemetry | None" = None,
    ) -> None:
        """With `settings` that name a webhook, what people should hear is sent behind the back of whoever caused it.

        With `made` the services are a hub's, over a `line`, and `store` is what this machine remembers itself.
        """
        super().__init__(made or services_over(store, rework_max=rework_max, issuer=self._issuer))
        self.store = store
        self._rework_max = rework_max
        self._line = line
        self._settings = settings
        self._sender: Popen[bytes] | None = None
        self.telemetry = telemetry
        """Where what is done is told to; None where nobody asked for it."""

    @property
    def is_far(self) -> bool:
        """Whether the services are a hub's."""
        return self._line is not None

    def over(self, store: Store) -> "Loom":
        """The same services over another store, which is made for one call."""
        return Loom(store, rework_max=self._rework_max)

    def _issuer(self) -> "JwtIssuer | None":
        if not (self._settings and self._settings.jwt_issuer):
            return None
        from loomstack_mcp.adapters.jwt import JwtIssuer  # what only a hub with an identity provider needs

        return JwtIssuer(self._settings)

    def listening(self, name: str, news: "Event | None" = None) -> "AbstractContextManager[Event]":
        """As the store's: an event that may be set when something happened in a repo."""
        return self.store.listening(name, news)

    @property
    def tells_news(self) -> bool:
        """As the store's: whether such events are set by what others do."""
        return self.store.tells_news

    def cursor(self, repo_id: str) -> int:
        """Where a repo is, for those of this process who were told so before, and wait there."""
        return self.events.cursor(repo_id)

    def cursors(self) -> "Mapping[str, int]":
        """Where each repo of the store is, for the process that serves it, whoever asks."""
        return self.events.cursors()

    def send_notices(self) -> None:
        """Have a process of its own send what people should hear, where anything is due."""
        if not (self._settings and self._settings.webhook):
            return
        if (self._sender is None or self._sender.poll() is not None) and self.notices.is_due():
            from loomstack_mcp.adapters.sender import start_sender  # what nobody needs who has no webhook

            self._sender = start_sender(self._settings)

    def tidy(self) -> None:
        """Have a process of its own remove what is too old, where the settings say so and nobody did today."""
        if not (self._settings and self._settings.keep_days):
            return
        from loomstack_mcp.adapters.tidying import is_tidying_due, start_tidying  # what few have set

        if is_tidying_due(self._settings):
            start_tidying(self._settings)

    def close(self) -> None:
        """Give the store back. Claims stay: they end by time or by release."""
        with suppress(StoreUnavailable):  # where it does not answer now, a later process sends
            self.send_notices()
        if self._settings and self._settings.origins.get("keep_days") != "environment":  # a session's is a repository's
            self.tidy()
        if self._line:
            self._line.close()
        for name in () if self._line else ("tokens", "access"):  # where somebody asked for them
            if name in vars(self):
                getattr(self, name).close()
        self.store.close()
        if self.telemetry:
            self.telemetry.flush(_FLUSH_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


_FLUSH_S = 2.0
"""What is still to be told has that long at the end."""


def open_loom(settings: Settings | str | Path, *, full_sync: bool = False, is_told: bool = False) -> Loom:
    """The services over the store that `settings` name, a hub or a file, or over the SQLite file at a path.

    With `full_sync` an acknowledged change survives a power cut: holders on other machines would. With `is_told` what
    is done is told to the collector that `settings` name: by those who serve, and by few commands.

    Raises StoreUnavailable for a store that this version cannot speak to.
    """
    if isinstance(settings, Settings):
        telemetry = _telemetry_of(settings) if is_told and settings.otlp_endpoint else None
        if hub := hub_of(settings):
            return _loom_of(hub, settings, telemetry)
        store = _opened(settings, full_sync=full_sync)
        if telemetry:
            from loomstack_mcp.store.listeners import ToldStore  # for those who tell a collector

            store = ToldStore(store, telemetry)
        return Loom(store, rework_max=settings.rework_max, settings=settings, telemetry=telemetry)
    return open_loom(Settings(store=f"sqlite:///{Path(settings).absolute()}"), full_sync=full_sync)


def open_store(url: str, *, is_read: bool = False) -> Store:
    """The store at `sqlite:///PATH`, a path, or `postgresql://…`, whatever the settings say, for what takes time."""
    return _opened(Settings(store=url), full_sync=True, still_ms=STILL_READING_MS if is_read else STILL_WRITING_MS)


def is_hub_store(url: str) -> bool:
    """Whether a hub is, or was, over it: what it keeps to itself lies beside it."""
    settings = Settings(store=url)
    if postgres_url(settings):
        return True
    path = sqlite_path(settings)
    return path.with_name(f"{path.stem}-private{path.suffix}").exists()


def is_there(url: str) -> bool:
    """Whether a store was ever made there, as far as that is seen without opening it."""
    return has_store(Settings(store=url))


def _opened(settings: Settings, *, full_sync: bool, still_ms: int = STILL_MS) -> Store:
    if not (url := postgres_url(settings)):
        return migrating_store(sqlite_path(settings), full_sync=full_sync)
    try:
        from loomstack_mcp.store.postgres import migrate  # psycopg is some 200 ms, and an extra
    except ModuleNotFoundError as error:
        if error.name != "psycopg":
            raise
        raise StoreUnavailable(POSTGRES_NEEDED) from None
    return migrate.postgres_store(url, still_ms=still_ms)


def _telemetry_of(settings: Settings) -> "Telemetry | None":
    from loomstack_mcp.adapters.telemetry import telemetry_to  # for those who tell a collector

    return telemetry_to(settings.otlp_endpoint, settings.otlp_headers)


def _loom_of(hub: str, settings: Settings, telemetry: "Telemetry | None") -> Loom:
    """The services of a hub. What people should hear, it sends itself."""
    # Sockets and tokens, for those who have a hub.
    from loomstack_mcp.remote.opening import line_to, memory_file, services_of

    memory = migrating_store(memory_file(settings.home))
    with memory.read():  # hooks, which make none, find it
        pass
    line = line_to(hub, settings.home)
    made = services_of(line, settings.home, services_over(memory, rework_max=settings.rework_max, is_memory=True))
    if telemetry:
        from loomstack_mcp.adapters.callings import current_traceparent

        line.traceparent = current_traceparent
    return Loom(memory, rework_max=settings.rework_max, made=made, line=line, telemetry=telemetry)
