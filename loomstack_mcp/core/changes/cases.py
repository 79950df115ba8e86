"""Reversals of a history with what became of them: put back, in part, or still missing."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.openly import reverts_openly
from loomstack_mcp.core.changes.repairs import FollowedLoss, FollowedLosses, Repair
from loomstack_mcp.core.changes.verdicts import Reversal
from loomstack_mcp.core.limits import DAY_MS

_SOON_MS = 30 * DAY_MS
_ALL = 0.8
_SOME = 0.4
"""The parts of a loss that come back."""
_CRUMB = 0.1
_MAINLY = 0.5
_PARTLY = 0.3
"""The parts of a later change that do nothing but put back."""


class FollowedCases:
    """Follows each reversal through the changes after it."""

    def __init__(self, together: Callable[[Change, Change], bool]) -> None:
        """`together` tells whether two changes came in one branch, which landed at once."""
        self._together = together
        self._losses = FollowedLosses()
        self._followed: list[tuple[Reversal, list[FollowedLoss]]] = []

    def begin(self, found: Reversal) -> None:
        """A change has just taken back others."""
        silent = [undone for undone in found.silent if not undone.own_repair]
        losses = [self._losses.begin(found.change, undone) for undone in silent] if found.verdict != "clear" else []
        self._followed.append((found, losses))

    def land(self, change: Change) -> None:
        """Hear of the next change of the history."""
        self._losses.land(change)

    def ended(self) -> Iterator[Reversal]:
        """All of them, in their order, as they stand at the end of the history.

        Without those whose own branch put back what it took, before it landed.
        """
        for found, losses in self._followed:
            if losses and all(self._mended_within(loss) for loss in losses):
                continue
            yield _with_repairs(found, losses) if losses else found

    def _mended_within(self, loss: FollowedLoss) -> bool:
        return sum(one.share for one in loss.repairs if self._together(one.change, loss.by)) >= _ALL


def _with_repairs(found: Reversal, losses: list[FollowedLoss]) -> Reversal:
    repairs: dict[str, Repair] = {}
    said = sum(loss.said for loss in losses)
    for loss in losses:
        for one in loss.repairs:
            known = repairs.get(one.change.sha)
            share = one.share * loss.said / said + (known.share if known else 0)
            repairs[one.change.sha] = replace(one, share=min(1.0, share))
    is_shown = found.verdict == "warn" and not found.manifests and any(map(_is_shown, losses))
    return replace(
        found,
        verdict="stop" if is_shown else found.verdict,
        missing=sum(loss.missing for loss in losses),
        repairs=tuple(sorted(_telling(repairs.values()), key=lambda one: one.change.at_ms)),
    )


def _telling(repairs: Iterable[Repair]) -> list[Repair]:
    """Without those who put back a crumb of the whole."""
    return [one for one in repairs if one.share >= _CRUMB]


def _is_shown(loss: FollowedLoss) -> bool:
    """Whether history itself says that it was no purpose: soon afterwards somebody came to put it back.

    Not by reverting all of what took it.
    """
    return not loss.undone.named and any(
        one.change.at_ms - loss.by.at_ms <= _SOON_MS
        and not reverts_openly(one.change)
        and (one.purpose >= (_PARTLY if one.share >= _ALL else _MAINLY) and one.share >= _SOME)
        for one in loss.repairs
    )
