"""Trees in bounded time, whatever the text."""

import time

import pytest

from loomstack_mcp.adapters.parse.grammars import PARSE_SECONDS_MAX, syntax_tree
from loomstack_mcp.adapters.parse.imports.edges import edges
from loomstack_mcp.adapters.parse.imports.import_map import ImportMap
from loomstack_mcp.adapters.parse.test_files.read import read_tests

BUSY = b'- {w: {s/q.py: "def fee(a):"}}'
"""It keeps the grammar of TSX busy for longer than anybody waited."""


def test_a_text_that_keeps_a_grammar_busy_is_given_up() -> None:
    start = time.thread_time()

    assert syntax_tree(BUSY, "tsx") is None
    assert time.thread_time() - start < 4 * PARSE_SECONDS_MAX


@pytest.mark.parametrize("count", [1, 50, 5_000])
def test_the_tree_of_a_text_holds_the_text(count: int) -> None:
    source = b"f(1);\n" * count
    root = syntax_tree(source, "javascript")

    assert root is not None
    assert (root.text, root.has_error) == (source, False)
    assert {one.text for one in root.children} == {b"f(1);"}


def test_a_file_that_is_given_up_has_no_imports_and_is_told_as_unparsed() -> None:
    assert edges("a.tsx", BUSY, {""}.__contains__, ImportMap()) == ((), False)


def test_the_imports_of_a_script_are_those_of_the_grammar_that_came_to_an_end() -> None:
    read, parsed = edges("a.js", b"import './b';\n" + BUSY, {""}.__contains__, ImportMap())

    assert ([edge.target for edge in read], parsed) == (["b"], False)


def test_a_test_file_that_is_given_up_says_so() -> None:
    inventory = read_tests("a.test.tsx", BUSY)

    assert inventory is not None
    assert inventory.error == "takes too long to be parsed"
