"""Every service, each imported and made when it is first asked for: a session uses few of them, and a hook fewer."""

from functools import cached_property

TYPE_CHECKING = False  # `typing` costs a hook 4 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol, TypeVar

    from loomstack_mcp.services.access import Access
    from loomstack_mcp.services.alerts import AlertService
    from loomstack_mcp.services.approvals import ApprovalService
    from loomstack_mcp.services.attributions import AttributionService
    from loomstack_mcp.services.blockers import EditService
    from loomstack_mcp.services.claims import ClaimService
    from loomstack_mcp.services.commits import CommitService
    from loomstack_mcp.services.conflicts import ConflictService
    from loomstack_mcp.services.context import ContextService
    from loomstack_mcp.services.decisions import DecisionService
    from loomstack_mcp.services.deploys import DeployService
    from loomstack_mcp.services.edits import EditClaims
    from loomstack_mcp.services.events import EventService
    from loomstack_mcp.services.evidence import EvidenceService
    from loomstack_mcp.services.glances import GlanceService
    from loomstack_mcp.services.guards import GuardService
    from loomstack_mcp.services.ledger import LedgerService
    from loomstack_mcp.services.levers import LeverService
    from loomstack_mcp.services.live import LiveService
    from loomstack_mcp.services.loops import LoopService
    from loomstack_mcp.services.notes import NoteService
    from loomstack_mcp.services.notices import NoticeService
    from loomstack_mcp.services.outcomes import OutcomeService
    from loomstack_mcp.services.policy import PolicyService
    from loomstack_mcp.services.refusals import RefusalService
    from loomstack_mcp.services.repos import RepoService
    from loomstack_mcp.services.runs import RunService
    from loomstack_mcp.services.session_steps import SessionService
    from loomstack_mcp.services.sightings import SightingService
    from loomstack_mcp.services.stranded import StrandedService
    from loomstack_mcp.services.tokens import Issuer, TokenService
    from loomstack_mcp.services.traces import TraceService
    from loomstack_mcp.services.undoings import UndoingService
    from loomstack_mcp.services.usage import UsageService
    from loomstack_mcp.services.watches import WatchService
    from loomstack_mcp.services.why import WhyService
    from loomstack_mcp.store.base import Store

    Service = TypeVar("Service")

    class ServiceMaker(Protocol):
        """What makes a service of a kind, or something that answers like one."""

        def __call__(self, name: str, kind: type[Service], /) -> Service:
            """The service that is called `name`."""


