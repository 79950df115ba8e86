"""Lost intents: changes made on purpose that a change takes back or replaces."""

from collections.abc import Callable, Sequence

from loomstack_mcp.core.changes.conflict_records import Intent
from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.undone import TouchedChange, Undone
from loomstack_mcp.core.policy.situation import LostIntent

IntentOn = Callable[[Change, Sequence[str]], Intent | None]


def lost_intents(
    undone: Sequence[Undone],
    touched: Sequence[TouchedChange],
    /,
    *,
    intent_on: IntentOn,
    agreed: Callable[[Undone], bool],
) -> tuple[LostIntent, ...]:
    """Those of the landed changes that were made on purpose, and nobody agreed to lose.

    A single line that returns undoes; most of a hunk that goes without its old lines is an override.
    """
    found = [
        LostIntent(commit=one.change.sha, who=intent.who, intent=intent.text, paths=one.paths, how="undoes")
        for one in undone
        if not agreed(one) and (intent := intent_on(one.change, one.paths))
    ]
    found += [
        LostIntent(
            commit=one.change.sha,
            who=intent.who,
            intent=intent.text,
            paths=one.paths,
            how="undoes" if one.restored else "overrides",
        )
        for one in touched
        if (one.restored or one.overridden) and (intent := intent_on(one.change, one.paths))
    ]
    return tuple(found)
