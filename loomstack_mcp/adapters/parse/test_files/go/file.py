"""The tests of a Go file, with what each of them checks."""

import re
from collections.abc import Mapping

from tree_sitter import Node

from loomstack_mcp.adapters.parse.nodes import line_of, text_of
from loomstack_mcp.adapters.parse.test_files.asserting import NodeScope
from loomstack_mcp.adapters.parse.test_files.go.cases import go_cases_of, tables_of
from loomstack_mcp.adapters.parse.test_files.go.flow import block_assertions
from loomstack_mcp.adapters.parse.test_files.go.names import go_local_names, values_of
from loomstack_mcp.adapters.parse.test_files.go.syntax import FAILS, SKIPS, called_within, function_name, statements_of
from loomstack_mcp.core.tampering.model import Inventory, Skip, Test, digest

_FUNCTIONS = ("function_declaration", "method_declaration")
_TEST = re.compile(r"(?:Test|Fuzz|Example)(?![a-z])")
_TESTER = re.compile(r"\*?testing\.(?:T|TB|F)\b")
_NO_TESTS = ("Benchmark", "Fuzz", "Example")
_IGNORED_BUILD = re.compile(r"(?m)^//\s*(?:go:build|\+build)\s+(?:ignore|never|disabled|skip|broken)\b")


def go_inventory(path: str, root: Node) -> Inventory:
    """The tests of a parsed file."""
    text = text_of(root)
    functions = _with_tester(root)
    helpers = {name: one for name, one in functions.items() if not _is_test(name)}
    # Build constraints stand before the package clause (go help buildconstraint).
    is_ignored = _IGNORED_BUILD.search(text.split("\npackage ", 1)[0])
    left_out = "a build tag leaves its file out" if is_ignored else ""
    tables = tables_of(root)
    tests = [
        _test(name, one, helpers, tables, uncollected=left_out or _uncollected(name))
        for name, one in functions.items()
        if _is_test(name) or _is_forgotten(name, text)
    ]
    return Inventory(path=path, tests=tuple(tests))


def _with_tester(root: Node) -> dict[str, Node]:
    """By name the functions that take a `testing.T` or are of a suite; of two methods of one name the last counts."""
    functions = {text_of(one.child_by_field_name("name")): one for one in root.named_children if one.type in _FUNCTIONS}
    return {name: one for name, one in functions.items() if _takes_tester(one)}


def _is_test(name: str) -> bool:
    return _TEST.match(name) is not None and name != "TestMain"


def _uncollected(name: str) -> str:
    return "" if _is_test(name) else "its name does not start with Test"


def _is_forgotten(name: str, text: str) -> bool:
    """Whether nothing calls what takes a `testing.T`: a test whose name `go test` passes over."""
    is_unused = len(re.findall(rf"\b{re.escape(name)}\b", text)) == 1
    return is_unused and not name.startswith(_NO_TESTS)


def _takes_tester(function: Node) -> bool:
    parameters = text_of(function.child_by_field_name("parameters"))
    receiver = text_of(function.child_by_field_name("receiver"))
    return _TESTER.search(parameters) is not None or "Suite" in receiver


def _test(
    name: str, function: Node, helpers: Mapping[str, Node], tables: Mapping[str, int], *, uncollected: str
) -> Test:
    body = function.child_by_field_name("body")
    values = values_of(body)
    scope = NodeScope(values=values, helpers=helpers)
    return Test(
        name=name,
        line=line_of(function),
        assertions=tuple(block_assertions(body, scope)) if body is not None else (),
        skip=_skip(body),
        cases=go_cases_of(body, tables),
        body=digest(" ".join(text_of(body).split())),
        names=frozenset(go_local_names(body) - values.keys()),
        uncollected=uncollected,
    )


def _skip(body: Node | None) -> Skip:
    """`always` where it skips before anything can fail, `when` where it skips somewhere."""
    if body is None:
        return ""
    for one in statements_of(body):
        if _always_skips(one):
            return "always"
        if any(FAILS.match(name) for name in called_within(one)):
            break
    return "when" if any(SKIPS.match(name) for name in called_within(body)) else ""


def _always_skips(statement: Node) -> bool:
    if SKIPS.match(function_name(statement)):
        return True
    condition = text_of(statement.child_by_field_name("condition"))
    inner = statement.child_by_field_name("consequence")
    if statement.type != "if_statement" or inner is None or condition not in ("true", "1 == 1", "!false"):
        return False
    return any(SKIPS.match(function_name(one)) for one in statements_of(inner))
