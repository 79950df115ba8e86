"""The ledger filled from a clone: it says what it lacks and what it wants to see, and is told that in batches."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from loomstack_mcp.adapters.git.made_work import MadeWork
from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.landings import landed_parts, landing_batches
from loomstack_mcp.core.changes.works import (
    RunWork,
    WantedWork,
    began_where_made,
    older_than_all,
    work_batches,
    work_of,
)
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.services.ledger import LedgerService


def keep_imprints(ledger: LedgerService, checkout: Checkout, clone: MadeWork) -> None:
    """Keep the content of what runs said to have made, as far as this clone has it, to know it again."""
    for wanted in ledger.wanted_work(checkout):
        if commits := clone.named_changes(wanted.commits):
            for work in _run_works(wanted, commits, clone):
                ledger.keep_work(checkout, work, key_name=clone.key_name)


def fill_ledger(
    ledger: LedgerService,
    checkout: Checkout,
    history: Sequence[Change],
    *,
    since_ms: int,
    is_trunk: bool = True,
    read: Callable[[Sequence[str]], Iterable[Change]],
    clone: MadeWork | None = None,
) -> int:
    """Tell the ledger what it lacks of a history; `read` says what those commits changed. Returns how many came.

    What `read` leaves out stays unknown. What landed before `since_ms`, the start of the window, is forgotten.
    `clone` says what runs signed that recorded nothing.
    """
    lacking = ledger.lacking(checkout, [change.sha for change in history], since_ms=since_ms, is_trunk=is_trunk)
    if not lacking:
        return 0
    landed_at_ms = {change.sha: change.at_ms for change in history}
    parts = (part for change in read(lacking) for part in landed_parts(change, at_ms=landed_at_ms[change.sha]))
    came, named = 0, clone.key_name if clone else ""
    for batch in landing_batches(parts):
        if clone and (hints := [run for part in batch if part.imprint for run in part.hints]):
            keep_signed(ledger, checkout, hints, clone)
        came += ledger.take_in(checkout, batch, is_trunk=is_trunk, key_name=named)
    ledger.forget_before(checkout, since_ms=since_ms)
    return came


def keep_signed(ledger: LedgerService, checkout: Checkout, hints: Sequence[str], clone: MadeWork) -> None:
    """Of the runs that messages name and that recorded nothing, what they signed in their own worktrees."""
    for wanted in ledger.wanted_signed(checkout, hints):
        made = clone.signed_in(wanted.worktree, wanted.run_id) if wanted.worktree else ()
        older = older_than_all(clone.older(one.sha, since_ms=wanted.since_ms) for one in made)
        for batch in work_batches(work_of(one, older=older) for one in made):
            ledger.keep_work(checkout, RunWork(run_id=wanted.run_id, signed=batch), key_name=clone.key_name)


def _run_works(wanted: WantedWork, commits: Sequence[Change], clone: MadeWork) -> Iterator[RunWork]:
    """What is there of a run's commits and their branches; together, where that is not much."""
    began_ms = began_where_made(wanted, commits)
    branches = clone.branches(commits, since_ms=began_ms)
    older = older_than_all(clone.older(one.sha, since_ms=began_ms) for one in commits)
    wholes = [work_of(one.change, one.shas, older=older) for one in branches]
    left = len(wholes)
    for batch in work_batches([*wholes, *(work_of(one, older=older) for one in commits)]):
        yield RunWork(run_id=wanted.run_id, branches=batch[:left], commits=batch[left:])
        left = max(0, left - len(batch))
