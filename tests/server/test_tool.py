"""Wrong calls over a real server: an error is one short line, and the next call is answered as if nothing had been."""

from collections.abc import Callable
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it has no types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loomstack_mcp.server.errors import error_line
from tests.server.test_tools import TOOLS
from tests.wire import Server

VALID: dict[str, dict[str, Any]] = {
    "start_run": {"loop": "loop", "goal": "goal"},
    "read_shared_context": {},
    "share_context": {"kind": "fact", "text": "a fact"},
    "claim_paths": {"paths": ["README.md"], "intent": "docs"},
    "release_paths": {},
    "check_policy": {"action": "edit", "paths": ["README.md"]},
    "check_conflicts": {},
    "record_outcome": {"status": "failed", "summary": "red"},
    "trace_change": {"ref": "HEAD"},
}
HUGE = 10**400
ODD: dict[str, list[Any]] = {
    "integer": [HUGE, -HUGE, 2**63, -1, 1.5],
    "string": ["a\nb", "x" * 5_000, "\u2028\u202e", 7],
    "array": [["a\nb"], ["x" * 5_000], [""], ["a"] * 5_000, [7], 7],
    "object": [{"x\ny": 1}, {"passed": HUGE}, {"failed": -1}, {"failing": ["a\nb"]}, 7],
}


def odd_calls(tool: str, schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Arguments with one that is wrong or strange."""
    calls: list[dict[str, Any]] = [{"un\nknown": 1}, {"u" * 5_000: 1}, {f"u{n}": 1 for n in range(9)}]
    for name, about in schema["properties"].items():
        kinds = {one.get("type") for one in about.get("anyOf", [about])}
        calls += [{name: value} for kind in kinds for value in ODD.get(kind, [])]
    return [{**VALID[tool], **call} for call in calls]


@pytest.fixture
def server(serve: Callable[..., Server]) -> Server:
    server = serve()
    server.answer("start_run", loop="loop", goal="goal")
    return server


@pytest.mark.parametrize("tool", TOOLS)
def test_whatever_a_call_holds_its_error_is_one_short_line(server: Server, tool: str) -> None:
    listed = {one["name"]: one for one in server.request("tools/list")["result"]["tools"]}
    results = [server.call(tool, call) for call in odd_calls(tool, listed[tool]["inputSchema"])]
    said = [result["content"][0]["text"] for result in results if result.get("isError")]

    assert len(said) >= 7
    assert [text for text in said if len(text.splitlines()) != 1 or len(text) > 600] == []
    assert [text for text in said if text.startswith("internal") or "Traceback" in text or "pydantic" in text] == []
    jsonschema.validate(server.call(tool, VALID[tool])["structuredContent"], listed[tool]["outputSchema"])
    assert "Traceback" not in server.whole_stderr()


@pytest.mark.parametrize("tool", TOOLS)
def test_an_unknown_argument_is_named_with_those_that_there_are(server: Server, tool: str) -> None:
    text = server.error(tool, **VALID[tool], frce=True)

    assert text.startswith("invalid: frce: Extra inputs are not permitted. ")
    assert [name for name in VALID[tool] if name not in text.partition(" takes ")[2].split(", ")] == []


def test_the_errors_of_resources_are_one_short_line_too(server: Server) -> None:
    for run in ("a\nb", "x" * 5_000):
        error = server.request("resources/read", {"uri": f"loom://runs/{run}"})["error"]

        assert len(error["message"].splitlines()) == 1
        assert len(error["message"]) <= 600


@given(st.text(max_size=1_500) | st.text("x\n ", min_size=500, max_size=1_500))
def test_a_line_keeps_its_beginning_and_its_end(text: str) -> None:
    line = error_line(text)
    words = " ".join(text.split())

    assert len(line.splitlines()) <= 1
    assert len(line) <= 553
    assert line == words or (words.startswith(line[:400]) and words.endswith(line[-150:]))
