"""The composition root of a hook: an existing store, or a hub, opened with the standard library alone."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from loomstack_mcp.adapters.settings import Settings, hub_of, postgres_url, sqlite_path
from loomstack_mcp.core.errors import OlderStore, StoreUnavailable
from loomstack_mcp.core.limits import HOOK_GATE_WAIT_MS
from loomstack_mcp.services.offered import Services, services_over
from loomstack_mcp.store.base import Store
from loomstack_mcp.store.sqlite.backend import SqliteStore

_MAKING_SECONDS_MAX = 10
_LOG_BYTES_MAX = 400_000
"""Of the memory's log, which the next hook reads through: in less than a millisecond."""
_left_open: list[SqliteStore] = []


class Quick(Services):
    """What a hook needs."""


@contextmanager
def open_quick(
    settings: Settings, *, gate_wait_ms: int = HOOK_GATE_WAIT_MS, ends_here: bool = False
) -> Iterator[Quick | None]:
    """What a hook asks and tells the store that `settings` name; None where there is no store yet.

    `ends_here` says that the process ends at once afterwards, by no more than `os._exit`.
    Raises StoreUnavailable where there can be none.
    """
    if hub := hub_of(settings):
        with _over_hub(hub, settings, gate_wait_ms, ends_here=ends_here) as quick:
            yield quick
        return
    if url := postgres_url(settings):
        from loomstack_mcp.store.postgres.backend import PostgresStore  # psycopg is some 200 ms

        with closing(PostgresStore(url, wait_ms=gate_wait_ms)) as database:
            yield from _quick(database, settings)
        return
    path = sqlite_path(settings)
    if not path.exists():
        if path.parent.exists() and not path.parent.is_dir():
            raise StoreUnavailable(f"{path.parent} is no folder, so that no store can be in it; see LOOMSTACK_HOME")
        yield None
        return
    with closing(SqliteStore(path, gate_wait_ms=gate_wait_ms)) as store:
        yield from _quick(store, settings)


def _quick(store: Store, settings: Settings) -> Iterator[Quick]:
    yield Quick(services_over(store, rework_max=settings.rework_max))
    if settings.webhook:
        _send_notices(store, settings)


@contextmanager
def _over_hub(hub: str, settings: Settings, gate_wait_ms: int, *, ends_here: bool) -> Iterator[Quick]:
    """What the hub is asked, with what this machine remembers itself."""
    # Sockets and tokens, for those who have a hub.
    from loomstack_mcp.remote.opening import line_to, memory_file, services_of

    memory = SqliteStore(memory_file(settings.home), gate_wait_ms=gate_wait_ms)
    try:
        with closing(line_to(hub, settings.home, is_hasty=True)) as line:
            _make_memory(memory, settings)
            remembered = services_over(memory, rework_max=settings.rework_max, is_memory=True)
            yield Quick(services_of(line, settings.home, remembered))
    finally:
        # Whoever closes it as the last takes its log into the file, and the next one begins another: a hook would wait
        # for the disk four times, to remember what may be forgotten.
        if ends_here and _log_bytes(memory) <= _LOG_BYTES_MAX:
            _left_open.append(memory)
        else:
            memory.close()


def _log_bytes(memory: SqliteStore) -> int:
    try:
        return os.stat(f"{memory.path}-wal").st_size  # noqa: PTH116 each path costs a hook time
    except OSError:
        return 0


def _make_memory(memory: SqliteStore, settings: Settings) -> None:
    """The memory, made or brought to this version once, by a command: no hook loads what that takes."""
    if memory.path.exists():
        try:
            with memory.read():
                return
        except OlderStore:
            pass
    from loomstack_mcp.adapters.own_commands import ran_command  # as said

    Path(settings.home).mkdir(mode=0o700, parents=True, exist_ok=True)
    ran_command("runs", "--json", folder=Path(settings.home), seconds_max=_MAKING_SECONDS_MAX)


def _send_notices(store: Store, settings: Settings) -> None:
    """Of what people should hear, as `Loom.send_notices`."""
    # What few hooks need: most people have no webhook.
    from loomstack_mcp.adapters.sender import start_sender
    from loomstack_mcp.services.notices import NoticeService

    with suppress(StoreUnavailable):
        if NoticeService(store).is_due():
            start_sender(settings)
