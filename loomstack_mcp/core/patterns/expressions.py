"""A route of names as a regular expression, whose time stays near linear."""

import re

from loomstack_mcp.core.patterns.wildcards import Letter, Name, Readings, Route


def route_expression(route: Route, /) -> str:
    """The text of an expression that matches each covered path, and what begins with one and a slash."""
    *parts, rest = route
    written = []
    for number, part in enumerate(parts):
        end = "/" if rest or number < len(parts) - 1 else r"(?:/|\Z)"
        names = "/".join(map(_name_expression, part)) + end if part else ""
        written.append(f"(?>(?:[^/]+/)*?{names})" if number else names)
    return "".join(written)


def _name_expression(name: Name) -> str:
    if isinstance(name, str):
        return re.escape(name)
    if isinstance(name, Readings):
        return f"(?:{'|'.join(map(_name_expression, name.readings))})"
    first, *others = ("".join(map(_letter_expression, part)) for part in name)
    return first + "".join(
        f"(?>[^/]*?{other})" if number < len(others) else f"[^/]*{other}" for number, other in enumerate(others, 1)
    )


def _letter_expression(letter: Letter) -> str:
    if isinstance(letter, str):
        return re.escape(letter)
    members = "".join(re.escape(member) for member in sorted(letter.members))
    if letter.negated:
        return f"[^/{members}]"
    return f"[{members}]" if members else "(?!)"
