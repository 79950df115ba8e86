"""Do two patterns share a path? Decided exactly, on the product of two automata."""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from loomstack_mcp.core.errors import Invalid, LimitExceeded
from loomstack_mcp.core.limits import PATTERN_BRACES_MAX, PATTERN_CHARS_MAX
from loomstack_mcp.core.segments import ANY_NAME, Segment, name_in_both, segment

Step = Segment | None
"""One segment of a path; None stands for any number of them, none included."""

_SPECIAL = re.compile(r"[*?\[\]{}\\]")
_AFTER_ALL = chr(0x10FFFF)


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """A set of paths, anchored at the repository's root."""

    text: str
    key: str
    """The longest literal folder above every covered path, with a final slash; a literal path is its own folder."""
    literal: bool
    """Exactly one path."""
    folder: bool
    """Exactly one folder, with everything below it."""
    ways: tuple[tuple[Step, ...], ...]
    """The alternatives that braces spell out, each a sequence of segments."""


@lru_cache(maxsize=32_768)
def pattern(text: str, /) -> Pattern:
    """Read a canonical pattern.

    `a/b.py` is that path alone, `a/` that folder and everything below, `a/**` what is below it,
    `**` between slashes any number of folders. Raises Invalid or LimitExceeded.
    """
    if len(text) > PATTERN_CHARS_MAX:
        raise LimitExceeded(f"a pattern of {len(text)} characters; {PATTERN_CHARS_MAX} is the most")
    if not _SPECIAL.search(text):
        return _plain(text)
    ways = tuple(_steps(way) for way in _alternatives(text))
    keys = [_key(way) for way in ways]
    key = keys[0] if len(keys) == 1 else _common(keys)
    [*names, last] = ways[0]
    named = len(ways) == 1 and all(step and step.literal is not None for step in names)
    literal = named and last is not None and last.literal is not None
    return Pattern(text=text, key=key, literal=literal, folder=named and last is None and bool(names), ways=ways)


def literal(path: str, /) -> str:
    """The pattern that covers exactly this path."""
    return _SPECIAL.sub(lambda match: f"\\{match[0]}", path)


def overlap(a: Pattern, b: Pattern, /, *, ignore_case: bool = False) -> str:
    """A path that both cover, or "" where there is none.

    A literal path also overlaps with whatever is anchored below it: one of the two would have to
    be replaced for the other to exist.
    """
    if ignore_case:
        a, b = pattern(a.text.casefold()), pattern(b.text.casefold())
    if not (a.key.startswith(b.key) or b.key.startswith(a.key)):
        return ""
    for upper, lower in ((a, b), (b, a)):
        if (upper.literal and len(lower.key) > len(upper.key)) or (upper.folder and len(lower.key) >= len(upper.key)):
            return _own(lower)
    if a.literal and b.literal:
        return a.key[:-1]  # neither lies above the other, so they are one path
    return next((path for way in a.ways for other in b.ways if (path := _path(way, other))), "")


def ancestors(key: str, /) -> tuple[str, ...]:
    """The key and every folder above it, the root "" first."""
    return ("", *(key[: at + 1] for at, character in enumerate(key) if character == "/"))


def below(key: str, /) -> tuple[str, str]:
    """The open range (low, high) that holds exactly the keys strictly below this one."""
    return (key, f"{key[:-1]}0") if key else ("", _AFTER_ALL)  # "0" follows "/" in code point order


def _plain(text: str) -> Pattern:
    names = text.split("/")
    is_folder = names[-1] == ""
    if is_folder:
        names.pop()
    if not all(names) or not names or "." in names or ".." in names:
        raise _misshapen(text)
    steps: list[Step] = [Segment(name) for name in names]
    key = text if is_folder else f"{text}/"
    way = (*steps, None) if is_folder else tuple(steps)
    return Pattern(text=text, key=key, literal=not is_folder, folder=is_folder, ways=(way,))


