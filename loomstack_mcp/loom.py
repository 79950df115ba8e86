"""The composition root: settings to store to services, for every face that lives longer than a hook."""

from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from loomstack_mcp.adapters.settings import Settings, sqlite_path
from loomstack_mcp.store.base import Store
from loomstack_mcp.store.sqlite.migrate import migrating_store

if TYPE_CHECKING:
    from loomstack_mcp.services.claims import ClaimService
    from loomstack_mcp.services.commits import CommitService
    from loomstack_mcp.services.conflicts import ConflictService
    from loomstack_mcp.services.context import ContextService
    from loomstack_mcp.services.edits import EditClaims
    from loomstack_mcp.services.events import EventService
    from loomstack_mcp.services.ledger import LedgerService
    from loomstack_mcp.services.notes import NoteService
    from loomstack_mcp.services.outcomes import OutcomeService
    from loomstack_mcp.services.policy import PolicyService
    from loomstack_mcp.services.repos import RepoService
    from loomstack_mcp.services.runs import RunService
    from loomstack_mcp.services.sightings import SightingService
    from loomstack_mcp.services.stranded import StrandedService
    from loomstack_mcp.services.why import WhyService


class Loom:
    """Every service over one store, each imported when it is first asked for: a session uses few of them.

    Opening it writes nothing: the first call that needs the store does.
    """

    def __init__(self, store: Store, *, rework_max: int) -> None:
        self.store = store
        self._rework_max = rework_max

    @cached_property
    def repos(self) -> "RepoService":
        from loomstack_mcp.services.repos import RepoService

        return RepoService(self.store)

    @cached_property
    def runs(self) -> "RunService":
        from loomstack_mcp.services.runs import RunService

        return RunService(self.store)

    @cached_property
    def context(self) -> "ContextService":
        from loomstack_mcp.services.context import ContextService

        return ContextService(self.store)

    @cached_property
    def notes(self) -> "NoteService":
        from loomstack_mcp.services.notes import NoteService

        return NoteService(self.store)

    @cached_property
    def claims(self) -> "ClaimService":
        from loomstack_mcp.services.claims import ClaimService

        return ClaimService(self.store)

    @cached_property
    def edits(self) -> "EditClaims":
        from loomstack_mcp.services.edits import EditClaims

        return EditClaims(self.store)

    @cached_property
    def outcomes(self) -> "OutcomeService":
        from loomstack_mcp.services.outcomes import OutcomeService

        return OutcomeService(self.store, rework_max=self._rework_max)

    @cached_property
    def ledger(self) -> "LedgerService":
        from loomstack_mcp.services.ledger import LedgerService

        return LedgerService(self.store)

    @cached_property
    def conflicts(self) -> "ConflictService":
        from loomstack_mcp.services.conflicts import ConflictService

        return ConflictService(self.store)

    @cached_property
    def policy(self) -> "PolicyService":
        from loomstack_mcp.services.policy import PolicyService

        return PolicyService(self.store)

    @cached_property
    def events(self) -> "EventService":
        from loomstack_mcp.services.events import EventService

        return EventService(self.store)

    @cached_property
    def stranded(self) -> "StrandedService":
        from loomstack_mcp.services.stranded import StrandedService

        return StrandedService(self.store)

    @cached_property
    def sightings(self) -> "SightingService":
        from loomstack_mcp.services.sightings import SightingService

        return SightingService(self.store)

    @cached_property
    def commits(self) -> "CommitService":
        from loomstack_mcp.services.commits import CommitService

        return CommitService(self.store)

    @cached_property
    def why(self) -> "WhyService":
        from loomstack_mcp.services.why import WhyService

        return WhyService(self.store)

    def close(self) -> None:
        """Give the store back. Claims stay: they end by time or by release."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_loom(settings: Settings | str | Path, *, full_sync: bool = False) -> Loom:
    """The services over the store that `settings` names, or over the SQLite file at a path.

    With `full_sync` an acknowledged change survives a power cut: holders on other machines would.

    Raises StoreUnavailable for a store that this version cannot speak to.
    """
    if isinstance(settings, Settings):
        return Loom(migrating_store(sqlite_path(settings), full_sync=full_sync), rework_max=settings.rework_max)
    return open_loom(Settings(store=f"sqlite:///{Path(settings).absolute()}"), full_sync=full_sync)
