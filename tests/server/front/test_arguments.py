"""The front takes what the SDK takes, refuses what it refuses, and names the same arguments."""

import json
import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mcp.server.mcpserver.tools import Tool
from pydantic import ValidationError

from loomstack_mcp.edge.here import Here
from loomstack_mcp.server.face import Face
from loomstack_mcp.server.front.arguments import WrongArguments, checked_arguments
from loomstack_mcp.server.front.definitions import Definitions
from loomstack_mcp.server.sdk.app import build_server
from loomstack_mcp.server.sdk.bus import Bus

Json = dict[str, Any]

SCHEMAS = Definitions().schemas
_FACE = Face(Here(None, {}, elsewhere=""))
_TOOLS: dict[str, Tool] = {tool.name: tool for tool in build_server(_FACE, Bus(_FACE))._tool_manager.list_tools()}
_WORDS = [
    "exclusive",
    "shared",
    "Exclusive",
    "edit",
    "fact",
    "intent",
    "done",
    "passed",
    "maker",
    "checker",
    "",
    "null",
]
_SPELLED = [
    "30", " 30 ", "+30", "-0", "030", "3_0", "3__0", "_3", "30.0", "30.", ".0", "30.50", "1e3", "0x1f", "٣", "30.0.0",
    "true", "null", "NaN", "[]", "{}", '"a"', '["a"]', "[1]", '{"passed": 1}', '{"pr": "u"}', "[", "-", "+", "+-1",
    "- 1", "1 2", "1\n", "\u00a01", "9" * 30, "9" * 5_000, "1." + "0" * 400, "0" * 400, "-.0", "1._0", "1_.0",
]  # fmt: skip
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 50), st.sampled_from([2**63, -(2**63) - 1, 10**400]),
    st.sampled_from([30.0, 30.5, -0.0, 1e3, 1e16, 1e300, math.ulp(1.0)]),
    st.sampled_from(_SPELLED + _WORDS), st.text(max_size=5),
)  # fmt: skip
fields = st.sampled_from(["passed", "failed", "failing", "pr", "x"])
values = st.recursive(
    scalars, lambda below: st.lists(below, max_size=3) | st.dictionaries(fields, below, max_size=3), max_leaves=5
)
as_text = values.map(lambda value: json.dumps(value))


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, Json]:
    """A tool, and arguments of which most are what it takes."""
    tool = draw(st.sampled_from(sorted(SCHEMAS)))
    known = sorted(SCHEMAS[tool]["properties"])
    names = draw(st.lists(st.sampled_from([*known, "unknown"]), max_size=4, unique=True))
    given = {name: draw(values | as_text) for name in names}
    required = {name: _usual(SCHEMAS[tool]["properties"][name]) for name in SCHEMAS[tool].get("required", ())}
    return tool, ({**required, **given} if draw(st.booleans()) else given)


def _usual(about: Json) -> Any:
    return about["enum"][0] if "enum" in about else {"string": "text", "array": ["a"], "integer": 1}[about["type"]]


def by_sdk(tool: str, arguments: Json) -> Json | list[tuple[str, str]]:
    """What the tool is given, or the names of the arguments that are wrong."""
    try:
        taken = _TOOLS[tool].fn_metadata.validate_arguments(arguments)
    except ValidationError as error:
        return [(".".join(map(str, problem["loc"])), problem["msg"]) for problem in error.errors()]
    return {name: value for name, value in taken.items() if name in arguments}


def by_front(tool: str, arguments: Json) -> Json | list[tuple[str, str]]:
    try:
        return checked_arguments(SCHEMAS[tool], arguments)
    except WrongArguments as error:
        return error.wrong


@given(calls())
@example(("claim_paths", {"paths": '["a"]', "intent": "x", "minutes": "30"}))
@example(("record_outcome", {"status": "done", "summary": "x", "checks": {"passed": "1", "failing": [1], "x": []}}))
def test_the_front_takes_and_refuses_what_the_sdk_does(call: tuple[str, Json]) -> None:
    tool, arguments = call
    wanted, found = by_sdk(tool, arguments), by_front(tool, arguments)

    assert found == wanted
    if isinstance(wanted, dict) and isinstance(found, dict):
        assert list(map(type, found.values())) == list(map(type, (wanted[name] for name in found)))


@pytest.mark.parametrize("text", _SPELLED)
@pytest.mark.parametrize("name", ["minutes", "paths", "mode"])
def test_each_spelling_is_read_as_the_sdk_reads_it(name: str, text: str) -> None:
    arguments = {"paths": ["a"], "intent": "x", name: text}

    assert by_front("claim_paths", arguments) == by_sdk("claim_paths", arguments)


def test_fields_that_were_given_as_a_text_are_told_with_an_example() -> None:
    with pytest.raises(WrongArguments, match=r'links: Input should be a valid dictionary, such as {"pr": "https://…"}'):
        checked_arguments(SCHEMAS["record_outcome"], {"status": "passed", "summary": "x", "links": "x"})