def _steps(text: str) -> tuple[Step, ...]:
    names = _split(text)
    is_folder = names[-1] == ""
    if is_folder:
        names.pop()
    if not all(names) or not names or "." in names or ".." in names:
        raise _misshapen(text)
    steps: list[Step] = [None if name == "**" else segment(name) for name in names]
    if steps[-1] is None:
        steps[-1:] = [ANY_NAME, None]
    elif is_folder:
        steps.append(None)
    return tuple(step for at, step in enumerate(steps) if step or not at or steps[at - 1])


def _misshapen(text: str) -> Invalid:
    return Invalid(f"{text or 'an empty pattern'} is no path from the repository's root; write it like src/app.py")


def _split(text: str) -> list[str]:
    """The segments between slashes; an escaped slash is a slash."""
    return text.replace("\\/", "/").split("/")


def _own(covering: Pattern) -> str:
    """Some path that the pattern covers."""
    if covering.literal or covering.folder:
        return covering.key[:-1]
    return _path(covering.ways[0], covering.ways[0])


def _key(way: tuple[Step, ...]) -> str:
    names = []
    for step in way:
        if step is None or step.literal is None:
            break
        names.append(f"{step.literal}/")
    return "".join(names)


def _common(keys: list[str]) -> str:
    shared = set(ancestors(keys[0])).intersection(*(ancestors(key) for key in keys[1:]))
    return max(shared, key=len)


def _path(a: tuple[Step, ...], b: tuple[Step, ...]) -> str:
    """A path on both ways, or "". The last names decide most cases, so they are compared first."""
    if a[-1] and b[-1] and not name_in_both(a[-1], b[-1]):
        return ""
    rests: list[list[tuple[str, ...] | None]] = [[None] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a), -1, -1):
        for j in range(len(b), -1, -1):
            rests[i][j] = _rest(a, b, i, j, rests)
    return "/".join(rests[0][0] or ())


def _rest(
    a: tuple[Step, ...], b: tuple[Step, ...], i: int, j: int, rests: list[list[tuple[str, ...] | None]]
) -> tuple[str, ...] | None:
    """The shared rest of a path after `i` steps of one way and `j` of the other."""
    if i == len(a) and j == len(b):
        return ()
    if i < len(a) and a[i] is None and (rest := rests[i + 1][j]) is not None:
        return rest
    if j < len(b) and b[j] is None and (rest := rests[i][j + 1]) is not None:
        return rest
    if i == len(a) or j == len(b):
        return None
    mine, theirs = a[i], b[j]
    if mine is None or theirs is None:
        named = mine or theirs
        if named is None:
            return None
        name, rest = name_in_both(named, ANY_NAME), rests[i + (mine is not None)][j + (theirs is not None)]
    else:
        name, rest = name_in_both(mine, theirs), rests[i + 1][j + 1]
    return (name, *rest) if name and rest is not None else None


def _alternatives(text: str) -> list[str]:
    """The texts that braces spell out, nested ones too."""
    done: list[str] = []
    open_ones = [text]
    while open_ones:
        if len(done) + len(open_ones) > PATTERN_BRACES_MAX:
            raise LimitExceeded(f"{text[:80]} spells out more than {PATTERN_BRACES_MAX} patterns; claim the folder")
        current = open_ones.pop()
        span = _first_braces(current)
        if span is None:
            done.append(current)
        else:
            start, end, inner = span
            open_ones += [f"{current[:start]}{choice}{current[end + 1 :]}" for choice in reversed(inner)]
    return done


def _first_braces(text: str) -> tuple[int, int, list[str]] | None:
    """Where the first outermost `{…}` opens and closes, and its alternatives."""
    depth, start, commas, at = 0, -1, list[int](), 0
    while at < len(text):
        character = text[at]
        if character == "\\":
            at += 1
        elif character == "{":
            if depth == 0:
                start = at
            depth += 1
        elif character == "}" and depth:
            depth -= 1
            if depth == 0:
                edges = [start, *commas, at]
                return start, at, [text[low + 1 : high] for low, high in pairwise(edges)]
        elif character == "," and depth == 1:
            commas.append(at)
        at += 1
    if depth:
        raise Invalid(f"{text} opens {{ and never closes it; write \\{{ for a brace in a name")
    return None
