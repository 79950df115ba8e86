"""The best items that together fit a budget of tokens."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import get_args

from loomstack_mcp.core.briefing.items import Item, Section
from loomstack_mcp.core.limits import CHARS_PER_TOKEN
from loomstack_mcp.core.phrases import Body
from loomstack_mcp.core.records import record

_ENVELOPE_CHARS = 80
"""The cursor, `more` and the names of the sections."""
_ITEM_CHARS_LEAST = 20
START = -1
"""The cursor before everything: 0 asks for what is best, not for what is new."""


@record
class Briefing:
    """Shared context, best first within each section."""

    cursor: int
    """Pass it as `since` to read only what is newer, or did not fit."""
    runs: tuple[Body, ...] = ()
    claims: tuple[Body, ...] = ()
    notes: tuple[Body, ...] = ()
    changes: tuple[Body, ...] = ()
    conflicts: tuple[Body, ...] = ()
    rules: tuple[Body, ...] = ()
    more: int = 0
    """How many items did not fit; those with the cursor come with the next read."""


def fitted(items: Iterable[Item], /, *, cursor: int, since: int, budget_tokens: int) -> Briefing:
    """The items newer than `since` that together fit the budget, rendered as compact JSON; since 0 the best of all.

    One item takes at most a quarter of the budget: a longer text is clipped, and a larger budget
    shows it whole. The cursor does not pass over what was left out: it comes with the next read.
    """
    room = _Room(budget_tokens)
    if since:
        return _news([item for item in items if item.seq > since], room, cursor=cursor)
    return _best(list(items), room, cursor=cursor)


def _best(items: Sequence[Item], room: "_Room", *, cursor: int) -> Briefing:
    """The best items: what people said before all else, then the nearest.

    Where others wait, nobody takes more than a third of it, nor people with what is about other paths
    more than half.
    """
    nearest = sorted(items, key=lambda item: (item.nearness, item.weight, -item.seq))
    chosen = sorted(nearest, key=lambda item: not item.is_peoples)
    for item in chosen:
        room.take(item, has_share=True)
    for item in chosen:
        room.take(item)
    left_out = [item for item in nearest if id(item) not in room.bodies]
    missed = min((item.seq for item in left_out if item.seq), default=0)
    return _briefing(nearest, room, cursor=(missed - 1 or START) if missed else cursor, more=len(left_out))


def _news(items: Iterable[Item], room: "_Room", *, cursor: int) -> Briefing:
    """The oldest items; the cursor stands before the first that did not fit."""
    oldest = sorted(items, key=lambda item: item.seq)
    for done, item in enumerate(oldest):
        if not (room.take(item) or room.take_name(item)):
            return _briefing(oldest, room, cursor=item.seq - 1 or START, more=len(oldest) - done)
    return _briefing(oldest, room, cursor=cursor, more=0)


class _Room:
    """What is left of a budget, and what was taken into it."""

    def __init__(self, budget_tokens: int) -> None:
        self._chars = budget_tokens * CHARS_PER_TOKEN
        self._left = self._chars - _ENVELOPE_CHARS
        self._shares: Counter[str] = Counter()
        self.bodies: dict[int, Body] = {}
        """By the identity of the item."""

    def take(self, item: Item, *, has_share: bool = False) -> bool:
        """Whether the item fits, or was taken before; with `has_share` only within the share of whose it is."""
        if id(item) in self.bodies:
            return True
        if self._left < _ITEM_CHARS_LEAST:
            return False
        body = _clipped(item.body, self._chars // 4)
        size = _size(body)
        whose, most = _share(item, self._chars)
        if size > self._left or (has_share and self._shares[whose] + size > most):
            return False
        self._left -= size
        self._shares[whose] += size
        self.bodies[id(item)] = body
        return True

    def take_name(self, item: Item) -> bool:
        """The same of its id alone, where nothing was taken: whoever reads on with so small a budget comes on."""
        name, value = next(iter(item.body.items()))
        if self.bodies or _size({name: value}) > self._left:
            return False
        self._left = 0
        self.bodies[id(item)] = {name: value}
        return True


def _size(body: Body) -> int:
    return len(json.dumps(body, ensure_ascii=False, separators=(",", ":"))) + 1


def _share(item: Item, chars: int) -> tuple[str, int]:
    """Under whose name an item counts, and how much that name may take while others wait."""
    if not item.is_peoples:
        return item.by, chars // 3 if item.by else chars
    return ("people, elsewhere", chars // 2) if item.nearness else ("people", chars)


def _briefing(ranked: Iterable[Item], room: _Room, *, cursor: int, more: int) -> Briefing:
    taken: dict[Section, list[Body]] = {section: [] for section in get_args(Section)}
    for item in ranked:
        if body := room.bodies.get(id(item)):
            taken[item.section].append(body)
    return Briefing(
        cursor=cursor,
        runs=tuple(taken["runs"]),
        claims=tuple(taken["claims"]),
        notes=tuple(taken["notes"]),
        changes=tuple(taken["changes"]),
        conflicts=tuple(taken["conflicts"]),
        rules=tuple(taken["rules"]),
        more=more,
    )


def _clipped(body: Body, chars: int) -> Body:
    return {name: _clip(name, value, chars) for name, value in body.items()}


def _clip(name: str, value: object, chars: int) -> object:
    if isinstance(value, str) and name in ("text", "goal", "intent") and len(value) > chars:
        return f"{value[: chars - 1]}…"
    if isinstance(value, tuple | list) and _size({name: value}) > chars:
        kept = list(value)
        while len(kept) > 1 and _size({name: kept}) > chars:
            kept = kept[: len(kept) // 2]
        return [*kept, f"… {len(value) - len(kept)} more"]
    return value
