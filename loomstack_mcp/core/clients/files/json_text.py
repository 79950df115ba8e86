"""JSON that people wrote: read without losing anything, printed again as it was spelled."""

import json
import re
from typing import Any

from loomstack_mcp.core.errors import Invalid

_INDENT = re.compile(r"^([ \t]+)\"", re.MULTILINE)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

JsonTree = dict[str, Any]


class _Number(str):
    """A number as the text spells it: 1e2 is not to become 100.0."""

    __slots__ = ()


def parsed_json(path: str, text: str) -> JsonTree:
    """The object that the text holds; an empty one where it is blank. Raises Invalid, naming `path`."""
    if not text.strip():
        return {}

    def once(pairs: list[tuple[str, Any]]) -> JsonTree:
        tree: JsonTree = {}
        for name, value in pairs:
            if name in tree:
                raise Invalid(
                    f"{path} has the key {leaf(name)} twice in one object; take one out first, nothing was changed"
                )
            tree[name] = value
        return tree

    try:
        tree = json.loads(text, object_pairs_hook=once, parse_int=_Number, parse_float=_Number, parse_constant=_Number)
    except (ValueError, RecursionError) as error:
        where = f":{error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise Invalid(f"{path}{where} is not valid JSON; mend the file first, nothing was changed") from None
    if not isinstance(tree, dict):
        raise Invalid(f"{path} holds no JSON object; mend the file first, nothing was changed")
    return tree


def indent_of(text: str) -> str:
    """The blanks by which the text is indented; two spaces where that cannot be told."""
    found = _INDENT.search(text)
    return found[1] if found else "  "


def branch(tree: JsonTree, name: str, empty: Any) -> Any:
    """What is under that name, else `empty`. Raises Invalid where it is of another kind than `empty`."""
    found = tree.get(name, empty)
    if not isinstance(found, type(empty)):
        raise Invalid(f"{name} is no {'list' if isinstance(empty, list) else 'object'}")
    return found


def pruned(tree: JsonTree, name: str, value: Any) -> JsonTree:
    """The tree with that value, or without the name where the value is empty and was not before."""
    if value == tree.get(name):
        return tree
    return {**tree, name: value} if value else {key: kept for key, kept in tree.items() if key != name}


def without_entry(tree: JsonTree, name: str, entry: str) -> JsonTree:
    """The tree without that entry of a list, and without the list where it had no other."""
    found = tree.get(name)
    return pruned(tree, name, [each for each in found if each != entry]) if isinstance(found, list) else tree


def json_spelled(value: object, indent: str, line: str) -> str:
    """As json.dumps does it, which prints no number but its own; `line` starts a line at the value's depth.

    Where that is empty, all is on one line.
    """
    if isinstance(value, _Number):
        return str(value)
    deeper = line + indent
    comma = f",{deeper}" if line else ", "
    if isinstance(value, dict) and value:
        items = (f"{leaf(name)}: {json_spelled(inner, indent, deeper)}" for name, inner in value.items())
        return f"{{{deeper}{comma.join(items)}{line}}}"
    if isinstance(value, list) and value:
        return f"[{deeper}{comma.join(json_spelled(inner, indent, deeper) for inner in value)}{line}]"
    return leaf(value)


def leaf(value: object) -> str:
    """A string as JSON: UTF-8 has no lone surrogates, so these alone are escaped."""
    return _LONE_SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))
