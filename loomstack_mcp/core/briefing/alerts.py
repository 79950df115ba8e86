"""Alerts in words, for whoever hears them outside of an answer."""

from collections.abc import Iterable

from loomstack_mcp.core.events import Alert
from loomstack_mcp.core.texts import plain_line, quoted

_TOLD_CHARS_MAX = 301
_OF_OTHERS = frozenset({"message", "checked", "agreed", "contradicted", "superseded"})
"""Kinds of alerts that hold words of another run."""


def alerts_told(alerts: Iterable[Alert], /) -> str:
    """Alerts in words, on a line each, for whoever reads them outside of an answer. What others wrote is quoted."""
    words = {(alert.kind, alert.about): _words(alert) for alert in alerts}
    return "\n".join(("LoomStack tells, and asks for no answer:", *(f"- {each}" for each in words.values())))


def _words(alert: Alert) -> str:
    if alert.kind in _OF_OTHERS:
        who = plain_line(alert.who, chars_max=_TOLD_CHARS_MAX)
        return f"{who} wrote ({alert.about}): {quoted(alert.text, chars_max=_TOLD_CHARS_MAX)}"
    text = " ".join(alert.text.split())
    text = f"{text[: _TOLD_CHARS_MAX - 1]}…" if len(text) > _TOLD_CHARS_MAX else text
    return text if alert.about in text else f"{text} ({alert.about})"
