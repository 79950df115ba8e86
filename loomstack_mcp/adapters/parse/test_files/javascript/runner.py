"""The calls that make tests and groups of tests: `it`, `describe.skip`, `test.each(table)`."""

import re

from tree_sitter import Node

from loomstack_mcp.adapters.parse.nodes import text_of
from loomstack_mcp.adapters.parse.test_files.javascript.syntax import call_arguments
from loomstack_mcp.core.records import record
from loomstack_mcp.core.tampering.model import Skip

_RUNNER = re.compile(r"^(x|f)?(it|test|specify|describe|context|suite)((?:\.\w+)*)\s*(?=$|\(|`)")
_TABLES = {"each", "for"}
_CONDITIONS = {"skipIf", "runIf"}
_SKIPPING = {"skip", "todo", "fails", "failing", "fixme"}


@record
class RunnerCall:
    """A call that makes a test, or a group of them."""

    is_test: bool
    skip: Skip
    only: bool
    """Nothing runs that is not marked so."""
    cases: int
    """How often what it holds runs; 0 where that cannot be read."""


def runner_call(node: Node) -> RunnerCall | None:
    """What the call makes; None for any other node."""
    function = node.child_by_field_name("function") if node.type == "call_expression" else None
    found = _RUNNER.match(text_of(function))
    if function is None or found is None or not call_arguments(node):
        return None
    words = set(found[3].split(".")[1:])
    is_outer = function.type == "call_expression"
    if not _makes(words, is_outer=is_outer):
        return None
    return RunnerCall(
        is_test=found[2] in ("it", "test", "specify"),
        skip=_skip(found[1], words),
        only=found[1] == "f" or "only" in words,
        cases=_cases(function) if is_outer and words & _TABLES else 1,
    )


def _makes(words: set[str], *, is_outer: bool) -> bool:
    """`it.each(table)(title, body)` is a call of a call: the inner one makes nothing yet, and no other has two."""
    return bool(words & (_TABLES | _CONDITIONS)) if is_outer else "each" not in words


def _skip(prefix: str | None, words: set[str]) -> Skip:
    if prefix == "x" or words & _SKIPPING:
        return "always"
    return "when" if words & _CONDITIONS else ""


def _cases(each: Node) -> int:
    """The elements of an array, or the rows below the head of a template."""
    table = call_arguments(each)[:1]
    if not table:
        return 1
    if table[0].type == "template_string":
        return text_of(table[0]).strip("`\n ").count("\n")
    return len(table[0].named_children) if table[0].type == "array" else 0
