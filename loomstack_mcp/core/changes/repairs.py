"""What becomes of a loss: which later changes put it back, and what of it is still missing."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from loomstack_mcp.core.changes.hunks import Change, FileChange
from loomstack_mcp.core.changes.lines import weight
from loomstack_mcp.core.changes.undone import Undone
from loomstack_mcp.core.records import record

_SHARE_LEAST = 0.25
"""Who puts back less of a loss does not repair it: lines are alike by chance."""


@record
class Repair:
    """A later change that puts back what a reversal took."""

    change: Change
    share: float
    """The part of the loss, from 0 to 1."""
    purpose: float = 0.0
    """The part of the later change that does so, from 0 to 1."""


@dataclass(eq=False)
class FollowedLoss:
    """What one change took back of another, and what of that is still missing."""

    by: Change
    undone: Undone
    lost: Counter[int]
    """Lines that went, and are not back yet."""
    returned: Counter[int]
    """Lines that returned, and are still there."""
    said: int
    repairs: list[Repair] = field(default_factory=list)

    @property
    def missing(self) -> int:
        """How many lines are not as they were before the loss."""
        return self.lost.total() + self.returned.total()


class FollowedLosses:
    """The losses of a history, followed from change to change, each file through its renames."""

    def __init__(self) -> None:
        self._at: dict[str, list[FollowedLoss]] = defaultdict(list)

    def begin(self, by: Change, undone: Undone) -> FollowedLoss:
        """Follow what a change has just taken back of another."""
        lost, returned = Counter(undone.lost), Counter(undone.returned)
        said = weight((*undone.lost, *undone.returned))
        loss = FollowedLoss(by=by, undone=undone, lost=lost, returned=returned, said=said)
        for path in {place.by_path for place in undone.places}:
            self._at[path].append(loss)
        return loss

    def land(self, change: Change) -> None:
        """Hear of the next change: what it puts back, of whatever loss."""
        back: Counter[FollowedLoss] = Counter()
        for file in change.files:
            if file.old_path != file.path and file.old_path in self._at:
                self._at[file.path] += self._at[file.old_path]
            for loss in self._open(file.path):
                back[loss] += _put_back(loss, file)
        for loss, said in back.items():
            if loss.said and said >= _SHARE_LEAST * loss.said:
                all_said = sum(
                    weight(hunk.added) + weight(hunk.removed) for file in change.files for hunk in file.hunks
                )
                share, purpose = said / loss.said, said / max(1, all_said)
                told = Change(sha=change.sha, author=change.author, at_ms=change.at_ms, message=change.message)
                loss.repairs.append(Repair(change=told, share=min(1.0, share), purpose=min(1.0, purpose)))

    def _open(self, path: str) -> Iterator[FollowedLoss]:
        """Those with something missing; the others are not asked for again."""
        if path in self._at:
            self._at[path] = [loss for loss in self._at[path] if loss.missing]
            yield from dict.fromkeys(self._at[path])


def _put_back(loss: FollowedLoss, file: FileChange) -> int:
    """How much of a loss the change to one file puts back, in letters and digits."""
    come = _taken(loss.lost, (line for hunk in file.hunks for line in hunk.added))
    gone = _taken(loss.returned, (line for hunk in file.hunks for line in hunk.removed))
    return weight(come) + weight(gone)


def _taken(waiting: Counter[int], lines: Iterable[int]) -> list[int]:
    found = []
    for line in lines:
        if waiting.get(line):
            waiting[line] -= 1
            found.append(line)
    return found
