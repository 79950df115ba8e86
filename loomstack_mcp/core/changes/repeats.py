"""What of a branch has landed already by another commit: the same lines, added and removed in the same files."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal

from loomstack_mcp.core.changes.contents import (
    ChangeContent,
    ContentLine,
    contents,
    informative_lines,
    joined_content,
    landed_contents,
    said_by,
)
from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.records import record

LINES_LEAST = 3
"""Of fewer informative lines only the identical patch is known again: two people write the same line by chance."""
SHARE_LEAST = 0.8
_STANDING_LEAST = 0.5
"""Of what is alike, so much must still be there: what the target took back again may well be landed anew."""


@record
class Branch:
    """What may have landed already: all that a branch does, and its commits one by one."""

    base: str
    """The commit that it left the target at."""
    whole: Change | None = None
    """All of it, where it is more than its commits are together, or they were not read."""
    commits: tuple[Change, ...] = ()
    """Parents first."""


@record
class Repeat:
    """A landed change that has what a branch would land once more."""

    change: Change
    of: Literal["branch", "commits", "part"]
    """What has landed: the whole branch, some of its commits, or only lines among others, which are what landed."""
    commits: tuple[Change, ...] = ()
    share: float
    """How much of the branch, or of each of these commits, it has; of a part, how much of what landed that is."""
    paths: tuple[str, ...]
    """Where, by the names that the branch has."""


def repeats(branch: Branch, landed: Sequence[Change], /) -> tuple[Repeat, ...]:
    """Which of the changes that landed beside a branch it repeats, in their order.

    `landed` are those that it was not made on, parents first, as the ledger keeps them: without the lines that only
    moved. What landed, and was taken back again, is not there.
    """
    commits = contents(branch.commits)
    whole = contents([branch.whole])[0] if branch.whole else joined_content(commits)
    there = landed_contents(landed, wanted={line for piece in (whole, *commits) for _, _, line in piece.lines})
    has: dict[ChangeContent, list[ChangeContent]] = {}
    if best := _best(whole, there):
        has[best] = [whole]
    for piece in commits:
        best = _best(piece, there) if _stands(piece, whole) else None
        if best and has.setdefault(best, []) != [whole]:
            has[best].append(piece)
    found = ((one, has.get(one, [])) for one in there)
    return tuple(_repeat(one, whole, pieces) for one, pieces in found if pieces or _is_part_of(one, whole))


def landed_share(changes: Sequence[Change], landed: Sequence[Change], /) -> float:
    """How much of what some commits did together, each on the one before, landed changes have done, all of them.

    1 where they say nothing by which it could be told.
    """
    mine, there = joined_content(contents(changes)).lines, Counter[ContentLine]()
    for piece in landed_contents(landed, wanted={line for _, _, line in mine}):
        there.update(piece.lines)
    wanted = informative_lines(mine)
    return informative_lines(mine & there) / wanted if wanted else 1.0


def _stands(commit: ChangeContent, whole: ChangeContent) -> bool:
    """Whether the branch still has most of what one of its commits did."""
    return said_by(commit.lines & whole.lines) >= _STANDING_LEAST * commit.said


def _best(piece: ChangeContent, there: Sequence[ChangeContent]) -> ChangeContent | None:
    """The landed change that has the most of it, the latest of equals; None where none has enough."""
    found = [(share, number) for number, one in enumerate(there) if (share := _share(piece, one))]
    return there[max(found)[1]] if found else None


def _share(piece: ChangeContent, landed: ChangeContent) -> float:
    """How much of a piece has landed with another change: 0 where that is too little to be the same work."""
    alike, wanted = _alike(piece, landed), informative_lines(piece.lines)
    if wanted >= LINES_LEAST:
        share = informative_lines(alike) / wanted
        return share if share >= SHARE_LEAST and informative_lines(alike) >= LINES_LEAST else 0.0
    is_same = alike == piece.lines == landed.lines and (piece.words, piece.said) == (landed.words, landed.said)
    return float(wanted > 0 and is_same)


def _alike(piece: ChangeContent, landed: ChangeContent) -> Counter[ContentLine]:
    """The lines that both have; none where most of these do not stand any more."""
    alike = piece.lines & landed.lines
    return alike if said_by(alike - landed.gone) >= _STANDING_LEAST * said_by(alike) else Counter()


def _is_part_of(landed: ChangeContent, whole: ChangeContent) -> bool:
    """Whether the branch has nearly all of it."""
    alike = _alike(whole, landed)
    return informative_lines(alike) >= LINES_LEAST and said_by(alike) >= SHARE_LEAST * landed.said


def _repeat(landed: ChangeContent, whole: ChangeContent, pieces: Sequence[ChangeContent]) -> Repeat:
    shares = [_share(piece, landed) for piece in pieces] or [said_by(_alike(whole, landed)) / landed.said]
    return Repeat(
        change=landed.change,
        of="branch" if pieces == [whole] else "commits" if pieces else "part",
        commits=tuple(piece.change for piece in pieces if piece is not whole),
        share=min(1.0, *shares),
        paths=tuple(sorted({path for piece in pieces or [whole] for path in _paths(piece, _alike(piece, landed))})),
    )


def _paths(piece: ChangeContent, lines: Iterable[ContentLine]) -> set[str]:
    return {piece.paths[first] for first, _, _ in lines}
