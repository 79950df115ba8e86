"""What two sequences with wildcards share: characters within a name, and names within a path.

Both levels have the same shape, a row of elements with gaps that take anything, so one function
decides both. Such rows need no product of automata: where each side has a gap, the two share a word
exactly when their heads agree and their tails agree, since everything between fits into the gaps
one after the other; where one side has none, the leftmost fit of each part is as good as any.
"""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Generic, TypeVar

from loomstack_mcp.core.patterns.wildcards import ANY_LETTER, ANY_NAME, Letter, Letters, Name, Readings, Route
from loomstack_mcp.core.records import record

Element = TypeVar("Element")
"""A letter of a name, or a name of a path."""


@record
class _Level(Generic[Element]):
    both: Callable[[Element, Element], str]
    """What both elements stand for, or ""."""
    anything: Element
    filler: tuple[str, ...]
    """Put into a gap at the beginning of a word, for the reader."""


def shared_path(a: Route, b: Route, /) -> str:
    """A path on both routes, or ""."""
    return "/".join(_shared(a, b, _PATHS) or ())


def some_path(route: Route, /) -> str:
    """One path on the route."""
    return "/".join(_sample([name for part in route for name in part], _PATHS))


def _letter_in_both(a: Letter, b: Letter) -> str:
    if isinstance(a, str):
        fits = a == b if isinstance(b, str) else (a in b.members) != b.negated
        return a if fits else ""
    if isinstance(b, str):
        return b if (b in a.members) != a.negated else ""
    return _letter_of_both(a, b)


def _letter_of_both(a: Letters, b: Letters) -> str:
    if a.negated and b.negated:
        taken = a.members | b.members
        # Folded names hold no capitals, so a capital would be no answer where case is ignored; and from U+D800 on
        # lie surrogates, which no text holds.
        letters = map(chr, chain(range(ord("x"), 0xD800), range(ord("0"), ord("x"))))
        return next((one for one in letters if one not in taken and one.casefold() == one), "")
    if a.negated:
        return min(b.members - a.members, default="")
    return min(a.members - b.members if b.negated else a.members & b.members, default="")


def _name_in_both(a: Name, b: Name) -> str:
    if isinstance(a, Readings):
        return next((name for one in a.readings if (name := _name_in_both(one, b))), "")
    if isinstance(b, Readings):
        return _name_in_both(b, a)
    if isinstance(a, str):
        if isinstance(b, str):
            return a if a == b else ""
        if b is ANY_NAME:
            return a
        a = (a,)
    elif isinstance(b, str):
        b = (b,)
    return "".join(_shared(a, b, _NAMES) or ())


def _shared(a: Sequence[Sequence[Element]], b: Sequence[Sequence[Element]], level: _Level[Element]) -> list[str] | None:
    """A word of both rows of parts, or None."""
    if len(a) == 1:
        return _threaded(a[0], b, level)
    if len(b) == 1:
        return _threaded(b[0], a, level)
    # Both sides have a gap, so only what is fixed at either end can disagree.
    head = _beside(a[0], b[0], level)
    if head is None:
        return None
    tail = _beside(a[-1][::-1], b[-1][::-1], level)
    if tail is None:
        return None
    middle = [element for part in (*a[1:-1], *b[1:-1]) for element in part]
    return [*(head or level.filler), *_sample(middle, level), *reversed(tail)]


def _threaded(word: Sequence[Element], parts: Sequence[Sequence[Element]], level: _Level[Element]) -> list[str] | None:
    """Fit the parts into a row of fixed length, each as far left as it goes."""
    room = len(word) - sum(map(len, parts))
    if room < 0 or (room and len(parts) == 1):
        return None
    # The first part has to begin the word and the last one to end it; for those between, a fit further right leaves
    # the rest less room and no other choice, so there is nothing to go back for.
    found: list[str] = []
    at, last = 0, len(parts) - 1
    for number, part in enumerate(parts):
        lowest = at + room if number == last else at
        highest = at if number == 0 else at + room
        for start in range(lowest, highest + 1):
            fit = _beside(word[start : start + len(part)], part, level)
            if fit is not None:
                break
        else:
            return None
        found += [*_sample(word[at:start], level), *fit]
        room -= start - at
        at = start + len(part)
    return found


def _beside(a: Sequence[Element], b: Sequence[Element], level: _Level[Element]) -> list[str] | None:
    """Both rows from their beginnings on, to the end of the longer one."""
    if isinstance(a, str) and isinstance(b, str):
        return list(a) if a.startswith(b) else list(b) if b.startswith(a) else None
    size = min(len(a), len(b))
    found = []
    for mine, theirs in zip(a, b, strict=False):
        both = level.both(mine, theirs)
        if not both:
            return None
        found.append(both)
    return found + _sample(a[size:] or b[size:], level)


def _sample(row: Sequence[Element], level: _Level[Element]) -> list[str]:
    return list(row) if isinstance(row, str) else [level.both(element, level.anything) for element in row]


_NAMES: _Level[Letter] = _Level(both=_letter_in_both, anything=ANY_LETTER, filler=("x",))
_PATHS: _Level[Name] = _Level(both=_name_in_both, anything=ANY_NAME, filler=())
