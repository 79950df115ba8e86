"""Records to lean structured content: what a model is shown, and nothing twice."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from loomstack_mcp.core.claims import PathWarning
from loomstack_mcp.core.events import Alert
from loomstack_mcp.core.phrases import age, lean

Items = list[dict[str, Any]]


def body(content: Mapping[str, object]) -> dict[str, Any]:
    """An answer without empty fields."""
    return dict(lean(content))


def warning_items(told: Sequence[PathWarning]) -> Items:
    """Warnings as a model is shown them."""
    return [
        body(
            {
                "note": one.note,
                "commit": one.commit[:12],
                "who": one.who,
                "text": one.text,
                "age": None if one.age_ms is None else age(one.age_ms),
            }
        )
        for one in told
    ]


def alert_items(told: Sequence[Alert]) -> Items:
    """Alerts as a model is shown them."""
    return [body({"kind": alert.kind, "who": alert.who, "text": alert.text, "about": alert.about}) for alert in told]


def compact(content: Any) -> str:
    """JSON without blanks: each character is paid for."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))
