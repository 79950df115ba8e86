"""Notices: what people are told outside the terminal, in a few harmless words, as each service wants to hear it."""

import json
from typing import Literal

from loomstack_mcp.core.records import record
from loomstack_mcp.core.texts import redacted

NoticeKind = Literal["approval.asked", "conflict.stopped", "run.stopped", "test"]
WebhookFormat = Literal["generic", "slack", "teams"]

TEXT_CHARS_MAX = 300
_HOSTS: tuple[tuple[str, WebhookFormat], ...] = (
    ("hooks.slack.com", "slack"),
    ("hooks.slack-gov.com", "slack"),
    (".webhook.office.com", "teams"),
    (".logic.azure.com", "teams"),
    (".api.powerplatform.com", "teams"),
)
"""Where Slack and Teams take messages, by the ends of the names."""


@record
class Notice:
    """One thing that people should hear, and how often somebody tried to tell it."""

    id: str
    repo_id: str
    kind: NoticeKind
    about: str
    """The id of what it is about: `loomstack-mcp why` tells the rest."""
    run_id: str
    text: str
    tries: int = 0


def notice_text(text: str, /, *, then: str = "") -> str:
    """Words of runs and people as they may leave: on one line, printable, short, and none where they show a secret.

    `then` are words of ours that end it, however long the others are: what to do next.
    """
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return (redacted(line, chars_max=TEXT_CHARS_MAX - len(then)) or "see the inbox") + then


def format_of(host: str, /) -> WebhookFormat:
    """What the service at a host understands."""
    return next((kind for name, kind in _HOSTS if host == name or (name[0] == "." and host.endswith(name))), "generic")


def notice_body(notice: Notice, kind: WebhookFormat, /, *, at: str) -> str:
    """The body of the message, as JSON. `at` is the time in ISO 8601."""
    line = f"LoomStack, {notice.repo_id}: {notice.text}"
    if kind == "slack":
        # So that nobody is called, and nothing linked (docs.slack.dev, Formatting message text, Escaping text).
        safe = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        block = {"type": "section", "text": {"type": "plain_text", "text": line, "emoji": False}}
        return json.dumps({"text": safe, "blocks": [block]})
    if kind == "teams":
        # A text run is shown as it is; a text block would be read as Markdown (adaptivecards.io, TextRun).
        body = [{"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": line}]}]
        card = {"type": "AdaptiveCard", "version": "1.4", "body": body}
        attached = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
        return json.dumps({"type": "message", "attachments": [attached]})
    said = {"id": notice.about, "run": notice.run_id, "repo": notice.repo_id, "text": notice.text}
    return json.dumps({"type": notice.kind, "timestamp": at, "data": said})
