"""Path patterns of policies: gitignore's globs, without the spellings that git reads in a surprising way.

A pattern without a slash floats, `/x` is anchored, a folder covers what is below it, and a pattern that
ends with a slash covers only that. Braces are choices, as in claims. Rules protect loosely and except exactly,
so that no other spelling of a name escapes a rule, and none widens an exception: where a rule protects, `[id]`
is also a folder of that name; in an exception it is one letter, as in git. A range that runs backwards, `[post-id]`,
is a name in both. Source: gitignore(5); `git check-ignore` is the oracle of the tests.
"""

import re
from collections.abc import Sequence
from functools import cached_property, lru_cache

from loomstack_mcp.core.errors import Invalid, LimitExceeded
from loomstack_mcp.core.patterns.braces import alternatives, without_false_braces
from loomstack_mcp.core.patterns.expressions import route_expression
from loomstack_mcp.core.patterns.gitignore_routes import route_of
from loomstack_mcp.core.patterns.segments import without_false_sets
from loomstack_mcp.core.patterns.spellings import Fold, composed, folded, folded_name
from loomstack_mcp.core.patterns.wildcards import ANY_NAME, Route, leading_names

# What a path need not have as it stands; behind a backslash, the character that it names.
_WILD = re.compile(r"\\.|\*+|\?|\[[!^]?+(?:\\.|[^\\])(?:\\.|[^\]\\])*\]", re.DOTALL)


class Matcher:
    """The patterns of one list. Paths are relative to the repository's root, without a slash at either end."""

    def __init__(self, patterns: tuple[str, ...]) -> None:
        forms = tuple(map(composed, patterns))
        self._exact = _Spelling(patterns, patterns, str)
        self._composed = _Spelling(patterns, forms, str, spelled=True)
        self._folded = _Spelling(patterns, forms, folded_name, spelled=True)
        self._alike = self._folded.routes == self._composed.routes
        self._needles = _needles(spelled_out(patterns))

    def exact(self, path: str) -> str:
        """The first pattern that covers precisely this spelling of the path, or ""."""
        return self._exact.cover(path)

    def loose(self, path: str) -> str:
        """The first pattern that covers the path once both are `folded`, or else in form C; or ""."""
        form = folded(path)
        # What form C covers begins, folded, with the folded head: heads are whole names.
        if not form.startswith(self._folded.heads):
            return ""
        if (found := self._folded.cover(form)) or (self._alike and form == path):
            return found
        return self._composed.cover(composed(path))

    def among(self, paths: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the paths that `loose` covers; for many paths and rules several times as fast."""
        if self._needles and (text := _joined(paths)) and not any(needle in text for needle in self._needles):
            return ()
        heads = self._folded.heads
        near = [path for path, form in _with_forms(paths) if form.startswith(heads)]
        return tuple(path for path in near if self.loose(path))

    def below(self, folder: str) -> str:
        """The first pattern that covers some path that may lie in this folder, loosely; or "". "" is the root."""
        return self._folded.meets(_inside(folded(folder))) or self._composed.meets(_inside(composed(folder)))

    def shared(self, claim: str) -> str:
        """The first pattern that covers, loosely, a path of a claim's pattern by the path's own name; or ""."""
        from loomstack_mcp.core.patterns.globs import pattern  # claims, which no edit of a hook is held against here

        routes = [way.route for way in pattern(claim.removesuffix("/")).folded]
        told = [route for route in routes if route[-1] and route[-1][-1] is not ANY_NAME]
        return next((hit for route in told if (hit := self._folded.names(route))), "")


@lru_cache(maxsize=4_096)
def _compiled(patterns: tuple[str, ...]) -> Matcher:
    return Matcher(patterns)


def compiled(patterns: Sequence[str], /) -> Matcher:
    """A matcher of these patterns. Raises Invalid for the first that is no pattern, with the reason."""
    return _compiled(tuple(patterns))


def spelled_out(patterns: Sequence[str], /) -> tuple[str, ...]:
    """The patterns without braces that they stand for. Raises Invalid for braces that are not closed or too many."""
    return tuple(way for pattern in patterns for way in _ways(pattern))


def _ways(text: str) -> Sequence[str]:
    try:
        return alternatives(without_false_sets(without_false_braces(text)))
    except LimitExceeded as refused:
        raise Invalid(str(refused)) from None


@lru_cache(maxsize=8)
def _with_forms(paths: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((path, folded(path)) for path in paths)


@lru_cache(maxsize=8)
def _joined(paths: tuple[str, ...]) -> str:
    """All paths in lower case, one text to search; "" where one is not ASCII, and folding more than its case."""
    text = "\n".join(paths)
    return text.lower() if text.isascii() else ""


def _needles(patterns: tuple[str, ...]) -> tuple[str, ...]:
    """For each pattern a text that every path it covers has in it, in lower case; none where one has no such text."""
    needles = tuple(max(_WILD.split(pattern), key=len).strip("/").lower() for pattern in patterns)
    return needles if all(needles) and "".join(patterns).isascii() else ()


class _Spelling:
    """The patterns of a list with one treatment of their names."""

    def __init__(self, shown: tuple[str, ...], texts: tuple[str, ...], fold: Fold, *, spelled: bool = False) -> None:
        ways = [(name, way) for name, text in zip(shown, texts, strict=True) for way in _ways(text)]
        self._shown = tuple(name for name, _ in ways)
        self.routes = tuple(route_of(way, str if _is_folded(way) else fold, spelled=spelled) for _, way in ways)
        # Every path that is covered begins with one of these: the cheap test before the expensive one.
        self.heads = tuple("/".join(leading_names(route[0])) for route in self.routes)

    def cover(self, path: str) -> str:
        """The pattern that covers the path, or ""."""
        if not path.startswith(self.heads):
            return ""
        found = self._expression.match(path)
        return self._shown[(found.lastindex or 0) - 1] if found else ""

    def meets(self, other: Route) -> str:
        """The pattern that covers some path of a route, or ""."""
        from loomstack_mcp.core.patterns.sharing import shared_path  # records, which a file at an edit needs not

        pairs = zip(self._shown, self.routes, strict=True)
        return next((text for text, route in pairs if shared_path(route, other)), "")

    def names(self, other: Route) -> str:
        """The pattern that covers some path of a route by the path's own name, not for a folder above it; or ""."""
        from loomstack_mcp.core.patterns.sharing import shared_path  # as above

        named = [(text, route[:-1]) for text, route in zip(self._shown, self.routes, strict=True) if not route[-1]]
        return next((text for text, route in named if route[-1][-1] is not ANY_NAME and shared_path(route, other)), "")

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        # On first use: most rules of a set are dismissed by their heads, and a hook is one process per edit.
        return re.compile("|".join(f"({route_expression(route)})" for route in self.routes))


def _inside(folder: str) -> Route:
    return (tuple(folder.split("/")) if folder else (), (ANY_NAME,))


def _is_folded(text: str) -> bool:
    # A range may hold capitals that the text does not show.
    return text.isascii() and text == text.lower() and "[" not in text
