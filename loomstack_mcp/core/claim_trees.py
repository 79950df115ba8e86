"""What is held, as a tree of folders: where how much is held, by whom, and where conflicts are open."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from loomstack_mcp.core.changes.conflict_records import Conflict
from loomstack_mcp.core.claims import Claim
from loomstack_mcp.core.phrases import Body, lean

_DEPTH_MAX = 8
_PLACES_MAX = 600
"""Folders and files of one tree; what lies deeper counts for the last that is in it."""
_NAMED_MAX = 20
_WILD = frozenset("*?[{")


def claim_tree(claims: Sequence[Claim], conflicts: Iterable[Conflict], /) -> Body:
    """The repository as far as something is held, or in conflict, in it; each folder counts all that is below it.

    A pattern stands for the last folder, or the file, that it names without a wildcard.
    """
    tree = _Tree()
    for claim in claims:
        tree.count(claim.patterns, claim=claim.id, who=claim.who)
    for conflict in conflicts:
        tree.count(conflict.paths, conflict=conflict.id)
    return tree.root.shown("")


@dataclass
class _Place:
    claims: dict[str, None] = field(default_factory=dict)
    conflicts: dict[str, None] = field(default_factory=dict)
    holders: dict[str, None] = field(default_factory=dict)
    own: dict[str, None] = field(default_factory=dict)
    inner: dict[str, "_Place"] = field(default_factory=dict)

    def shown(self, path: str) -> Body:
        below = [
            place.shown(f"{path}/{name}" if path else name)
            for name, place in sorted(self.inner.items(), key=lambda pair: (-len(pair[1].claims), pair[0]))
        ]
        holders = list(self.holders)
        return {
            "path": path,
            "claims": len(self.claims),
            "conflicts": len(self.conflicts),
            **lean(
                {
                    "holders": holders[:_NAMED_MAX],
                    "more_holders": len(holders[_NAMED_MAX:]) or None,
                    "held": list(self.own)[:_NAMED_MAX],
                    "below": below,
                }
            ),
        }


class _Tree:
    def __init__(self) -> None:
        self.root = _Place()
        self._places = 1

    def count(self, patterns: Iterable[str], *, claim: str = "", who: str = "", conflict: str = "") -> None:
        for pattern in patterns:
            place = self.root
            for step in (None, *_literal_steps(pattern)):
                place = place if step is None else self._inside(place, step)
                if claim:
                    place.claims[claim] = place.holders[who] = None
                if conflict:
                    place.conflicts[conflict] = None
            if claim:
                place.own[claim] = None

    def _inside(self, place: _Place, name: str) -> _Place:
        if name not in place.inner:
            if self._places >= _PLACES_MAX:
                return place
            self._places += 1
            place.inner[name] = _Place()
        return place.inner[name]


def _literal_steps(pattern: str) -> list[str]:
    steps: list[str] = []
    for name in pattern.strip("/").split("/"):
        if not name or not _WILD.isdisjoint(name) or len(steps) == _DEPTH_MAX:
            break
        steps.append(name)
    return steps
