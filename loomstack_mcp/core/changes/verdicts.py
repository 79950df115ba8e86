"""What a reversal means: allowed, worth a warning, or to be stopped."""

from collections.abc import Callable, Sequence
from typing import Literal

from loomstack_mcp.core.changes.conflict_records import Verdict
from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.manifests import is_manifest
from loomstack_mcp.core.changes.repairs import Repair
from loomstack_mcp.core.changes.undone import Undone
from loomstack_mcp.core.changes.weighing import is_bouncing, is_much, is_old_copy
from loomstack_mcp.core.records import record

Kind = Literal["undo", "stale_base", "ping_pong"]
State = Literal["missing", "restored", "agreed"]


@record
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
    agreements = tuple(map(agreed, undone))
    silent = [one for one, yes in zip(undone, agreements, strict=True) if not yes]
    lost = [one for one in silent if not one.own_repair]
    hidden = [one for one in lost if not one.named]
    kind = _kind(change, hidden)
    return Reversal(
        change=change,
        kind=kind,
        verdict="stop" if any(map(intended, silent)) else _verdict(change, kind, lost, hidden),
        undoes=tuple(undone),
        agreed=agreements,
        lost=sum(map(_lines_of, lost)),
        manifests=bool(lost) and _is_of_versions(lost),
    )


def _lines_of(one: Undone) -> int:
    return len(one.lost) + len(one.returned)


def _verdict(change: Change, kind: Kind, lost: Sequence[Undone], hidden: Sequence[Undone]) -> Verdict:
    if kind == "ping_pong":
        return "stop"
    is_weighty = kind == "stale_base" or any(is_much(change, one) for one in hidden)
    if is_weighty and not _is_of_versions(hidden):
        return "stop"
    return "warn" if lost else "clear"


def _kind(change: Change, hidden: Sequence[Undone]) -> Kind:
    if is_bouncing(change, hidden):
        return "ping_pong"
    return "stale_base" if is_old_copy(change, hidden) else "undo"


def _is_of_versions(lost: Sequence[Undone]) -> bool:
    return all(is_manifest(path) for one in lost for path in one.paths)
