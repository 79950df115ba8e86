"""What clients tell of themselves, as it was recorded of them, and as nobody would tell it in earnest."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loomstack_mcp.core.clients.telemetry import ToldUsage, told_usage
from loomstack_mcp.core.usage import UsageEntry
from tests.clients.telemetry import recorded

TOLD = recorded()


def now_ms(export: Any) -> int:
    """A while after the last record."""
    records = [one for each in export["resourceLogs"] for scope in each["scopeLogs"] for one in scope["logRecords"]]
    return max(int(one["observedTimeUnixNano"]) for one in records) // 1_000_000 + 1_000


def read(client: str) -> list[UsageEntry]:
    return [entry for export in TOLD[client] for entry in told_usage(export, now_ms=now_ms(export)).entries]


def test_claude_code_tells_tokens_cost_and_who_let_tools_run() -> None:
    entries = read("Claude Code")
    requests = [one for one in entries if one.kind == "request"]
    permissions = [one for one in entries if one.kind == "permission"]

    assert len({one.session for one in entries}) == 1
    assert entries[0].session.startswith("claude:")
    assert len({one.agent for one in requests} - {""}) == 1
    assert {one.model for one in requests} == {"claude-opus-4-8"}
    assert [one.output_tokens for one in requests] == [10] * 6
    assert all(one.cost_micro_usd == one.input_tokens * 5 + one.output_tokens * 25 for one in requests)
    assert {(one.source, one.is_accepted) for one in permissions} == {("config", True)}


def test_codex_tells_tokens_of_each_thread_and_no_cost() -> None:
    entries = read("Codex")
    requests = [one for one in entries if one.kind == "request"]

    assert len({one.session for one in entries}) == 2
    assert all(one.session.startswith("codex:") and one.input_tokens > 1_000 for one in requests)
    assert {(one.model, one.output_tokens, one.cost_micro_usd) for one in requests} == {("gpt-5.5", 10, None)}
    assert {one.source for one in entries if one.kind == "permission"} == {"config"}


def test_the_same_record_has_one_key_and_two_have_two() -> None:
    once, twice = read("Claude Code"), read("Claude Code")

    assert [one.key for one in once] == [one.key for one in twice]
    assert len({one.key for one in once}) == len(once)


def test_no_text_of_anybody_is_taken_out() -> None:
    secret = json.loads(json.dumps(TOLD["Claude Code"][0]).replace("<REDACTED>", "the secret plan"))
    assert "the secret plan" in json.dumps(secret)
    assert "secret plan" not in repr(told_usage(secret, now_ms=now_ms(secret)))


def changed(name: str, value: Any) -> ToldUsage:
    """The first request of Claude Code with another value there."""
    export = copy.deepcopy(TOLD["Claude Code"][0])
    for scope in export["resourceLogs"][0]["scopeLogs"]:
        scope["logRecords"] = [one for one in scope["logRecords"] if "api_request" in str(one["body"])][:1]
        for one in scope["logRecords"]:
            one["attributes"] = [each for each in one["attributes"] if each["key"] != name]
            one["attributes"].append({"key": name, "value": value})
    return told_usage(export, now_ms=now_ms(export))


@pytest.mark.parametrize(
    ("name", "value"),
    [("input_tokens", {"intValue": "-1"}), ("input_tokens", {"doubleValue": 1.5}), ("input_tokens", {}),
     ("input_tokens", {"stringValue": "NaN"}), ("output_tokens", {"stringValue": "1e400"}),
     ("output_tokens", {"intValue": "9" * 400}), ("input_tokens", {"intValue": 10**17}),
     ("cost_usd_micros", {"stringValue": "Infinity"}), ("cost_usd_micros", {"boolValue": True}),
     ("cost_usd_micros", {"intValue": -5}), ("session.id", {"stringValue": ""}),
     ("session.id", {"stringValue": "x" * 5_000}), ("session.id", {"intValue": 7})],
)  # fmt: skip
def test_a_lie_is_refused_by_name(name: str, value: Any) -> None:
    told = changed(name, value)
    is_left_out = value == {}

    assert (len(told.entries), told.refused) == ((1, 0) if is_left_out else (0, 1))
    assert bool(told.why) is not is_left_out


NAMES = st.sampled_from(
    ["resourceLogs", "resource", "scopeLogs", "logRecords", "attributes", "key", "value", "stringValue", "body",
     "timeUnixNano", "event.name", "api_request"]
)  # fmt: skip


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=3), inner, max_size=4),
)


@given(st.dictionaries(NAMES, JSON, max_size=4))
def test_no_export_breaks_it(export: Any) -> None:
    told_usage(export, now_ms=0)
