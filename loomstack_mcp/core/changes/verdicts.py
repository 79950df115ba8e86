"""What a reversal means: allowed, worth a warning, or to be stopped."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.manifests import is_manifest
from loomstack_mcp.core.changes.openly import merges_release, names_what_goes, removes_openly
from loomstack_mcp.core.changes.people import is_bot
from loomstack_mcp.core.changes.repairs import Repair
from loomstack_mcp.core.changes.reversals import Undone
from loomstack_mcp.core.limits import DAY_MS, HOUR_MS

Verdict = Literal["clear", "warn", "stop"]
Kind = Literal["undo", "stale_base", "ping_pong"]

RECENT_MS = 14 * DAY_MS
"""How fresh a landed change is while taking back three hunks of it, or a large one, is stopped."""
STOP_HUNKS = 3
_SHARE = 0.05
_MOST = 0.25
"""The least part of a landed change that is worth a stop: of the last week, and of the week before."""
# The rest is in letters and digits of lines that go or return.
_LINE = 20
_HUNKS_SAY = 100
_TURNED = 150
_UNRELATED_MS = 12 * HOUR_MS
"""Changes of one author that lie further apart than this are no single piece of work."""


State = Literal["missing", "restored", "agreed"]


@dataclass(frozen=True, kw_only=True)
class Reversal:
    """A change that takes back others."""

    change: Change
    kind: Kind
    verdict: Verdict
    undoes: tuple[Undone, ...]
    agreed: tuple[bool, ...]
    """For each of `undoes`: whether those concerned agreed to it, so far as is known."""
    lost: int = 0
    """Lines taken back without agreement."""
    missing: int = 0
    """Those of them that are not back yet, at the newest commit that was looked at."""
    repairs: tuple[Repair, ...] = ()
    """In the order of landing."""
    manifests: bool = False
    """Whether only versions and manifests are set back."""

    @property
    def silent(self) -> tuple[Undone, ...]:
        """What is taken back without agreement."""
        return tuple(undone for undone, agreed in zip(self.undoes, self.agreed, strict=True) if not agreed)

    @property
    def missing_share(self) -> float:
        """The part of what was taken back that is still missing, from 0 to 1."""
        return self.missing / self.lost if self.lost else 0.0

    @property
    def state(self) -> State:
        """What has become of the case."""
        if self.verdict == "clear":
            return "agreed"
        return "missing" if self.missing or not self.repairs else "restored"

    @property
    def age_ms(self) -> int:
        """How long the newest of the changes taken back had stood, those without agreement first."""
        return max(0, self.change.at_ms - max(undone.change.at_ms for undone in self.silent or self.undoes))


def reversal(
    change: Change,
    undone: Sequence[Undone],
    /,
    *,
    agreed: Callable[[Undone], bool],
    intended: Callable[[Undone], bool],
) -> Reversal:
    """Weigh what `change` takes back; `undone` is not empty.

    Stopped: what was intended; what is gone for certain in a real share; an old copy over newer work; what bounces
    back. A change that says openly what it takes back is warned of only, unless that was intended. Who puts back what
    somebody silently took repairs it.
    """
    agreements = tuple(agreed(one) for one in undone)
    silent = [one for one, yes in zip(undone, agreements, strict=True) if not yes]
    lost = [one for one in silent if not one.own_repair]
    hidden = [one for one in lost if not one.named]
    kind = _kind(change, hidden)
    verdict: Verdict = "clear"
    if any(intended(one) for one in silent) or kind == "ping_pong":
        verdict = "stop"
    elif lost:
        weighty = kind == "stale_base" or any(_is_stop(change, one) for one in hidden)
        verdict = "stop" if weighty and not _is_of_versions(hidden) else "warn"
    return Reversal(
        change=change,
        kind=kind,
        verdict=verdict,
        undoes=tuple(undone),
        agreed=agreements,
        lost=sum(len(one.lost) + len(one.returned) for one in lost),
        manifests=bool(lost) and _is_of_versions(lost),
    )


def _kind(change: Change, hidden: Sequence[Undone]) -> Kind:
    if any(one.again and one.share >= _SHARE and _is_recent(change, one) for one in hidden):
        return "ping_pong"
    telling = [one for one in hidden if _is_recent(change, one) and not _is_excused(change, one)]
    if any(_is_old_copy(change, one) for one in telling):
        return "stale_base"
    gone = [one for one in telling if _is_surely_gone(one) and (one.share >= _MOST or _is_main(one))]
    return "stale_base" if sum(one.turned for one in gone) >= 2 * _LINE and _unrelated(gone) else "undo"


def _is_stop(change: Change, one: Undone) -> bool:
    """Whether what goes is much, for certain, a real share of the landed change, and of the last days."""
    sure = one.turned + one.out
    if sure < _LINE or not _is_recent(change, one) or _is_excused(change, one) or not _is_main(one):
        return False
    share = one.share + (one.before / one.change.said if one.change.said else 0)
    age_ms = change.at_ms - one.change.at_ms
    if share < (_SHARE if age_ms <= RECENT_MS / 2 else _MOST):
        return False
    has_hunks = one.hunks + one.hunks_before >= STOP_HUNKS
    least = _TURNED if not has_hunks else _HUNKS_SAY if share < _MOST else _HUNKS_SAY / 2
    if one.turned + one.before >= least:
        return True
    # What was only inserted goes in any rework, for something that does the same better.
    return has_hunks and share >= _MOST and sure + one.before >= _TURNED and _is_surely_gone(one)


def _is_main(one: Undone) -> bool:
    """Whether taking it back is much of what happens to these files: a rework puts more new into them."""
    return one.share >= _SHARE and 2 * (one.turned + one.out + one.before) >= one.fresh


def _is_old_copy(change: Change, one: Undone) -> bool:
    """Whether it was written before the other landed, and rebased over it since: who wrote it did not see it land."""
    return _is_older(change, one) and _is_surely_gone(one) and one.share >= _SHARE


def _is_surely_gone(one: Undone) -> bool:
    """Whether old lines are back, or new ones out with little in their place: any rework takes some out."""
    return one.turned >= _LINE or (one.out >= _LINE and one.out >= 2 * one.fresh)


def _is_older(change: Change, one: Undone) -> bool:
    return 0 < change.written_ms < one.change.at_ms


def _is_recent(change: Change, one: Undone) -> bool:
    return change.at_ms - one.change.at_ms <= RECENT_MS or _is_older(change, one)


def _is_excused(change: Change, one: Undone) -> bool:
    """Whether it is nobody's work, had itself taken back another's, or goes as the title of the new change tells."""
    if one.repairs or is_bot(one.change.author) or removes_openly(change, one.change):
        return True
    return merges_release(change) or (not one.returned and names_what_goes(change, one.paths))


def _is_of_versions(lost: Sequence[Undone]) -> bool:
    return all(is_manifest(path) for one in lost for path in one.paths)


def _unrelated(undone: Sequence[Undone]) -> bool:
    """Whether several pieces of work go: of different authors, or of one author at different times."""
    times = [one.change.at_ms for one in undone]
    authors = {one.change.author for one in undone}
    return len(undone) > 1 and (len(authors) > 1 or max(times) - min(times) >= _UNRELATED_MS)
