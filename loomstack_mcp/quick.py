"""The composition root of a hook: an existing store, opened with the standard library alone."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

from loomstack_mcp.adapters.settings import Settings, postgres_url, sqlite_path
from loomstack_mcp.core.errors import StoreUnavailable
from loomstack_mcp.core.limits import HOOK_GATE_WAIT_MS
from loomstack_mcp.core.records import record
from loomstack_mcp.services.sightings import SightingService
from loomstack_mcp.store.base import Store
from loomstack_mcp.store.sqlite.backend import SqliteStore

if TYPE_CHECKING:
    from loomstack_mcp.services.alerts import AlertService
    from loomstack_mcp.services.blockers import EditService
    from loomstack_mcp.services.commits import CommitService
    from loomstack_mcp.services.edits import EditClaims
    from loomstack_mcp.services.guards import GuardService
    from loomstack_mcp.services.policy import PolicyService
    from loomstack_mcp.services.refusals import RefusalService


@record
class Quick:
    """What a hook needs."""

    store: Store
    sightings: SightingService

    @property
    def edits(self) -> "EditService":
        # For steps, and neither for git's hooks nor for what only ends.
        from loomstack_mcp.services.blockers import EditService

        return EditService(self.store)

    @property
    def guards(self) -> "GuardService":
        # As above.
        from loomstack_mcp.services.guards import GuardService

        return GuardService(self.store)

    @property
    def alerts(self) -> "AlertService":
        # For the few that have something to hear.
        from loomstack_mcp.services.alerts import AlertService

        return AlertService(self.store)

    @property
    def policy(self) -> "PolicyService":
        # For the few steps of which a rule has something to say.
        from loomstack_mcp.services.policy import PolicyService

        return PolicyService(self.store)

    @property
    def refusals(self) -> "RefusalService":
        # For the edits that are refused alone.
        from loomstack_mcp.services.refusals import RefusalService

        return RefusalService(self.store)

    @property
    def commits(self) -> "CommitService":
        # Not for edits.
        from loomstack_mcp.services.commits import CommitService

        return CommitService(self.store)

    @property
    def claims(self) -> "EditClaims":
        # Not for the edits that are refused.
        from loomstack_mcp.services.edits import EditClaims

        return EditClaims(self.store)


@contextmanager
def open_quick(settings: Settings, *, gate_wait_ms: int = HOOK_GATE_WAIT_MS) -> Iterator[Quick | None]:
    """What a hook asks and tells the store that `settings` names; None where there is no store yet.

    Raises StoreUnavailable where there can be none.
    """
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
    yield Quick(store=store, sightings=SightingService(store))
    if settings.webhook:
        _send_notices(store, settings)


def _send_notices(store: Store, settings: Settings) -> None:
    """Of what people should hear, as `Loom.send_notices`."""
    # What few hooks need: most people have no webhook.
    from loomstack_mcp.adapters.sender import start_sender
    from loomstack_mcp.services.notices import NoticeService

    with suppress(StoreUnavailable):
        if NoticeService(store).is_due():
            start_sender(settings)