class Services:
    """The services over one store, or over a hub."""

    def __init__(self, made: "ServiceMaker") -> None:
        self._made = made

    @cached_property
    def repos(self) -> "RepoService":
        from loomstack_mcp.services.repos import RepoService

        return self._made("repos", RepoService)

    @cached_property
    def runs(self) -> "RunService":
        from loomstack_mcp.services.runs import RunService

        return self._made("runs", RunService)

    @cached_property
    def context(self) -> "ContextService":
        from loomstack_mcp.services.context import ContextService

        return self._made("context", ContextService)

    @cached_property
    def notes(self) -> "NoteService":
        from loomstack_mcp.services.notes import NoteService

        return self._made("notes", NoteService)

    @cached_property
    def claims(self) -> "ClaimService":
        from loomstack_mcp.services.claims import ClaimService

        return self._made("claims", ClaimService)

    @cached_property
    def edits(self) -> "EditClaims":
        from loomstack_mcp.services.edits import EditClaims

        return self._made("edits", EditClaims)

    @cached_property
    def outcomes(self) -> "OutcomeService":
        from loomstack_mcp.services.outcomes import OutcomeService

        return self._made("outcomes", OutcomeService)

    @cached_property
    def ledger(self) -> "LedgerService":
        from loomstack_mcp.services.ledger import LedgerService

        return self._made("ledger", LedgerService)

    @cached_property
    def attributions(self) -> "AttributionService":
        from loomstack_mcp.services.attributions import AttributionService

        return self._made("attributions", AttributionService)

    @cached_property
    def conflicts(self) -> "ConflictService":
        from loomstack_mcp.services.conflicts import ConflictService

        return self._made("conflicts", ConflictService)

    @cached_property
    def policy(self) -> "PolicyService":
        from loomstack_mcp.services.policy import PolicyService

        return self._made("policy", PolicyService)

    @cached_property
    def approvals(self) -> "ApprovalService":
        from loomstack_mcp.services.approvals import ApprovalService

        return self._made("approvals", ApprovalService)

    @cached_property
    def evidence(self) -> "EvidenceService":
        from loomstack_mcp.services.evidence import EvidenceService

        return self._made("evidence", EvidenceService)

    @cached_property
    def deploys(self) -> "DeployService":
        from loomstack_mcp.services.deploys import DeployService

        return self._made("deploys", DeployService)

    @cached_property
    def events(self) -> "EventService":
        from loomstack_mcp.services.events import EventService

        return self._made("events", EventService)

    @cached_property
    def stranded(self) -> "StrandedService":
        from loomstack_mcp.services.stranded import StrandedService

        return self._made("stranded", StrandedService)

    @cached_property
    def alerts(self) -> "AlertService":
        from loomstack_mcp.services.alerts import AlertService

        return self._made("alerts", AlertService)

    @cached_property
    def levers(self) -> "LeverService":
        from loomstack_mcp.services.levers import LeverService

        return self._made("levers", LeverService)

    @cached_property
    def live(self) -> "LiveService":
        from loomstack_mcp.services.live import LiveService

        return self._made("live", LiveService)

    @cached_property
    def loops(self) -> "LoopService":
        from loomstack_mcp.services.loops import LoopService

        return self._made("loops", LoopService)

    @cached_property
    def decisions(self) -> "DecisionService":
        from loomstack_mcp.services.decisions import DecisionService

        return self._made("decisions", DecisionService)

    @cached_property
    def sightings(self) -> "SightingService":
        from loomstack_mcp.services.sightings import SightingService

        return self._made("sightings", SightingService)

    @cached_property
    def sessions(self) -> "SessionService":
        from loomstack_mcp.services.session_steps import SessionService

        return self._made("sessions", SessionService)

    @cached_property
    def notices(self) -> "NoticeService":
        from loomstack_mcp.services.notices import NoticeService

        return self._made("notices", NoticeService)

    @cached_property
    def watches(self) -> "WatchService":
        from loomstack_mcp.services.watches import WatchService

        return self._made("watches", WatchService)

    @cached_property
    def commits(self) -> "CommitService":
        from loomstack_mcp.services.commits import CommitService

        return self._made("commits", CommitService)

    @cached_property
    def usage(self) -> "UsageService":
        from loomstack_mcp.services.usage import UsageService

        return self._made("usage", UsageService)

    @cached_property
    def why(self) -> "WhyService":
        from loomstack_mcp.services.why import WhyService

        return self._made("why", WhyService)

    @cached_property
    def blockers(self) -> "EditService":
        from loomstack_mcp.services.blockers import EditService

        return self._made("blockers", EditService)

    @cached_property
    def guards(self) -> "GuardService":
        from loomstack_mcp.services.guards import GuardService

        return self._made("guards", GuardService)

    @cached_property
    def refusals(self) -> "RefusalService":
        from loomstack_mcp.services.refusals import RefusalService

        return self._made("refusals", RefusalService)

    @cached_property
    def traces(self) -> "TraceService":
        from loomstack_mcp.services.traces import TraceService

        return self._made("traces", TraceService)

    @cached_property
    def undoings(self) -> "UndoingService":
        from loomstack_mcp.services.undoings import UndoingService

        return self._made("undoings", UndoingService)

    @cached_property
    def glances(self) -> "GlanceService":
        from loomstack_mcp.services.glances import GlanceService

        return self._made("glances", GlanceService)

    @cached_property
    def tokens(self) -> "TokenService":
        from loomstack_mcp.services.tokens import TokenService

        return self._made("tokens", TokenService)

    @cached_property
    def access(self) -> "Access":
        from loomstack_mcp.services.access import Access

        return self._made("access", Access)


def services_over(
    store: "Store",
    *,
    rework_max: int,
    issuer: "Callable[[], Issuer | None] | None" = None,
    is_memory: bool = False,
) -> "ServiceMaker":
    """What makes each service over a store.

    `issuer` makes the identity provider whose tokens count, where one does; `is_memory` where the store is what one
    machine remembers beside a hub.
    """
    more: dict[str, dict[str, Any]] = {"outcomes": {"rework_max": rework_max}, "sightings": {"is_memory": is_memory}}

    def made(name: str, kind: "type[Service]", /) -> "Service":
        making: Any = kind
        if name == "tokens":
            found: Service = making(store.private(), store, issuer() if issuer else None)
        elif name == "access":
            found = making(store.private(), store)
        else:
            found = making(store, **more.get(name, {}))
        return found

    return made
