"""The names of a JavaScript file and of a test in it: imported, local, constant, replaced by a mock."""

import re
from collections.abc import Iterator

from tree_sitter import Node

from loomstack_mcp.adapters.parse.nodes import nodes_within, text_of
from loomstack_mcp.adapters.parse.test_files.javascript.syntax import FUNCTIONS, call_arguments, string_of
from loomstack_mcp.adapters.parse.test_files.spelling import spelled

_VALUE_CHARS_MAX = 300
"""Longer values stay behind their name."""
_REQUIRED = re.compile(r"(?:const|let|var)\s+(.+?)\s*=\s*require\(['\"](.+?)['\"]\)", re.DOTALL)
_REQUIRED_CHARS_MAX = 1_000
_MOCK = re.compile(r"(?:jest|vi)\.(?:mock|doMock)\(")
_SPY = re.compile(r"(?:jest|vi)\.spyOn\(\s*([\w.]+)\s*,\s*['\"](\w+)['\"]\s*\)([.\w]*)")
_STUB = re.compile(r"sinon\.stub\(\s*([\w.]+)\s*,\s*['\"](\w+)['\"]")
_DECLARED = ("variable_declarator", "required_parameter", "formal_parameters")


def imports_of(root: Node) -> dict[str, tuple[str, ...]]:
    """The names that the file imports or requires, by the module as it is written."""
    found: dict[str, tuple[str, ...]] = {}
    for node in root.named_children:
        if node.type == "import_statement":
            source = text_of(node.child_by_field_name("source")).strip("'\"")
            found[source] = tuple(text_of(one) for one in nodes_within(node) if one.type == "identifier")
        elif required := _REQUIRED.match(text_of(node)[:_REQUIRED_CHARS_MAX]):
            found[required[2]] = tuple(re.findall(r"\w+", required[1]))
    return found


def helpers_of(root: Node) -> dict[str, Node]:
    """The functions that assert something, by name."""
    found: dict[str, Node] = {}
    for node in nodes_within(root):
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        function = node if node.type == "function_declaration" else value
        if name is not None and function is not None and function.type in FUNCTIONS and "expect" in text_of(function):
            found[text_of(name)] = function
    return found


def script_local_names(body: Node | None) -> set[str]:
    """All that a test declares, its parameters too."""
    return set(_declared(body))


def constants_of(body: Node | None) -> dict[str, str]:
    """Local constants with a short value."""
    found: dict[str, str] = {}
    several: set[str] = set()
    for declarator, name, value in _declarators(body):
        several |= {name} & found.keys()
        is_short = len(text_of(value)) < _VALUE_CHARS_MAX and value.type not in FUNCTIONS
        if is_short and text_of(declarator.parent).startswith("const"):
            awaited = value.named_children[0] if value.type == "await_expression" else value
            found[name] = spelled(awaited, found)
    return {name: value for name, value in found.items() if name not in several}


def script_mocks_of(root: Node, imports: dict[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    """What the file imports from modules that it replaces, under no owner."""
    for node in nodes_within(root):
        if node.type == "call_expression" and _MOCK.match(text_of(node)):
            module = string_of(next(iter(call_arguments(node)), None))
            yield from (("", name) for name in imports.get(module, ()))


def stubs_of(content: Node) -> Iterator[tuple[str, str]]:
    """Owner and name of what a test replaces; a spy only where it is told what to answer, for else it calls through."""
    text = text_of(content)
    for owner, name, rest in _SPY.findall(text):
        if "mock" in rest:
            yield owner.split(".")[-1], name
    for owner, name in _STUB.findall(text):
        yield owner.split(".")[-1], name


def _declared(body: Node | None) -> Iterator[str]:
    for node in nodes_within(body) if body is not None else ():
        if node.type in _DECLARED:
            target = node.child_by_field_name("name") or node.child_by_field_name("pattern") or node
            for one in nodes_within(target):
                if one.type.endswith(("identifier", "identifier_pattern")):
                    yield text_of(one)


def _declarators(body: Node | None) -> Iterator[tuple[Node, str, Node]]:
    """Each declaration of one name with a value: its node, the name, the value's node."""
    for node in nodes_within(body) if body is not None else ():
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if node.type != "variable_declarator" or name is None or value is None:
            continue
        if name.type == "identifier":
            yield node, text_of(name), value
