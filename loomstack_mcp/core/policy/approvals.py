"""Approvals: what a decision asks of people, who may answer it, and how long an answer holds."""

from collections.abc import Collection, Sequence
from typing import Literal

from loomstack_mcp.core.policy.rules import Approve, Point
from loomstack_mcp.core.records import record
from loomstack_mcp.core.runs import Run

ApprovalState = Literal["asked", "granted", "denied", "used", "expired"]
ApprovalVerdict = Literal["granted", "denied"]

_WAY: tuple[Point, ...] = ("mcp", "pretool", "pre-commit", "commit-msg", "pre-push", "pre-receive")
"""An action goes this way, forwards alone: an approval lets it through each of these points once."""


@record
class AskedRule:
    """A rule that wants an approval, as the question keeps it."""

    rule: str
    why: str
    at: str = ""
    by: tuple[str, ...]
    count: int = 1
    not_maker: bool = True


@record
class Approver:
    """A person who answers: by one name, with what else they are called, and their roles."""

    name: str
    names: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()

    @property
    def all_names(self) -> frozenset[str]:
        """All that they are called."""
        return frozenset((self.name, *self.names))

    def is_same(self, other: "Approver", /) -> bool:
        """Whether two are one person, also where one of them was not yet known by all their names."""
        return not self.all_names.isdisjoint(other.all_names)


@record
class ApprovalAnswer:
    """One person's answer."""

    who: str
    called: tuple[str, ...] = ()
    """What else they are called."""
    roles: tuple[str, ...] = ()
    verdict: ApprovalVerdict
    why: str = ""
    answered_at_ms: int

    @property
    def text(self) -> str:
        """In words."""
        return answer_text(self.verdict, self.who, self.why)

    @property
    def approver(self) -> Approver:
        """Who gave it."""
        return Approver(name=self.who, names=self.called, roles=self.roles)


@record
class Approval:
    """A question to people about exactly one action, with what became of it."""

    id: str
    repo_id: str
    decision_id: str
    run_id: str
    who: str
    point: Point
    actions: tuple[str, ...]
    shown: tuple[str, ...]
    digest: str
    head: str
    rules: tuple[AskedRule, ...]
    makers: tuple[str, ...]
    """The names of those who made it, when it was asked."""
    state: ApprovalState
    asked_at_ms: int
    until_ms: int
    """When an unanswered one is denied, and a granted one no longer holds."""
    used_at: str = ""
    """The last point that it let its action through."""
    answers: tuple[ApprovalAnswer, ...] = ()

    def state_at(self, now_ms: int) -> ApprovalState:
        """The state, with what time has done to it."""
        if now_ms < self.until_ms or self.state not in ("asked", "granted"):
            return self.state
        return "denied" if self.state == "asked" else "expired"


def answer_text(verdict: str, who: str, why: str, /) -> str:
    """`granted by dana: looked at it`."""
    return f"{verdict} by {who}: {why}" if why else f"{verdict} by {who}"


def lasts(used_at: str, point: Point, /) -> bool:
    """Whether an approval that was used there last lets its action through this point as well."""
    return not used_at or _rank(point) > _rank(used_at)


def may_answer(asked: AskedRule | Approve, approver: Approver, makers: Collection[str], /) -> bool:
    """Whether this person's word counts for the rule."""
    return not hindrance(asked, approver, makers)


def hindrance(asked: AskedRule | Approve, approver: Approver, makers: Collection[str], /) -> str:
    """Why this person's word does not count for the rule, in the second half of a sentence; "" where it does."""
    if _unnamed(asked, approver):
        roles = ", ".join(f"role:{role}" for role in approver.roles) or "none"  # as rules write it: without is a name
        return f"asks {' or '.join(asked.by)}, and you are {approver.name} with the roles: {roles}"
    if _is_maker(asked, approver, makers):
        return (
            f"asks somebody who did not make this, and it was made as {approver.name}. On one account a second person "
            "cannot be told, so it stays closed until somebody answers from another"
        )
    return ""


def is_whoevers(actions: Collection[str], /) -> bool:
    """Whether an action is known by its commit, so that an approval of it holds whoever carries it out."""
    return not {"push", "land", "deploy"}.isdisjoint(actions)


def is_one_asker(runs: Sequence[Run], /) -> bool:
    """Whether two runs are one asker: that of an agent's session, and one that the agent asked for there."""
    agents = {(run.principal, run.session, run.agent) for run in runs}
    return len(agents) == 1 and any(run.origin == "session" for run in runs)


def is_same_question(approval: Approval, asking: Sequence[AskedRule], /) -> bool:
    """Whether an earlier question of the same asker about the same content is the one that these rules ask now."""
    return _terms(approval.rules) == _terms(asking)


def missing(approval: Approval, /) -> dict[str, int]:
    """For each rule that is not satisfied yet, how many people more it wants."""
    return {asked.rule: left for asked in approval.rules if (left := asked.count - _given(approval, asked)) > 0}


def approval_advice(approval_id: str, refused: str = "", /) -> str:
    """What a refusal says of the question: whom to ask and how, or that the answer was no, or why none could
    be asked. "" where nobody can answer anything."""
    if refused:
        return f"{approval_id} {refused}".strip()
    return f"a person: loomstack-mcp approve {approval_id}" if approval_id else ""


def _terms(rules: Sequence[AskedRule]) -> set[tuple[str, tuple[str, ...], int, bool]]:
    return {(one.rule, one.by, one.count, one.not_maker) for one in rules}


def _given(approval: Approval, asked: AskedRule) -> int:
    granted = (one for one in approval.answers if one.verdict == "granted")
    return len({one.who for one in granted if may_answer(asked, one.approver, approval.makers)})


def _is_maker(asked: AskedRule | Approve, approver: Approver, makers: Collection[str]) -> bool:
    return asked.not_maker and not approver.all_names.isdisjoint(makers)


def _unnamed(asked: AskedRule | Approve, approver: Approver) -> bool:
    # A person called `role:lead` has no role by that.
    names = {name for name in approver.all_names if not name.startswith("role:")}
    return names.union(f"role:{role}" for role in approver.roles).isdisjoint(asked.by)


def _rank(point: str) -> int:
    return next((at for at, one in enumerate(_WAY) if one == point), len(_WAY) - 1)
