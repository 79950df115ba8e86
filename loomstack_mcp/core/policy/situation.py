"""What is about to happen, by whom, and what is known of it: the facts that rules are held against."""

from collections.abc import Callable
from dataclasses import field
from functools import cached_property
from typing import Literal

from loomstack_mcp.core.patterns.globs import literal
from loomstack_mcp.core.patterns.typed import EVERYTHING
from loomstack_mcp.core.policy.looks import Looks, NoLooks
from loomstack_mcp.core.policy.rules import FINAL, ActionKind, ActorKind, EvidenceKind, Point, RefChange
from loomstack_mcp.core.records import record
from loomstack_mcp.core.shell.effects import ShellReading
from loomstack_mcp.core.texts import encodable


@record
class Actor:
    """Who acts; None is unknown."""

    kind: ActorKind | None = None
    loop: str | None = None
    developer: str | None = None
    agent: str | None = None
    roles: tuple[str, ...] | None = None
    names: tuple[str, ...] = ()
    """What else the developer is called."""


@record
class Touched:
    """A path that the action touches, as it was spelled or as it really is, relative to the root."""

    path: str
    is_folder: bool = False
    """Whether everything below it is touched as well."""
    shapes: tuple[str, ...] = ()
    """The patterns of claims by which its files were named; none where any of them may be meant."""

    @property
    def pattern(self) -> str:
        """What is touched, as the pattern of a claim; the root, which has no name, is everything."""
        # A name that is no UTF-8 is claimed as it is spelled out.
        return literal(encodable(self.path)) + ("/" if self.is_folder else "") if self.path else EVERYTHING


@record
class EvidenceFact:
    """A checked fact about a commit, as it was recorded."""

    kind: EvidenceKind
    passed: bool
    by: str
    commit: str
    at_ms: int


@record
class ApprovalFact:
    """A person's answer for exactly this content."""

    rule: str
    by: str
    names: tuple[str, ...] = ()
    """What else that person is called."""
    roles: tuple[str, ...] = ()
    commit: str = ""
    digest: str = ""
    until_ms: int | None = None
    approval: str = ""
    """The id of the question that was answered; "" where none was kept."""


@record
class ClaimFacts:
    """What is held near the paths: by those who act, and exclusively by others."""

    own: tuple[str, ...] = ()
    others: tuple[tuple[str, str, str], ...] = ()
    """Pattern, who, intent."""
    ignore_case: bool = False
    """Whether letter case tells no two of the repository's paths apart."""


@record
class LostIntent:
    """One intentional change that this one takes back, or replaces."""

    commit: str
    who: str
    intent: str
    paths: tuple[str, ...]
    how: Literal["undoes", "overrides"]


@record
class Situation:
    """An action at a point. What is None is not known here."""

    point: Point
    actions: frozenset[ActionKind]
    now_ms: int
    actor: Actor = field(default_factory=Actor)
    repo: str | None = None
    branch: str | None = None
    environment: str | None = None
    tool: str | None = None
    touched: tuple[Touched, ...] | None = None
    outside: tuple[str, ...] = ()
    """Paths that lead out of the repository."""
    head: str = ""
    """The commit that evidence and approvals have to be about."""
    digest: str = ""
    """Of exactly what is about to happen (`core/policy/digests.py`): what an approval is for. "": none can be asked."""
    shown: tuple[str, ...] = ()
    """The same for a person who approves it, in lines."""
    unshown: str = ""
    """Why it cannot be shown, so that nobody can be asked."""
    message: str | None = None
    refs: frozenset[RefChange] | None = None
    rework: int | None = None
    retries: int | None = None
    cost_usd: float | None = None
    work_item: str | None = None
    evidence: tuple[EvidenceFact, ...] | None = None
    approvals: tuple[ApprovalFact, ...] = ()
    makers: frozenset[str] = frozenset()
    claims: ClaimFacts | None = None
    undoing: Callable[[], tuple[LostIntent, ...]] | None = None
    reading: ShellReading | None = None
    """The shell line as read; None where the action is no command."""
    unloadable: tuple[str, ...] = ()
    """What of the rules and settings would not load afterwards, `file:line: key: what is wrong`."""
    looks: Looks = field(default_factory=NoLooks)
    """What reading files would tell, as far as somebody can read them."""

    @cached_property
    def files(self) -> tuple[str, ...]:
        """The touched paths that are no folders."""
        return tuple(one.path for one in self.touched or () if not one.is_folder)

    @property
    def is_final(self) -> bool:
        """Whether this point is the last that asks, so that nothing may stay unknown."""
        return self.point in FINAL
