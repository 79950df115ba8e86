"""Notices: words that are safe to send away, and services known by their addresses."""

import json

import pytest

from loomstack_mcp.core.notices import Notice, WebhookFormat, format_of, notice_body, notice_text

NOTICE = Notice(id="notice_1", repo_id="host/shop", kind="run.stopped", about="run_1", run_id="run_1", text="a < b & c")


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("hooks.slack.com", "slack"),
        ("hooks.slack.com.evil.example", "generic"),
        ("nothooks.slack.com", "generic"),
        ("acme.webhook.office.com", "teams"),
        ("prod-1.westeurope.logic.azure.com", "teams"),
        ("logic.azure.com", "generic"),
        ("example.org", "generic"),
    ],
)
def test_a_service_is_known_by_the_whole_end_of_its_name(host: str, kind: WebhookFormat) -> None:
    assert format_of(host) == kind


def test_a_text_is_on_one_line_printable_short_and_without_secrets() -> None:
    assert notice_text("one\n two\x1b[31m \u202e three") == "one two [31m three"
    assert notice_text("x" * 999) == "x" * 300
    assert notice_text("key ghp_" + "a1B2" * 9) == "see the inbox"


def test_what_to_do_next_is_said_however_long_the_rest_is() -> None:
    assert notice_text("x" * 999, then=": approve apr_1") == f"{'x' * 285}: approve apr_1"
    assert notice_text("key ghp_" + "a1B2" * 9, then=": approve apr_1") == "see the inbox: approve apr_1"


def test_the_body_says_what_it_is_about_in_each_format() -> None:
    generic, slack, teams = (json.loads(notice_body(NOTICE, kind, at="t")) for kind in ("generic", "slack", "teams"))

    assert generic == {
        "type": "run.stopped",
        "timestamp": "t",
        "data": {"id": "run_1", "run": "run_1", "repo": "host/shop", "text": "a < b & c"},
    }
    assert slack["text"] == "LoomStack, host/shop: a &lt; b &amp; c"
    assert teams["attachments"][0]["content"]["body"][0]["inlines"][0]["text"] == "LoomStack, host/shop: a < b & c"
