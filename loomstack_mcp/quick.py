"""The composition root of a hook: an existing store, or a hub, opened with the standard library alone."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from loomstack_mcp.adapters.settings import Settings, sqlite_path
from loomstack_mcp.core.errors import StoreUnavailable
from loomstack_mcp.core.limits import HOOK_GATE_WAIT_MS
from loomstack_mcp.services.offered import Services, services_over
from loomstack_mcp.store.sqlite.backend import SqliteStore


class Quick(Services):
    """What a hook needs."""


@contextmanager
def open_quick(settings: Settings, *, gate_wait_ms: int = HOOK_GATE_WAIT_MS) -> Iterator[Quick | None]:
    """What a hook asks and tells the store that `settings` names; None where there is no store yet.

    Raises StoreUnavailable where there can be none.
    """
    path = sqlite_path(settings)
    if not path.exists():
        if path.parent.exists() and not path.parent.is_dir():
            raise StoreUnavailable(f"{path.parent} is no folder, so that no store can be in it; see LOOMSTACK_HOME")
        yield None
        return
    store = SqliteStore(path, gate_wait_ms=gate_wait_ms)
    try:
        yield Quick(services_over(store, rework_max=settings.rework_max))
        if settings.webhook:
            _send_notices(store, settings)
    finally:
        store.close()


def _send_notices(store: SqliteStore, settings: Settings) -> None:
    """Of what people should hear, as `Loom.send_notices`."""
    # What few hooks need: most people have no webhook.
    from loomstack_mcp.adapters.sender import start_sender
    from loomstack_mcp.services.notices import NoticeService

    with suppress(StoreUnavailable):
        if NoticeService(store).is_due():
            start_sender(settings)
