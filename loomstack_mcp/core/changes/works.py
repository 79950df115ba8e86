"""What runs made, as a ledger asks for it and is told it, in batches of bounded size."""

from collections.abc import Iterable, Iterator, Sequence

from loomstack_mcp.core.changes.batches import batches
from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.imprints import Imprint, imprint
from loomstack_mcp.core.records import record
from loomstack_mcp.core.texts import encodable

_BATCH_MARKS_MAX = 20_000
"""A larger work is a batch of its own: an imprint of it is small beside what it changed."""
_BATCH_WORKS_MAX = 50
OLDER_MAX = 40
"""Commits that are kept as older than all that a run made."""


@record
class WantedWork:
    """What a ledger wants to see of a run, of which it knows no content yet."""

    run_id: str
    since_ms: int
    """When the run began, by the store's clock."""
    commits: tuple[str, ...] = ()
    """The commits that it said to have made, in as many digits as it said."""
    after_ms: tuple[int | None, ...] = ()
    """How long after that each of them was made; None where nobody saw it."""
    worktree: str = ""
    """Where it said nothing, the worktree in which it may have signed some."""


@record
class Work:
    """What commits did, one or those of a branch together, as far as it is needed to know it again."""

    shas: tuple[str, ...]
    at_ms: int
    hints: tuple[str, ...]
    """The runs that their messages name."""
    imprint: Imprint
    paths: tuple[str, ...]
    older: tuple[str, ...] = ()
    """The commits of late that were there before it, so that none of them is a form of it, whatever they did."""


@record
class RunWork:
    """What a clone has of what a run made; whose it is in truth, the ledger knows."""

    run_id: str
    commits: tuple[Work, ...] = ()
    """Those that it said to have made."""
    branches: tuple[Work, ...] = ()
    """The branches of these as wholes."""
    signed: tuple[Work, ...] = ()
    """What was made in its worktree and names it."""


def work_of(change: Change, shas: Sequence[str] = (), /, *, older: Sequence[str] = ()) -> Work:
    """What is needed to know a change again: a commit, or what the commits of those ids did together."""
    return Work(
        shas=tuple(shas) or (change.sha,),
        at_ms=change.at_ms,
        hints=change.hints,
        imprint=imprint(change.files, lists=change.lists),
        paths=tuple(dict.fromkeys(encodable(file.path) for file in change.files)),
        older=tuple(older),
    )


def older_than_all(made: Iterable[Sequence[str]], /) -> tuple[str, ...]:
    """The commits that were there before each of these works of a run: what one of them may have become is none.

    Once there is none, no more of the works are asked for.
    """
    works = iter(made)
    found = tuple(next(works, ()))
    while found and (one := next(works, None)) is not None:
        found = tuple(sha for sha in found if sha in one)
    return found[:OLDER_MAX]


def began_where_made(wanted: WantedWork, commits: Sequence[Change], /) -> int:
    """When the run began by the clock of the machine where it made these commits, as far as they tell."""
    told = zip(wanted.commits, wanted.after_ms, strict=False)  # an older hub tells of none
    seen = [(name, after_ms) for name, after_ms in told if after_ms is not None]
    began = (one.at_ms - after_ms for one in commits for name, after_ms in seen if one.sha.startswith(name))
    return min(began, default=wanted.since_ms)


def own_work(made: RunWork, /, *, its: set[str], others: set[str]) -> RunWork:
    """What of it is the run's: by the commits that it said to have made, `its`, and those that others did.

    A branch on which anybody else made a commit, as far as is known, is no run's as a whole.
    """
    run = {made.run_id}
    return RunWork(
        run_id=made.run_id,
        commits=tuple(one for one in made.commits if its.issuperset(one.shas)),
        branches=tuple(one for one in made.branches if run.issuperset(one.hints) and others.isdisjoint(one.shas)),
        signed=tuple(one for one in made.signed if made.run_id in one.hints and others.isdisjoint(one.shas)),
    )


def work_batches(works: Iterable[Work], /) -> Iterator[tuple[Work, ...]]:
    """The same in their order, as many at once as one call should carry."""
    return batches(
        works,
        size=lambda one: len(one.imprint.marks) + len(one.imprint.rest),
        size_max=_BATCH_MARKS_MAX,
        count_max=_BATCH_WORKS_MAX,
    )
