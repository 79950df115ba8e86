"""check_conflicts."""

from dataclasses import replace
from typing import Any, TypedDict

from loomstack_mcp.core.phrases import lean
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.core.views import agreement_shown, conflict_shown
from loomstack_mcp.server import answers
from loomstack_mcp.server.call import Call
from loomstack_mcp.services.conflicts import ConflictResult

_CONFLICTS_MAX = 8


class ConflictAnswer(TypedDict, total=False):
    verdict: str
    conflicts: answers.Items
    more: int
    agreed: answers.Items
    checked: dict[str, Any]
    unchecked: list[str]
    alerts: answers.Items


def check_conflicts(call: Call, *, run: str = "", base: str = "", worktree: str = "") -> ConflictAnswer:
    """Before you land (merge, push, pull request): what your branch and worktree would take back or
    undo of what others landed, also where git sees no conflict. stop: do not land, do what each
    conflict says. base: default the trunk. worktree: another one of yours."""
    face = call.face

    def check(caller: Caller) -> ConflictAnswer:
        stand = face.standpoints.of(caller, worktree)
        if not stand.is_meant:  # nothing was looked at, which is never clear
            return {"verdict": "warn", "unchecked": list(stand.unchecked)}
        proposal = face.proposal(stand.seen, base)
        gaps = (*stand.unchecked, *face.unseen_edits(caller, stand.seen))
        proposal = replace(proposal, unchecked=(*proposal.unchecked, *gaps))
        result = face.loom.conflicts.check_run(caller, run, proposal)
        face.see_edits(caller, stand.seen)
        return conflict_answer(result, worktree=stand.seen.one_of_several)

    return call.service(check)


def conflict_answer(result: ConflictResult, *, worktree: str = "") -> ConflictAnswer:
    """The verdict, with as many conflicts as a model needs to act, and which of several worktrees it is about."""
    shown = result.conflicts[:_CONFLICTS_MAX]
    bodies = [dict(lean(conflict_shown(one, target=result.target, now_ms=result.now_ms))) for one in shown]
    answer: ConflictAnswer = {
        "verdict": result.verdict,
        "conflicts": bodies,
        "agreed": [dict(agreement_shown(one)) for one in result.agreements[:_CONFLICTS_MAX]],
        "checked": dict(
            lean(
                {
                    "worktree": worktree,
                    "against": result.target,
                    "changes": result.changes,
                    "nothing": result.nothing,
                    "repairs": result.repairs[:_CONFLICTS_MAX],
                    "ms": result.ms,
                }
            )
        ),
        "unchecked": list(result.unchecked),
        "alerts": answers.alert_items(result.alerts),
    }
    if more := len(result.conflicts) - len(shown):
        answer["more"] = more
    return answer
