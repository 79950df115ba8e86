"""Do two patterns share a path; does a pattern cover a path. Both are decided exactly."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from loomstack_mcp.core.errors import Invalid, LimitExceeded
from loomstack_mcp.core.limits import PATTERN_BRACES_MAX, PATTERN_CHARS_MAX, SPELLED_CHARS_MAX
from loomstack_mcp.core.patterns.wildcards import ANY_NAME, Name, Route, name, shared_path, some_path

_SPECIAL = re.compile(r"[\\*?\[\]{}]")
_UNIT = re.compile(r"\\.|\[!?\]?(?:\\.|[^\]/\\])*\]|[{},]|[^\\\[{},]+|.", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Way:
    """A pattern without braces."""

    key: str
    literal: bool
    folder: bool
    """Exactly one folder, with everything below it."""
    tail: str
    """Literal characters that every covered path ends with."""
    route: Route

    @property
    def extension(self) -> str:
        """The file name extension, casefolded, of every covered path; "" where it may differ."""
        return self.tail.casefold().rpartition(".")[2] if "." in self.tail else ""


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """A set of paths, anchored at the repository's root."""

    text: str
    key: str = field(compare=False)
    """The longest literal folder above every covered path, with a final slash; "" for the root.
    A literal path is its own folder, `a/b.py/`."""
    literal: bool = field(compare=False)
    """Exactly one path."""
    ways: tuple[Way, ...] = field(compare=False)
    """What the braces spell out."""

    @cached_property
    def folded(self) -> tuple[Way, ...]:
        """The ways to compare with casefolded paths."""
        return tuple(_way(text, folded=True) for text in _spelled_out(self.text))


@lru_cache(maxsize=32_768)  # more than CANDIDATES_MAX, so that one wide request does not empty it
def pattern(text: str, /) -> Pattern:
    """Read a pattern.

    `a/b.py` is that path alone, `a/` that folder and everything below, `a/**` what is below it,
    `**` between slashes any number of folders. Braces are spelled out first, then each is read.
    Raises Invalid, or LimitExceeded for a text that is too long or braces that spell out too much.
    """
    if len(text) > PATTERN_CHARS_MAX:
        raise LimitExceeded(f"a pattern of {len(text)} characters, over {PATTERN_CHARS_MAX}; name the folder")
    ways = tuple(_way(each, folded=False) for each in _spelled_out(text))
    key = ways[0].key
    if len(ways) > 1:
        key = max(set(ancestors(key)).intersection(*(ancestors(way.key) for way in ways[1:])), key=len)
    return Pattern(text=text, key=key, literal=len(ways) == 1 and ways[0].literal, ways=ways)


def literal(path: str, /) -> str:
    """The text of the pattern that covers exactly this path."""
    return _SPECIAL.sub(r"\\\g<0>", path)


def overlap(a: Pattern, b: Pattern, /, *, ignore_case: bool = False) -> str:
    """A path that both cover, or "" where there is none.

    A literal path also overlaps whatever is anchored below it, with a path below as the answer:
    one of the two would have to be replaced for the other to exist. Where case is ignored,
    `?` and sets stand for one character of the casefolded path.
    """
    if not ignore_case:
        return next((path for mine in a.ways for theirs in b.ways if (path := _in_both(mine, theirs))), "")
    path = next((path for mine in a.folded for theirs in b.folded if (path := _in_both(mine, theirs))), "")
    spelled = max(a.key, b.key, key=len)[:-1]
    return path and spelled + path[len(spelled.casefold()) :]


def first_overlap(wanted: Sequence[str], held: Sequence[str], /, *, ignore_case: bool = False) -> str:
    """A path that a pattern of each side covers, or "" where no pair overlaps."""
    for mine in wanted:
        for theirs in held:
            if witness := overlap(pattern(mine), pattern(theirs), ignore_case=ignore_case):
                return witness
    return ""


