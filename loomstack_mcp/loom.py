"""The composition root: settings to store to services, for every face that lives longer than a hook."""

from contextlib import suppress
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from loomstack_mcp.adapters.settings import POSTGRES_NEEDED, Settings, postgres_url, sqlite_path
from loomstack_mcp.core.errors import StoreUnavailable
from loomstack_mcp.store.base import Store
from loomstack_mcp.store.sqlite.migrate import migrating_store

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from subprocess import Popen
    from threading import Event

    from loomstack_mcp.services.alerts import AlertService
    from loomstack_mcp.services.approvals import ApprovalService
    from loomstack_mcp.services.claims import ClaimService
    from loomstack_mcp.services.commits import CommitService
    from loomstack_mcp.services.conflicts import ConflictService
    from loomstack_mcp.services.context import ContextService
    from loomstack_mcp.services.edits import EditClaims
    from loomstack_mcp.services.events import EventService
    from loomstack_mcp.services.evidence import EvidenceService
    from loomstack_mcp.services.ledger import LedgerService
    from loomstack_mcp.services.levers import LeverService
    from loomstack_mcp.services.notes import NoteService
    from loomstack_mcp.services.notices import NoticeService
    from loomstack_mcp.services.outcomes import OutcomeService
    from loomstack_mcp.services.policy import PolicyService
    from loomstack_mcp.services.repos import RepoService
    from loomstack_mcp.services.runs import RunService
    from loomstack_mcp.services.session_steps import SessionService
    from loomstack_mcp.services.sightings import SightingService
    from loomstack_mcp.services.stranded import StrandedService
    from loomstack_mcp.services.watches import WatchService
    from loomstack_mcp.services.why import WhyService


class Loom:
    """Every service over one store, each imported when it is first asked for: a session uses few of them.

    Opening it writes nothing: the first call that needs the store does.
    """

    def __init__(self, store: Store, *, rework_max: int, settings: Settings | None = None) -> None:
        """With `settings` that name a webhook, what people should hear is sent behind the back of whoever caused it."""
        self.store = store
        self._rework_max = rework_max
        self._settings = settings
        self._sender: Popen[bytes] | None = None

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
    def approvals(self) -> "ApprovalService":
        from loomstack_mcp.services.approvals import ApprovalService

        return ApprovalService(self.store)

    @cached_property
    def evidence(self) -> "EvidenceService":
        from loomstack_mcp.services.evidence import EvidenceService

        return EvidenceService(self.store)

    @cached_property
    def events(self) -> "EventService":
        from loomstack_mcp.services.events import EventService

        return EventService(self.store)

    @cached_property
    def stranded(self) -> "StrandedService":
        from loomstack_mcp.services.stranded import StrandedService

        return StrandedService(self.store)

    @cached_property
    def alerts(self) -> "AlertService":
        from loomstack_mcp.services.alerts import AlertService

        return AlertService(self.store)

    @cached_property
    def levers(self) -> "LeverService":
        from loomstack_mcp.services.levers import LeverService

        return LeverService(self.store)

    @cached_property
    def sightings(self) -> "SightingService":
        from loomstack_mcp.services.sightings import SightingService

        return SightingService(self.store)

    @cached_property
    def sessions(self) -> "SessionService":
        from loomstack_mcp.services.session_steps import SessionService

        return SessionService(self.store)

    @cached_property
    def notices(self) -> "NoticeService":
        from loomstack_mcp.services.notices import NoticeService

        return NoticeService(self.store)

    @cached_property
    def watches(self) -> "WatchService":
        from loomstack_mcp.services.watches import WatchService

        return WatchService(self.store)

    @cached_property
    def commits(self) -> "CommitService":
        from loomstack_mcp.services.commits import CommitService

        return CommitService(self.store)

    @cached_property
    def why(self) -> "WhyService":
        from loomstack_mcp.services.why import WhyService

        return WhyService(self.store)

    def listening(self, name: str) -> "AbstractContextManager[Event]":
        """As the store's: an event that may be set when something happened in a repo."""
        return self.store.listening(name)

    def send_notices(self) -> None:
        """Have a process of its own send what people should hear, where anything is due."""
        if not (self._settings and self._settings.webhook):
            return
        if (self._sender is None or self._sender.poll() is not None) and self.notices.is_due():
            from loomstack_mcp.adapters.sender import start_sender  # what nobody needs who has no webhook

            self._sender = start_sender(self._settings)

    def close(self) -> None:
        """Give the store back. Claims stay: they end by time or by release."""
        with suppress(StoreUnavailable):  # where it does not answer now, a later process sends
            self.send_notices()
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
        store = _opened(settings, full_sync=full_sync)
        return Loom(store, rework_max=settings.rework_max, settings=settings)
    return open_loom(Settings(store=f"sqlite:///{Path(settings).absolute()}"), full_sync=full_sync)


def _opened(settings: Settings, *, full_sync: bool) -> Store:
    if not (url := postgres_url(settings)):
        return migrating_store(sqlite_path(settings), full_sync=full_sync)
    try:
        from loomstack_mcp.store.postgres import migrate  # psycopg is some 200 ms, and an extra
    except ModuleNotFoundError as error:
        if error.name != "psycopg":
            raise
        raise StoreUnavailable(POSTGRES_NEEDED) from None
    return migrate.postgres_store(url)
