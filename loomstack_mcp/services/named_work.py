"""The commits that an outcome names: whose they are, and which of them it can speak for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
from loomstack_mcp.core.runs import Caller, Run, is_surely_of
from loomstack_mcp.services import ledger
from loomstack_mcp.store.base import Tx


@dataclass(frozen=True, kw_only=True)
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
    mine = _own_commits(tx, caller, run, named)
    own = _own_run(caller, run, maker, mine, named)
    role = actual_role(role, checks_another=run.checks_run is not None, is_own_word=bool(own))
    left_out = {} if own else uncounted(mine, _unowned(tx, run, named, seen))
    return NamedWork(
        role=role,
        own=own,
        kept=tuple(sha for sha in named if sha not in left_out),
        unbound=_unbound(tx, maker, named, seen, by_maker=role == MAKER),
        left_out=left_out,
    )


def _own_commits(tx: Tx, caller: Caller, run: Run, commits: Sequence[str]) -> dict[str, str]:
    """Which of the commits that a check names the very agent that calls has made, and in which run."""
    if run.checks_run is None:
        return {}
    makers = {sha: ledger.makers_of(tx, run.repo_id, [sha]) for sha in commits}
    return {sha: one.id for sha, found in makers.items() for one in found if is_surely_of(caller, one)}


def _own_run(caller: Caller, run: Run, maker: Run, mine: Mapping[str, str], commits: Sequence[str]) -> str:
    if run.checks_run is None:
        return ""
    if is_surely_of(caller, maker):
        return maker.id
    return mine[commits[0]] if commits and len(mine) == len(commits) else ""


def _unowned(tx: Tx, run: Run, commits: Sequence[str], seen: SeenCommits | None) -> tuple[str, ...]:
    """Which of the commits were made while a run checked, by whom nobody said: it may be the checker itself."""
    if seen is None or run.checks_run is None:
        return ()
    young = younger_commits(seen, age_ms=tx.now_ms - run.started_at_ms)
    return tuple(sha for sha in commits if sha in young and not ledger.makers_of(tx, run.repo_id, [sha]))


def _unbound(tx: Tx, maker: Run, commits: Sequence[str], seen: SeenCommits | None, *, by_maker: bool) -> dict[str, str]:
    found = ledger.made_by_others(tx, maker, commits)
    if seen is not None:
        found |= not_made(seen, maker.id, run_age_ms=tx.now_ms - maker.started_at_ms, by_maker=by_maker)
    return found
