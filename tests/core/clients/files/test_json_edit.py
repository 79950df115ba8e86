"""JSON that is changed keeps every character that had nothing to do with the change."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loomstack_mcp.core.clients.files.json_edit import edited
from loomstack_mcp.core.clients.files.json_text import parsed_json

WITH_US: dict[str, Any] = {"command": "loomstack-mcp"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", '{\n  "ours": 1\n}'),
        ("{ }\n", '{\n  "ours": 1\n}\n'),
        ('{"a":1e2,"b":[1,2]}', '{"a":1e2,"b":[1,2], "ours": 1}'),
        ('{\n\t"a": {"b":   2},\n\t"c":3 }\n', '{\n\t"a": {"b":   2},\n\t"c":3,\n\t"ours": 1 }\n'),
        ('{\r\n      "a": 1.50\r\n}\r\n', '{\r\n      "a": 1.50,\r\n      "ours": 1\r\n}\r\n'),
        ('\n{\n "\\u00fc" : 1 ,\n "z":0\n}\n\n', '\n{\n "\\u00fc" : 1 ,\n "z":0,\n "ours": 1\n}\n\n'),
    ],
)
def test_a_member_comes_at_the_end_and_all_else_stays(text: str, expected: str) -> None:
    tree = parsed_json("x", text)

    assert edited(text, tree, {**tree, "ours": 1}) == expected


def test_an_element_comes_and_goes_in_its_list() -> None:
    text = '{"allow": [ "a" ,"b", "c" ], "x" : [\n   1,\n   2\n ]}'
    tree = parsed_json("x", text)
    swapped = edited(text, tree, {**tree, "allow": ["b", "c", "d"]})

    assert edited(text, tree, {**tree, "allow": ["a", "c"]}) == text.replace('"a" ,"b", "c"', '"a", "c"')
    assert json.loads(swapped)["allow"] == ["b", "c", "d"]
    assert swapped.endswith('], "x" : [\n   1,\n   2\n ]}')


NAMES = st.text(alphabet='abü"\\\\ ', max_size=3)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | NAMES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)
TREES = st.dictionaries(NAMES, VALUES, max_size=4)


@given(before=TREES, after=TREES, indent=st.sampled_from([None, 1, 4, "\t"]))
def test_the_text_says_what_it_is_to_say(before: dict[str, Any], after: dict[str, Any], indent: Any) -> None:
    text = json.dumps(before, indent=indent)

    assert json.loads(edited(text, parsed_json("x", text), after)) == after


@given(before=TREES, indent=st.sampled_from([None, 1, 4, "\t"]))
def test_what_came_goes_without_a_trace(before: dict[str, Any], indent: Any) -> None:
    before = {"mine": 0, **before}
    text = json.dumps(before, indent=indent)
    tree = parsed_json("x", text)
    more = edited(text, tree, {**tree, "loomstack": WITH_US})

    assert edited(more, parsed_json("x", more), tree) == text
    assert json.loads(more)["loomstack"] == WITH_US
