"""What a reversal means: allowed, worth a warning, or to be stopped."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.reversals import Undone
from loomstack_mcp.core.limits import DAY_MS, HOUR_MS

Verdict = Literal["clear", "warn", "stop"]
Kind = Literal["undo", "stale_base", "ping_pong"]

RECENT_MS = 14 * DAY_MS
"""How fresh a landed change is while taking back three hunks of it is stopped."""
STOP_HUNKS = 3
_MOST = 0.5
_UNRELATED_MS = 12 * HOUR_MS
"""Changes of one author that lie further apart than this are no single piece of work."""


State = Literal["missing", "restored", "agreed"]


@dataclass(frozen=True, kw_only=True)
class Repair:
    """A later change that puts back what a reversal took."""

    change: Change
    share: float
    """The part of the loss, from 0 to 1."""


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

    Stopped: what was intended; three hunks of the last fourteen days; an old copy over several
    unrelated changes; what bounces back. A change that says openly what it takes back is warned of
    only, unless that was intended.
    """
    agreements = tuple(agreed(one) for one in undone)
    silent = [one for one, yes in zip(undone, agreements, strict=True) if not yes]
    hidden = [one for one in silent if not one.named]
    recent = [one for one in hidden if change.at_ms - one.change.at_ms <= RECENT_MS]
    kind = _kind(hidden, recent)
    is_much = sum(_counted(one) for one in recent) >= STOP_HUNKS
    verdict: Verdict = "clear"
    if silent:
        verdict = "stop" if kind != "undo" or is_much or any(intended(one) for one in silent) else "warn"
    return Reversal(change=change, kind=kind, verdict=verdict, undoes=tuple(undone), agreed=agreements)


def _kind(hidden: Sequence[Undone], recent: Sequence[Undone]) -> Kind:
    if any(one.again for one in hidden):
        return "ping_pong"
    return "stale_base" if _unrelated([one for one in recent if _counted(one)]) else "undo"


def _counted(undone: Undone) -> int:
    """Hunks that weigh: those that bring old lines back, or all where most of the change goes.

    Taking a few new lines out again, with nothing old in their place, is what any clean-up does.
    """
    return (undone.hunks if undone.share >= _MOST else undone.restored) + undone.hunks_before


def _unrelated(undone: Sequence[Undone]) -> bool:
    """Whether several pieces of work go: of different authors, or of one author at different times."""
    times = [one.change.at_ms for one in undone]
    authors = {one.change.author for one in undone}
    return len(undone) > 1 and (len(authors) > 1 or max(times) - min(times) >= _UNRELATED_MS)
