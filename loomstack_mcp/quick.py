"""The composition root of a hook: an existing store, opened with the standard library alone."""

from collections.abc import Iterator
from contextlib import contextmanager

from loomstack_mcp.adapters.settings import Settings, sqlite_path
from loomstack_mcp.services.blockers import EditService
from loomstack_mcp.store.sqlite.backend import SqliteStore


@contextmanager
def edit_service(settings: Settings) -> Iterator[EditService | None]:
    """What stands in the way of edits, by the store that `settings` names; None where there is no store yet."""
    path = sqlite_path(settings)
    if not path.exists():
        yield None
        return
    store = SqliteStore(path)
    try:
        yield EditService(store)
    finally:
        store.close()
