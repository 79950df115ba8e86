"""What the arguments of a call name: ids and repos, however deep they lie in them, and put in others' place."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Any, cast

from loomstack_mcp.core.records import record
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller

_ID = re.compile(r"(run|claim|note|out|conf|dec|apr|evid|dep)_[0-9A-Z]{8}")
_REPOS = frozenset({"repo_id", "repo"})
_WORDS = frozenset(
    {"text", "intent", "goal", "summary", "why", "tried", "query", "title", "link", "links", "loop", "key", "finding"}
    | {"to", "shown", "unshown", "branch", "worktree", "folder", "session", "agent", "message", "expected", "asked"}
)
"""Fields of what people and agents say, where an id is a word like any other."""
_WHOLE = (Checkout, Caller)
"""Of whose parts none is looked at here."""


@record
class Named:
    """Something that a call is about, by its id or name."""

    text: str
    is_repo: bool


def named_in(value: Any, name: str = "") -> Iterator[Named]:
    """All that a value names."""
    if isinstance(value, str):
        if name in _REPOS or (name not in _WORDS and _ID.fullmatch(value)):
            yield Named(text=value, is_repo=name in _REPOS)
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from named_in(key)
            yield from named_in(one, name)
    elif isinstance(value, tuple | list):
        for one in value if _may_name(value) else ():
            yield from named_in(one, name)
    elif is_dataclass(value) and not isinstance(value, _WHOLE):
        for field in _field_names(value.__class__):
            yield from named_in(getattr(value, field), field)


def named_in_arguments(arguments: Mapping[str, Any]) -> Iterator[Named]:
    """All that arguments name."""
    for name, one in arguments.items():
        yield from named_in(one, name)


def mapped(value: Any, told: Callable[[Named], str], name: str = "") -> Any:
    """The value with something else in the place of what it names."""
    if isinstance(value, str):
        return next((told(one) for one in named_in(value, name)), value)
    if isinstance(value, Mapping):
        return {mapped(key, told): mapped(one, told, name) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return tuple(mapped(one, told, name) for one in value) if _may_name(value) else value
    if not is_dataclass(value) or isinstance(value, _WHOLE):
        return value
    changed = {each: mapped(getattr(value, each), told, each) for each in _field_names(value.__class__)}
    return replace(cast("Any", value), **changed)


def typed_id(text: str) -> str:
    """An id as a person typed it."""
    noun, _, letters = text.strip().partition("_")
    return f"{noun.lower()}_{letters.upper()}"


def unknown_id(text: str, number: int) -> str:
    """An id of the same noun that was never drawn: no id has the letter U."""
    return f"{text.partition('_')[0]}_U{number:07d}"


def unknown_repo(name: str) -> str:
    """A repo that nobody has: no name of one has a line's end."""
    return f"{name}\n"


def _may_name(value: tuple[Any, ...] | list[Any]) -> bool:
    """Whether it is no list of numbers, of which lines have thousands."""
    return not (value and isinstance(value[0], int | float))


@cache
def _field_names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))
