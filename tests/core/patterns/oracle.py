"""Patterns defined once more, naively and by enumeration: what `core/patterns/globs.py` is compared with."""

import re
from functools import cache
from itertools import product

_SET = re.compile(r"(?<!\\)\[")
NAMES = ["".join(letters) for size in (1, 2, 3) for letters in product("ab", repeat=size)]
SPELLED = ["[!a]", "[ab]a", "[a-b]", "[a-b]ab", "a[ab]", "[A-B]"]
FEW = ["a", "b", "ab", "B"]
PATHS = tuple(
    "/".join(names)
    for pool in (product([*NAMES, "A", "aB"], repeat=1), product([*NAMES, "A"], repeat=2))
    for names in pool
) + tuple("/".join(names) for depth in (3, 4) for names in product(FEW, repeat=depth))
PATHS += tuple("/".join(names) for depth in (1, 2) for names in product([*SPELLED, "a", "b"], repeat=depth))


@cache
def covered(text: str, *, ignore_case: bool = False) -> frozenset[str]:
    """The paths of PATHS that a pattern covers."""
    return frozenset(path for path in PATHS if is_covered(text, path, ignore_case=ignore_case))


def is_covered(text: str, path: str, *, ignore_case: bool = False) -> bool:
    fold = str.casefold if ignore_case else str
    return any(_path(fold(way), fold(path).split("/")) for way in spelled_out(text))


def spelled_out(text: str) -> list[str]:
    """Without braces: the innermost pair is spelled out first, until none is left."""
    close = text.find("}")
    if close < 0:
        return [text]
    start = text.rindex("{", 0, close)
    return [
        way
        for choice in text[start + 1 : close].split(",")
        for way in spelled_out(text[:start] + choice + text[close + 1 :])
    ]


def _path(text: str, names: list[str]) -> bool:
    steps = text.split("/")
    if steps[-1] == "":
        return any(_path("/".join(steps[:-1]), names[:size]) for size in range(1, len(names) + 1))
    if steps[-1] == "**":
        return any(_names(steps[:-1], names[:size]) for size in range(len(names)))
    return _names(steps, names)


def _names(steps: list[str], names: list[str]) -> bool:
    if not steps:
        return not names
    if steps[0] == "**":
        return any(_names(steps[1:], names[size:]) for size in range(len(names) + 1))
    return bool(names) and _is_named(steps[0], names[0]) and _names(steps[1:], names[1:])


def _is_named(step: str, name: str) -> bool:
    """By the set in the step, or by the text that spells it."""
    return _name(step, name) or _name(_SET.sub(r"\\[", step), name)


def _name(step: str, name: str) -> bool:
    if not step:
        return not name
    if step[0] == "*":
        return any(_name(step[1:], name[size:]) for size in range(len(name) + 1))
    if step[0] == "\\":
        return name[:1] == step[1] and _name(step[2:], name[1:])
    if step[0] == "[":
        close = step.index("]")
        return bool(name) and _one(step[1:close], name[0]) and _name(step[close + 1 :], name[1:])
    return bool(name) and step[0] in ("?", name[0]) and _name(step[1:], name[1:])


def _one(members: str, letter: str) -> bool:
    if members.startswith("!"):
        return not _one(members[1:], letter)
    if members[1:2] == "-":
        return members[0] <= letter <= members[2]
    return letter in members
