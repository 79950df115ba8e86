"""Records to lean structured content: what a model is shown, and nothing twice."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from mcp.types import CallToolResult, TextContent
from typing_extensions import TypedDict

from loomstack_mcp.core.briefing.fitting import Briefing
from loomstack_mcp.core.briefing.items import Section
from loomstack_mcp.core.claims import PathWarning
from loomstack_mcp.core.events import Alert
from loomstack_mcp.core.phrases import age, lean

Items = list[dict[str, Any]]


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


def answer(content: Mapping[str, object]) -> CallToolResult:
    """Structured content without empty fields, with the same JSON as text for clients that know no better."""
    body = dict(lean(content))
    return CallToolResult(content=[TextContent(type="text", text=compact(body))], structured_content=body)


def briefing_answer(found: Briefing) -> BriefingAnswer:
    """The sections that hold something, and the cursor to read on from."""
    answered: BriefingAnswer = {"cursor": found.cursor}
    for section in get_args(Section):
        if items := getattr(found, section):
            answered[section] = [dict(item) for item in items]  # type: ignore[literal-required]  # each is a field
    if found.more:
        answered["more"] = found.more
    return answered


def warning_items(told: Sequence[PathWarning]) -> Items:
    """Warnings as a model is shown them."""
    return [
        dict(
            lean(
                {
                    "note": one.note,
                    "commit": one.commit[:12],
                    "who": one.who,
                    "text": one.text,
                    "age": None if one.age_ms is None else age(one.age_ms),
                }
            )
        )
        for one in told
    ]


def alert_items(told: Sequence[Alert]) -> Items:
    """Alerts as a model is shown them."""
    return [
        dict(lean({"kind": alert.kind, "who": alert.who, "text": alert.text, "about": alert.about})) for alert in told
    ]


def compact(body: Any) -> str:
    """JSON without blanks: each character is paid for."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
