"""The briefing as a model is shown it: by `start_run`, and by `read_shared_context`."""

from typing import TypedDict, get_args

from loomstack_mcp.core.briefing.fitting import Briefing
from loomstack_mcp.core.briefing.items import Section
from loomstack_mcp.server.answers import Items


class BriefingAnswer(TypedDict, total=False):
    cursor: int
    runs: Items
    claims: Items
    notes: Items
    changes: Items
    conflicts: Items
    rules: Items
    more: int
    alerts: Items


def briefing_answer(found: Briefing) -> BriefingAnswer:
    """The sections that hold something, and the cursor to read on from."""
    answered: BriefingAnswer = {"cursor": found.cursor}
    for section in get_args(Section):
        if items := getattr(found, section):
            answered[section] = [dict(item) for item in items]  # type: ignore[literal-required]  # each is a field
    if found.more:
        answered["more"] = found.more
    return answered
