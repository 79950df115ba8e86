"""Do two patterns share a path; does a pattern cover a path. Both are decided exactly."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import field
from functools import cached_property, lru_cache

from loomstack_mcp.core.errors import Invalid, LimitExceeded
from loomstack_mcp.core.limits import PATTERN_CHARS_MAX
from loomstack_mcp.core.patterns.braces import alternatives
from loomstack_mcp.core.patterns.keys import ancestors
from loomstack_mcp.core.patterns.segments import name_of
from loomstack_mcp.core.patterns.sharing import shared_path, some_path
from loomstack_mcp.core.patterns.wildcards import ANY_NAME, Name, Readings, Route, leading_names
from loomstack_mcp.core.records import record

_SPECIAL = re.compile(r"[\\*?\[\]{}]")
_ESCAPED = re.compile(r"\\(.)")


@record
class Way:
    """A pattern without braces."""

    key: str
    literal: bool
    folder: bool
    """Exactly one folder, with everything below it."""
    named: bool
    """One of the two: all of it is literal names."""
    tail: str
    """Literal characters that every covered path ends with."""
    route: Route

    @property
    def extension(self) -> str:
        """The file name extension, casefolded, of every covered path; "" where it may differ."""
        return self.tail.casefold().rpartition(".")[2] if "." in self.tail else ""


@record
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
        return tuple(_way(text, folded=True) for text in alternatives(self.text))


@lru_cache(maxsize=32_768)  # more than CANDIDATES_MAX, so that one wide request does not empty it
def pattern(text: str, /) -> Pattern:
    """Read a pattern.

    `a/b.py` is that path alone, `a/` that folder and everything below, `a/**` what is below it,
    `**` between slashes any number of folders. Braces are spelled out first, then each is read.
    Raises Invalid, or LimitExceeded for a text that is too long or braces that spell out too much.
    """
    if len(text) > PATTERN_CHARS_MAX:
        raise LimitExceeded(f"a pattern of {len(text)} characters, over {PATTERN_CHARS_MAX}; name the folder")
    ways = tuple(_way(each, folded=False) for each in alternatives(text))
    key = ways[0].key
    if len(ways) > 1:
        key = max(set(ancestors(key)).intersection(*(ancestors(way.key) for way in ways[1:])), key=len)
    return Pattern(text=text, key=key, literal=len(ways) == 1 and ways[0].literal, ways=ways)


def literal(path: str, /) -> str:
    """The text of the pattern that covers exactly this path, in form C, as the patterns of claims are."""
    return _SPECIAL.sub(r"\\\g<0>", unicodedata.normalize("NFC", path))


def literal_path(text: str, /) -> str:
    """The path that a pattern covers which `literal` made."""
    return _ESCAPED.sub(r"\1", text)


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
    """Whether a normalized path, without a final slash, is among those of the pattern, in form C."""
    path = unicodedata.normalize("NFC", path)
    if ignore_case:
        path = path.casefold()
    return any(_covers(way, path) for way in (wanted.folded if ignore_case else wanted.ways))


def _in_both(a: Way, b: Way) -> str:
    if path := _anchored(a, b) or _anchored(b, a):
        return path
    # Two cheap questions before the expensive one: most pairs differ in their folders or in how their names end.
    near = a.key.startswith(b.key) or b.key.startswith(a.key)
    if near and (a.tail.endswith(b.tail) or b.tail.endswith(a.tail)):
        return shared_path(a.route, b.route)
    return ""


def _anchored(upper: Way, lower: Way) -> str:
    """A path of `lower`, where `upper` is one path or one folder and holds it; else ""."""
    is_below = lower.named or lower.key != upper.key
    if (upper.folder or (upper.literal and is_below)) and lower.key.startswith(upper.key):
        return lower.key[:-1] if lower.named else some_path(lower.route)
    return ""


def _covers(way: Way, path: str) -> bool:
    if way.literal:
        return path == way.key[:-1]
    if not f"{path}/".startswith(way.key) or not path.endswith(way.tail):
        return False
    return way.folder or bool(shared_path((tuple(path.split("/")),), way.route))


def _way(text: str, *, folded: bool) -> Way:
    segments = text.removesuffix("/").split("/")
    if not {"", ".", ".."}.isdisjoint(segments):
        raise Invalid(f"{text or 'nothing'} is no path from the repository's root; write it like src/app.py")
    route: list[tuple[Name, ...]] = [()]
    for segment in segments:
        if segment == "**":
            route.append(())
        else:
            route[-1] = (*route[-1], name_of(segment, folded=folded))
    if segments[-1] == "**":
        route[-1] = (ANY_NAME,)
    if text.endswith("/"):
        route.append(())
    return _way_along(route)


def _way_along(route: list[tuple[Name, ...]]) -> Way:
    leading = leading_names(route[0])
    is_named = len(leading) == len(route[0])
    literal = is_named and len(route) == 1
    folder = is_named and len(route) == 2 and bool(leading) and not route[1]
    return Way(
        key="".join(f"{name}/" for name in leading),
        literal=literal,
        folder=folder,
        named=literal or folder,
        tail=_tail(route[-1]),
        route=(route[0], *(part for part in route[1:-1] if part), *route[1:][-1:]),
    )


def _tail(part: tuple[Name, ...]) -> str:
    """The literal characters that the last name of a part ends with."""
    last = part[-1] if part else ""
    if isinstance(last, Readings):  # behind the last star both end alike, or the first ends with a set
        last = last.readings[0]
    tail = last if isinstance(last, str) else last[-1]
    return tail if isinstance(tail, str) else ""
