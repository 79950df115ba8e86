"""The commits that an outcome names: whose they are, and which of them it can speak for."""

from collections.abc import Mapping, Sequence

from loomstack_mcp.core.outcomes import (
    MAKER,
    Role,
    SeenCommits,
    actual_role,
    not_made,
    uncounted,
    whole_shas,
    younger_commits,
)
from loomstack_mcp.core.records import record
from loomstack_mcp.core.runs import Caller, Run, is_surely_of
from loomstack_mcp.services import ledger
from loomstack_mcp.store.base import Tx

_Makers = Mapping[str, tuple[Run, ...]]
"""The runs that said to have made each commit."""


@record
class NamedWork:
    """What an outcome says of commits, and in which role it counts."""

    role: Role
    own: str
    """The run of the caller's own that is all it judges; "" where it judges another's, or may."""
    kept: tuple[str, ...]
    unbound: Mapping[str, str]
    """Commits that are not the maker's, and why."""
    left_out: Mapping[str, str]
    """Commits that a check cannot speak for, and why."""


def named_work(
    tx: Tx,
    caller: Caller,
    run: Run,
    maker: Run,
    commits: Sequence[str],
    seen: SeenCommits | None,
    *,
    role: Role,
) -> NamedWork:
    """What a run's outcome about `maker` names. Raises Invalid for a commit that a repository of `seen` has not."""
    if seen is not None and seen.repo_id != run.repo_id:
        seen = None
    named = tuple(commits) if seen is None else whole_shas(commits, seen)
    makers = {sha: ledger.makers_of(tx, run.repo_id, sha) for sha in named}
    mine = _own_commits(caller, makers) if run.checks_run else {}
    own = _own_run(caller, maker, mine, named) if run.checks_run else ""
    role = actual_role(role, checks_another=run.checks_run is not None, is_own_word=bool(own))
    unowned = _unowned(makers, seen, age_ms=tx.now_ms - run.started_at_ms) if run.checks_run else ()
    left_out = {} if own else uncounted(mine, unowned)
    unbound = _made_by_others(maker, makers)
    if seen is not None:
        unbound |= not_made(seen, maker.id, run_age_ms=tx.now_ms - maker.started_at_ms, by_maker=role == MAKER)
    kept = tuple(sha for sha in named if sha not in left_out)
    return NamedWork(role=role, own=own, kept=kept, unbound=unbound, left_out=left_out)


def _own_commits(caller: Caller, makers: _Makers) -> dict[str, str]:
    """Which of the commits that a check names the very agent that calls has made, and in which run."""
    return {sha: one.id for sha, found in makers.items() for one in found if is_surely_of(caller, one)}


def _own_run(caller: Caller, maker: Run, mine: Mapping[str, str], commits: Sequence[str]) -> str:
    """The caller's own run, where a check judges nothing else."""
    if is_surely_of(caller, maker):
        return maker.id
    return mine[commits[0]] if commits and len(mine) == len(commits) else ""


def _unowned(makers: _Makers, seen: SeenCommits | None, *, age_ms: int) -> tuple[str, ...]:
    """Which of the commits were made since a check began, by whom nobody said: it may be the checker itself."""
    young = younger_commits(seen, age_ms=age_ms) if seen is not None else ()
    return tuple(sha for sha, found in makers.items() if sha in young and not found)


def _made_by_others(maker: Run, makers: _Makers) -> dict[str, str]:
    """Which of the commits another loop's run has said to have made, and in words which: the first word counts."""
    others = ((sha, one) for sha, found in makers.items() for one in found if one.who != maker.who)
    return {sha: f"is {one.id}'s ({one.who})" for sha, one in others}
