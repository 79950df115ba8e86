"""The best items that together fit a budget of tokens."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import get_args

from loomstack_mcp.core.briefing.items import Item, Section
from loomstack_mcp.core.limits import CHARS_PER_TOKEN
from loomstack_mcp.core.phrases import Body

_ENVELOPE_CHARS = 80
"""The cursor, `more` and the names of the sections."""


@dataclass(frozen=True, kw_only=True)
class Briefing:
    """Shared context, best first within each section."""

    cursor: int
    """Pass it as `since` to read only what is newer."""
    runs: tuple[Body, ...] = ()
    claims: tuple[Body, ...] = ()
    notes: tuple[Body, ...] = ()
    changes: tuple[Body, ...] = ()
    conflicts: tuple[Body, ...] = ()
    rules: tuple[Body, ...] = ()
    more: int = 0
    """How many items did not fit."""


def fitted(items: Iterable[Item], /, *, cursor: int, since: int, budget_tokens: int) -> Briefing:
    """The best items newer than `since` that together fit the budget, rendered as compact JSON.

    One item takes at most a quarter of the budget: a longer text is clipped, and a larger budget
    shows it whole.
    """
    ranked = sorted(
        (item for item in items if item.seq > since),
        key=lambda item: (item.nearness, item.weight, -item.seq),
    )
    budget_chars = budget_tokens * CHARS_PER_TOKEN
    left = budget_chars - _ENVELOPE_CHARS
    taken: dict[Section, list[Body]] = {section: [] for section in get_args(Section)}
    more = 0
    for item in ranked:
        body = _clipped(item.body, budget_chars // 4)
        size = len(json.dumps(body, ensure_ascii=False, separators=(",", ":"))) + 1
        if more or size > left:
            more += 1
            continue
        left -= size
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
    return {name: _clip(value, chars) if name in ("text", "goal", "intent") else value for name, value in body.items()}


def _clip(value: object, chars: int) -> object:
    return f"{value[: chars - 1]}…" if isinstance(value, str) and len(value) > chars else value
