"""Outcomes: what a run records of an attempt, how often it was sent back, and what comes next."""

import re
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.events import Alert
from loomstack_mcp.core.limits import COUNT_MAX
from loomstack_mcp.core.phrases import counted
from loomstack_mcp.core.records import record
from loomstack_mcp.core.texts import within

Status = Literal["passed", "failed", "done", "blocked", "abandoned"]
Role = Literal["maker", "checker", "reviewer", "build", "scan"]
NextAction = Literal["retry", "check", "land", "escalate", "take_next", "stop"]

STATUSES: tuple[Status, ...] = get_args(Status)
ENDING: tuple[Status, ...] = ("done", "abandoned")
"""A maker's outcome with one of these ends its run and releases its claims."""
PASSING: tuple[Status, ...] = ("passed", "done")
MAKER: Role = "maker"
CHECKER: Role = "checker"
ROLES: tuple[Role, ...] = get_args(Role)
"""All but the maker record about the run that theirs checks."""
_CLOCKS_MS = 5_000
"""Git dates commits to the second, and a run may start while its first commit is being made."""
_BEFORE_LANDING = "check_conflicts first, and land unless it says stop; then record_outcome(done, commits)"
_SHA = re.compile(r"[0-9a-fA-F]{7,64}")


@record
class CheckCounts:
    """What was checked in this attempt."""

    passed: int = 0
    failed: int = 0
    failing: tuple[str, ...] = ()


@record
class MadeCommit:
    """A commit as the repository knows it."""

    sha: str
    age_ms: int = 0
    by: str = ""
    is_ours: bool = True
    """Whether the checkout's user wrote or committed it, as far as it has one."""
    runs: tuple[str, ...] = ()
    """Those that its `Loom-Run` trailers name."""


@record
class SeenCommits:
    """What a repository knows of commits that an outcome names, by the names."""

    repo_id: str
    made: Mapping[str, MadeCommit]
    problems: Mapping[str, str]


@record
class NextStep:
    """What the loop does now, and what it takes along."""

    action: NextAction
    why: str
    carry: tuple[str, ...] = ()


@record
class Outcome:
    """One recorded attempt. `about_run` is the maker's run; a checker records about the run it checks."""

    id: str
    repo_id: str
    run_id: str
    about_run: str
    seq: int
    role: Role
    status: Status
    summary: str
    passed: int
    failed: int
    failing: tuple[str, ...]
    tried: str
    finding: str
    commits: tuple[str, ...]
    links: Mapping[str, str]
    attempt: int
    rework: int
    next_action: NextAction
    recorded_at_ms: int

    @property
    def is_evidence(self) -> bool:
        """Whether somebody other than the maker passed it, by checks that were counted."""
        return self.role != MAKER and self.status in PASSING and self.passed > 0


@record
class OutcomeResult:
    """The outcome as recorded, and the next step."""

    outcome: Outcome
    next: NextStep
    released: tuple[str, ...] = ()
    """Claims that ended with the run."""
    warnings: tuple[str, ...] = ()
    """What of it does not count, in sentences."""
    alerts: tuple[Alert, ...] = ()


def checked(status: Status, checks: CheckCounts, /) -> None:
    """Raises Invalid where status and counts cannot both be true, LimitExceeded for more than can be counted."""
    within("checks.passed", checks.passed, least=0, most=COUNT_MAX)
    within("checks.failed", checks.failed, least=0, most=COUNT_MAX)
    if status in ("passed", "done") and (checks.failed or checks.failing):
        count = checks.failed or len(checks.failing)
        raise Invalid(
            f"status {status} with {counted(count, 'failed check')}: record status=failed, or correct the checks"
        )
    if checks.failing and checks.failed and len(checks.failing) > checks.failed:
        raise Invalid(
            f"checks.failing names {counted(len(checks.failing), 'check')} but checks.failed says {checks.failed}"
        )


def known_role(role: str, /) -> None:
    """Raises Invalid for a role that is none."""
    if role not in ROLES:
        raise Invalid(f"role {role[:40]!r} is none of {', '.join(ROLES)}")


def actual_role(role: Role, /, *, checks_another: bool, is_own_word: bool) -> Role:
    """In which role an outcome counts, whatever it calls itself: who made a change does not check it."""
    if is_own_word:
        return MAKER
    return CHECKER if checks_another and role == MAKER else role


def shas(commits: Sequence[str], /) -> tuple[str, ...]:
    """The commits in lower case. Raises Invalid for what is no sha, of seven digits at least."""
    for commit in commits:
        if not _SHA.fullmatch(commit):
            raise Invalid(f"commits holds {commit[:40]!r}, which is no sha; git rev-parse HEAD prints one")
    return tuple(commit.lower() for commit in commits)


def whole_shas(commits: Sequence[str], seen: SeenCommits, /) -> tuple[str, ...]:
    """The commits by their whole ids. Raises Invalid, naming it, for one that the repository has not, or has twice."""
    for name in commits:
        if name in seen.problems:
            raise Invalid(f"commits holds {name}, which {seen.problems[name]}; nothing was recorded")
    return tuple(dict.fromkeys(seen.made[name].sha for name in commits))


