"""Approving and denying in a page: who that is to the rules, and what stands in the way."""

from collections.abc import Callable
from typing import Protocol

from loomstack_mcp.core.errors import Invalid, LoomError
from loomstack_mcp.core.policy.approvals import Approval, ApprovalVerdict, Approver, hindrance
from loomstack_mcp.core.policy.known import USUAL_ROLES
from loomstack_mcp.edge.approver import approver_here
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import Loom
from loomstack_mcp.server.ui.visits import Visitor

_ROLES_UNKNOWN = "the hub sees no clone, and knows no roles of people.yaml: in a clone, `loomstack-mcp approve {}`"


class Deciders(Protocol):
    """How a visitor's word becomes an answer."""

    def judge(self, visitor: Visitor, repo_id: str) -> Callable[[Approval], str]:
        """What says of a question why it is not for this visitor to answer; "" where it is."""

    def answer(self, visitor: Visitor, asked: Approval, verdict: ApprovalVerdict, *, why: str) -> Approval:
        """The answer, kept. Raises LoomError."""


class HubDeciders:
    """By a token: the name of its owner, and the role that all have. Who decides at an edge reads the roles again."""

    def __init__(self, loom: Loom) -> None:
        self._loom = loom

    def judge(self, visitor: Visitor, repo_id: str) -> Callable[[Approval], str]:  # noqa: ARG002 as `Deciders`
        """As `Deciders`."""
        who = Approver(name=visitor.name, roles=USUAL_ROLES)

        def judged(asked: Approval) -> str:
            if visitor.why_not or not (problem := answer_problem(asked, who)):
                return visitor.why_not
            return f"{problem}; {_ROLES_UNKNOWN.format(asked.id)}"

        return judged

    def answer(self, visitor: Visitor, asked: Approval, verdict: ApprovalVerdict, *, why: str) -> Approval:
        """As `Deciders`."""
        assert visitor.principal
        if problem := self.judge(visitor, asked.repo_id)(asked):
            raise Invalid(f"{problem}; nothing was recorded")
        who = Approver(name=visitor.name, roles=USUAL_ROLES)
        told = {"approval_id": asked.id, "approver": who, "verdict": verdict, "why": why}
        with self._loom.access.entered(visitor.principal, "approvals.answer", told) as entered:
            answered: Approval = entered.shown(self._loom.approvals.answer(**entered.arguments))
            return answered


class LocalDeciders:
    """As the person of this account, by the people.yaml of the clone in which `ui` was started."""

    def __init__(self, here: Here, loom: Loom, *, repo_id: str) -> None:
        self._here, self._loom, self._repo_id = here, loom, repo_id

    def judge(self, visitor: Visitor, repo_id: str) -> Callable[[Approval], str]:
        """As `Deciders`."""
        if problem := visitor.why_not or self._elsewhere(repo_id):
            return lambda _: problem
        try:
            who = approver_here(self._here, self._loom, visitor.name)
        except LoomError as error:
            said = str(error)
            return lambda _: said
        return lambda asked: answer_problem(asked, who)

    def answer(self, visitor: Visitor, asked: Approval, verdict: ApprovalVerdict, *, why: str) -> Approval:
        """As `Deciders`."""
        if problem := self._elsewhere(asked.repo_id):
            raise Invalid(problem)
        who = approver_here(self._here, self._loom, visitor.name)
        return self._loom.approvals.answer(asked.id, who, verdict, why=why)

    def _elsewhere(self, repo_id: str) -> str:
        if repo_id == self._repo_id:
            return ""
        return f"this is of {repo_id}: start `loomstack-mcp ui` in a clone of it, whose trunk says who you are"


def answer_problem(asked: Approval, who: Approver, /) -> str:
    """Why a person's word counts for no rule of a question, as far as their name and roles tell; "" where it may."""
    if any(one.approver.is_same(who) for one in asked.answers):
        return f"{who.name} has answered {asked.id} already, and it wants somebody else"
    wrong = [f"{rule.rule} {problem}" for rule in asked.rules if (problem := hindrance(rule, who, asked.makers))]
    return "; ".join(wrong) if len(wrong) == len(asked.rules) else ""