def covers(wanted: Pattern, path: str, /, *, ignore_case: bool = False) -> bool:
    """Whether a normalized path, without a final slash, is among those of the pattern."""
    if ignore_case:
        path = path.casefold()
    return any(_covers(way, path) for way in (wanted.folded if ignore_case else wanted.ways))


def ancestors(key: str, /) -> tuple[str, ...]:
    """The key and every folder above it, the root "" first."""
    return ("", *(key[: at + 1] for at, character in enumerate(key) if character == "/"))


def below(key: str, /) -> tuple[str, str]:
    """The open range (low, high) that holds exactly the keys strictly below this one."""
    return (key, f"{key[:-1]}0") if key else ("", chr(0x10FFFF))  # "0" follows "/" in code point order


def _in_both(a: Way, b: Way) -> str:
    for upper, lower in ((a, b), (b, a)):
        is_below = lower.key != upper.key or lower.literal or lower.folder
        if (upper.folder or (upper.literal and is_below)) and lower.key.startswith(upper.key):
            return lower.key[:-1] if lower.literal or lower.folder else some_path(lower.route)
    near = a.key.startswith(b.key) or b.key.startswith(a.key)
    if near and (a.tail.endswith(b.tail) or b.tail.endswith(a.tail)):
        return shared_path(a.route, b.route)
    return ""


def _covers(way: Way, path: str) -> bool:
    if way.literal:
        return path == way.key[:-1]
    if not f"{path}/".startswith(way.key) or not path.endswith(way.tail):
        return False
    return way.folder or bool(shared_path((tuple(path.split("/")),), way.route))


def _spelled_out(text: str) -> list[str]:
    """The texts that braces stand for, nested ones too."""
    if "{" not in text:
        return [text]
    outer: list[tuple[list[str], list[str]]] = []
    done, current = list[str](), [""]
    for unit in _UNIT.findall(text):
        if unit == "{":
            outer.append((done, current))
            done, current = [], [""]
        elif unit == "," and outer:
            done, current = done + current, [""]
        elif unit == "}" and outer:
            choices = list(dict.fromkeys(done + current))
            if not done:
                raise Invalid(f"{{{choices[0]}}} in {text} is no choice; write {{a,b}}, or \\{{ for a brace")
            done, before = outer.pop()
            current = [start + choice for start in before for choice in choices]
        else:
            current = [start + unit for start in current]
        if len(done) + len(current) > PATTERN_BRACES_MAX or sum(map(len, current)) > SPELLED_CHARS_MAX:
            raise LimitExceeded(
                f"{text[:80]} spells out more than {PATTERN_BRACES_MAX} patterns or {SPELLED_CHARS_MAX} "
                "characters; name the folder above them"
            )
    if outer:
        raise Invalid(f"{{ is never closed in {text}; write \\{{ for that character")
    return list(dict.fromkeys(current))


def _way(text: str, *, folded: bool) -> Way:
    segments = text.removesuffix("/").split("/")
    if not {"", ".", ".."}.isdisjoint(segments):
        raise Invalid(f"{text or 'nothing'} is no path from the repository's root; write it like src/app.py")
    route: list[tuple[Name, ...]] = [()]
    for segment in segments:
        if segment == "**":
            route.append(())
        else:
            route[-1] = (*route[-1], name(segment, folded=folded))
    if segments[-1] == "**":
        route[-1] = (ANY_NAME,)
    if text.endswith("/"):
        route.append(())
    return _read(route)


def _read(route: list[tuple[Name, ...]]) -> Way:
    leading: list[str] = []
    for each in route[0]:
        if not isinstance(each, str):
            break
        leading.append(each)
    last = route[-1][-1] if route[-1] else ""
    tail = last if isinstance(last, str) else last[-1]
    named = len(leading) == len(route[0])
    return Way(
        key="".join(f"{each}/" for each in leading),
        literal=len(route) == 1 and named,
        folder=len(route) == 2 and named and bool(leading) and not route[1],
        tail=tail if isinstance(tail, str) else "",
        route=(route[0], *(part for part in route[1:-1] if part), *route[1:][-1:]),
    )
