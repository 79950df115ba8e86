"""The composition root: settings to store to services, for every face that lives longer than a hook."""

from pathlib import Path
from types import TracebackType
from typing import Self

from loomstack_mcp.adapters.settings import Settings, sqlite_path
from loomstack_mcp.services.claims import ClaimService
from loomstack_mcp.services.conflicts import ConflictService
from loomstack_mcp.services.context import ContextService
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
from loomstack_mcp.store.base import Store
from loomstack_mcp.store.sqlite.migrate import migrating_store


class Loom:
    """Every service over one store. Opening it writes nothing: the first call that needs the store does."""

    def __init__(self, store: Store, *, rework_max: int) -> None:
        self.repos = RepoService(store)
        self.runs = RunService(store)
        self.context = ContextService(store)
        self.notes = NoteService(store)
        self.claims = ClaimService(store)
        self.outcomes = OutcomeService(store, rework_max=rework_max)
        self.ledger = LedgerService(store)
        self.conflicts = ConflictService(store)
        self.policy = PolicyService(store)
        self.events = EventService(store)
        self.stranded = StrandedService(store)
        self.sightings = SightingService(store)
        self.why = WhyService(store)
        self.store = store

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