def not_made(seen: SeenCommits, run_id: str, /, *, run_age_ms: int, by_maker: bool) -> dict[str, str]:
    """Which of the commits the run cannot have made, and why: older than it, another run's by trailer, or another's.

    Whoever checks names the commits of others.
    """
    found = {}
    for one in seen.made.values():
        if one.age_ms > run_age_ms + _CLOCKS_MS:
            found[one.sha] = "is older than the run"
        elif one.runs and run_id not in one.runs:
            found[one.sha] = f"carries the trailer of {one.runs[0]}"
        elif by_maker and not one.is_ours:
            found[one.sha] = f"was committed by {one.by}"
    return found


def commit_ages(seen: SeenCommits, /) -> dict[str, int]:
    """How old each of the commits was where it was seen, by its whole id."""
    return {one.sha: one.age_ms for one in seen.made.values()}


def younger_commits(seen: SeenCommits, /, *, age_ms: int) -> frozenset[str]:
    """Which of the commits are surely younger than that."""
    return frozenset(one.sha for one in seen.made.values() if one.age_ms + _CLOCKS_MS < age_ms)


def uncounted(mine: Mapping[str, str], unowned: Sequence[str], /) -> dict[str, str]:
    """Commits that a check cannot speak for, and why: `mine` its own agent made, by the run; `unowned` it may have."""
    may_be = "was made after this check began, and no maker recorded it (its maker does, then check again)"
    return dict.fromkeys(unowned, may_be) | {sha: f"is of {run_id}, your own run" for sha, run_id in mine.items()}


def outcome_warnings(
    outcome: Outcome, unbound: Mapping[str, str], left_out: Mapping[str, str], /, *, own: str
) -> tuple[str, ...]:
    """What of an outcome does not count: commits that are not the run's, a check by its maker, or of nothing.

    `left_out` are commits that the check cannot speak for; `own` is the caller's own run that it judges, "" for none.
    """
    told = [f"{sha[:12]} {why}: not kept, no evidence" for sha, why in left_out.items()]
    told += [
        f"{sha[:12]} {why}: kept, but not bound to {outcome.about_run}"
        for sha, why in unbound.items()
        if sha not in left_out
    ]
    if own:
        told.append(f"no evidence: {own} is your own run; let another agent check it, or another session")
    elif outcome.role != MAKER and outcome.status in PASSING and not left_out:
        told += _missing(outcome)
    return tuple(told)


def _missing(outcome: Outcome, /) -> list[str]:
    """What a check that passed lacks to be evidence."""
    if not outcome.is_evidence:
        return [f"no evidence: this {outcome.role} reports no checks; record again with checks={{passed, failed}}"]
    if not outcome.commits:
        return [f"no evidence for any commit: record again with commits=[what this {outcome.role} looked at]"]
    return []


def next_step(
    *,
    status: Status,
    is_checker: bool,
    checks: CheckCounts,
    rework: int,
    verified: bool,
    has_finding: bool,
    rework_max: int,
    speaks: bool = True,
) -> NextStep:
    """What comes after an outcome. `rework` counts this one; `verified`: a checker passed all of the latest attempt;
    `speaks`: a check counts for one commit at least of those that it names, where it names any.

    A check that counted nothing passes nothing. The maker's own word is not evidence, so what the maker calls passed
    is checked by another run.
    """
    score = f"{checks.passed}/{checks.passed + checks.failed} checks passed"
    if status == "blocked":
        return NextStep(action="escalate", why="blocked: a person has to decide", carry=checks.failing)
    if status == "abandoned":
        return _following(has_finding, "abandoned")
    if status == "failed":
        if rework > rework_max:
            why = f"{score}; rework round {rework} is past the limit of {rework_max}: a person takes over"
            return NextStep(action="escalate", why=why, carry=checks.failing)
        who = "the maker mends these" if is_checker else "mend these"
        return NextStep(
            action="retry", why=f"{score}; rework round {rework} of {rework_max}: {who}", carry=checks.failing
        )
    if is_checker and not checks.passed:
        return NextStep(action="check", why="no checks were counted, which is no evidence: check it, and record again")
    if is_checker and not speaks:
        return NextStep(action="check", why="this check speaks for none of these commits, as the warnings say")
    if is_checker:
        why = f"{score} by someone other than the maker; check_conflicts first, land unless it says stop"
        return NextStep(action="land", why=why)
    if status == "done":
        return _following(has_finding, "done")
    if verified:
        return NextStep(action="land", why=f"a checker passed it; {_BEFORE_LANDING}")
    return NextStep(action="check", why="another run has to check it: checks_run")


def _following(has_finding: bool, what: str) -> NextStep:
    if has_finding:
        return NextStep(action="take_next", why=f"{what}: this finding is settled")
    return NextStep(action="stop", why=f"{what}: the run has ended")
