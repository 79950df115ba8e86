"""record_outcome."""

from typing import Any, TypedDict

from loomstack_mcp.core.outcomes import CheckCounts, OutcomeResult, Role, Status
from loomstack_mcp.core.phrases import lean
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.server import answers
from loomstack_mcp.server.call import Call


class ChecksArgument(TypedDict, total=False):
    passed: int
    failed: int
    failing: list[str]


class OutcomeAnswer(TypedDict, total=False):
    outcome: str
    attempt: int
    rework: int
    next: dict[str, Any]
    released: list[str]
    warnings: list[str]
    alerts: answers.Items


def record_outcome(
    call: Call,
    *,
    run: str = "",
    status: Status,
    summary: str,
    role: Role = "maker",
    checks: ChecksArgument | None = None,
    tried: str = "",
    finding: str = "",
    commits: list[str] | None = None,
    links: dict[str, str] | None = None,
) -> OutcomeAnswer:
    """Report the result (outcome, progress) of an attempt; next says what to do. passed: your tests pass,
    the run goes on; done (finished) and abandoned end it and release its claims. commits: full shas you made,
    so that nobody undoes them unseen. tried: what did not work. finding: the ticket or bug it settles.
    links: name to URL, such as pr. role=checker records about the run named by checks_run."""
    face = call.face
    counted = checks or {}

    def record(caller: Caller) -> OutcomeResult:
        result = face.loom.outcomes.record(
            caller,
            run,
            status=status,
            summary=summary,
            role=role,
            checks=CheckCounts(
                passed=counted.get("passed", 0),
                failed=counted.get("failed", 0),
                failing=tuple(counted.get("failing", ())),
            ),
            tried=tried,
            finding=finding,
            commits=commits or [],
            seen=face.seen_commits(commits) if commits else None,
            links=links or {},
        )
        if commits:
            face.keep_imprints()
        return result

    if commits:
        face.catch_up()
    return outcome_answer(call.service(record))


def outcome_answer(result: OutcomeResult) -> OutcomeAnswer:
    """How often it was tried, and what comes next."""
    step = {"action": result.next.action, "why": result.next.why, "carry": list(result.next.carry)}
    return {
        "outcome": result.outcome.id,
        "attempt": result.outcome.attempt,
        "rework": result.outcome.rework,
        "next": dict(lean(step)),
        "released": list(result.released),
        "warnings": list(result.warnings),
        "alerts": answers.alert_items(result.alerts),
    }
