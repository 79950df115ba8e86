"""Path patterns of policies: gitignore's globs, without the spellings that git reads in a surprising way.

A pattern without a slash floats, `/x` is anchored, a folder covers what is below it, and a pattern that
ends with a slash covers only that. Rules protect loosely and except exactly, so that no other spelling of a
name escapes a rule, and none widens an exception. Source: gitignore(5); `git check-ignore` is the oracle of
the tests.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.limits import PATTERN_CHARS_MAX, RANGE_CHARS_MAX
from loomstack_mcp.core.patterns.wildcards import ANY_LETTER, ANY_NAME, Letter, Letters, Name, Route, shared_path

# Unicode's Default_Ignorable_Code_Point (DerivedCoreProperties.txt, 16.0): shown as nothing, and skipped by HFS+.
_IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# A set ends at the first ] that is not its first member.
_UNIT = re.compile(r"\\.|\[[!^]?+(?:\\.|[^\\])(?:\\.|[^\]\\])*\]|.", re.DOTALL)
_MEMBER = re.compile(r"\\.|[^\\]", re.DOTALL)
# What a path need not have as it stands; behind a backslash, the character that it names.
_WILD = re.compile(r"\\.|\*+|\?|\[[!^]?+(?:\\.|[^\\])(?:\\.|[^\]\\])*\]", re.DOTALL)
_TRAILING_BLANK = re.compile(r"(?<!\\)(?:\\\\)*\s\Z")

Fold = Callable[[str], str]


def composed(text: str, /) -> str:
    """The text in Unicode's form C, as most systems write names."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


@lru_cache(maxsize=16_384)
def folded(path: str, /) -> str:
    """The path without what the eye, or a file system that ignores case, does not tell apart."""
    return path.lower() if path.isascii() else "/".join(map(_folded_name, path.split("/")))


class Matcher:
    """The patterns of one list. Paths are relative to the repository's root, without a slash at either end."""

    def __init__(self, patterns: tuple[str, ...]) -> None:
        forms = tuple(map(composed, patterns))
        self._exact = _Spelling(patterns, patterns, str)
        self._composed = _Spelling(patterns, forms, str)
        self._folded = _Spelling(patterns, forms, _fold)
        self._alike = self._folded.routes == self._composed.routes
        self._needles = _needles(patterns)

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
        return self._folded.meets(folded(folder)) or self._composed.meets(composed(folder))


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


@lru_cache(maxsize=4_096)
def _compiled(patterns: tuple[str, ...]) -> Matcher:
    return Matcher(patterns)


def compiled(patterns: Sequence[str], /) -> Matcher:
    """A matcher of these patterns. Raises Invalid for the first that is no pattern, with the reason."""
    return _compiled(tuple(patterns))


class _Spelling:
    """The patterns of a list with one treatment of their names."""

    def __init__(self, shown: tuple[str, ...], texts: tuple[str, ...], fold: Fold) -> None:
        self._shown = shown
        self.routes = tuple(_route(text, str if _is_folded(text) else fold) for text in texts)
        # Every path that is covered begins with one of these: the cheap test before the expensive one.
        self.heads = tuple(map(_head, self.routes))

    def cover(self, path: str) -> str:
        """The pattern that covers the path, or ""."""
        if not path.startswith(self.heads):
            return ""
        found = self._expression.match(path)
        return self._shown[(found.lastindex or 0) - 1] if found else ""

    def meets(self, folder: str) -> str:
        """The pattern that covers some path below the folder, or ""."""
        inside: Route = (tuple(folder.split("/")) if folder else (), (ANY_NAME,))
        pairs = zip(self._shown, self.routes, strict=True)
        return next((text for text, route in pairs if shared_path(route, inside)), "")

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        # On first use: most rules of a set are dismissed by their heads, and a hook is one process per edit.
        return re.compile("|".join(f"({_as_expression(route)})" for route in self.routes))


def _fold(name: str) -> str:
    if name.isascii():
        return name.lower()
    # Canonical caseless matching (The Unicode Standard, D145), in form C again, without the ignorable.
    visible = _IGNORABLE.sub("", unicodedata.normalize("NFD", name))
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", visible).casefold())


def _folded_name(name: str) -> str:
    """Never empty: a name of nothing but zero-width characters is still a name below its folder."""
    return _fold(name) or name


def _is_folded(text: str) -> bool:
    # A range may hold capitals that the text does not show.
    return text.isascii() and text == text.lower() and "[" not in text


@lru_cache(maxsize=4_096)
def _route(text: str, fold: Fold) -> Route:
    """The names that a covered path has, with a last part for what is below them."""
    _admit(text)
    body = text.removesuffix("/").removeprefix("/")
    floats = "/" not in text.removesuffix("/")
    segments = ["**", body] if floats else body.split("/")
    route: list[tuple[Name, ...]] = [()]
    for segment in segments:
        if segment == "**":
            route.append(())
        else:
            route[-1] = (*route[-1], _name(segment, text, fold))
    if segments[-1] == "**":
        route[-1] = (ANY_NAME,)
    route.append((ANY_NAME,) if text.endswith("/") else ())
    return (route[0], *(part for part in route[1:-1] if part), route[-1])


def _admit(text: str) -> None:
    if not text.strip("/"):
        raise Invalid("a pattern is empty; name a path, or /** for all")
    if len(text) > PATTERN_CHARS_MAX:
        raise Invalid(f"a pattern of {len(text)} characters, {PATTERN_CHARS_MAX} is the most; name the folder")
    if text[0] in "!#":
        why = "there is no taking back; use `except`" if text[0] == "!" else "that would be a comment"
        raise Invalid(f"{text} begins with {text[0]}: {why}, or write \\{text[0]} for that character")
    if _TRAILING_BLANK.search(text):
        raise Invalid(f"{text!r} ends with a blank; delete it, or write a backslash before it")
    if "\0" in text:
        raise Invalid("a pattern holds NUL, which no path has; delete it")


def _name(segment: str, text: str, fold: Fold) -> Name:
    if segment == "*":
        return ANY_NAME
    parts: list[list[Letter]] = [[]]
    before = ""
    for unit in _UNIT.findall(segment):
        if unit == before == "*":
            raise Invalid(f"{text}: ** stands for whole folders, not for a part of a name; write * there")
        if unit == "*":
            parts.append([])
        else:
            parts[-1].append(_letter(unit, text, fold))
        before = unit
    if len(parts) == 1 and all(isinstance(letter, str) for letter in parts[0]):
        return _literal("".join(map(str, parts[0])), text, fold)
    done = tuple(_run(part, fold) for part in parts)
    return done if any(done) else ANY_NAME


def _literal(name: str, text: str, fold: Fold) -> str:
    if name in ("", ".", ".."):
        what = f"the segment {name}" if name else "an empty segment"
        raise Invalid(f"{text} has {what}, which no path has; write it like /src/app.py")
    return fold(name) or name


def _run(part: list[Letter], fold: Fold) -> Sequence[Letter]:
    """The letters between two stars: folded together, since a letter and its accent may be one."""
    if all(isinstance(letter, str) for letter in part):
        return fold("".join(map(str, part)))
    run: list[Letter] = []
    plain = ""
    for letter in (*part, ANY_LETTER):
        if isinstance(letter, str):
            plain += letter
        else:
            run += [*fold(plain), letter]
            plain = ""
    return tuple(run[:-1])


def _letter(unit: str, text: str, fold: Fold) -> Letter:
    if unit == "?":
        return ANY_LETTER
    if unit == "[":
        raise Invalid(f"{text}: [ is not closed within its segment; write \\[ for that character")
    if unit == "\\":
        raise Invalid(f"{text}: \\ escapes nothing; write \\\\ for a backslash")
    return _set(unit, text, fold) if unit[0] == "[" else unit[-1]


def _set(unit: str, text: str, fold: Fold) -> Letters:
    if "[:" in unit[1:]:
        raise Invalid(f"{text}: {unit} is a POSIX class; write it out, as in [a-z]")
    negated = unit[1] in "!^"
    units = _MEMBER.findall(unit[1 + negated : -1])
    members: set[str] = set()
    while units:
        low = high = units.pop(0)[-1]
        if len(units) > 1 and units[0] == "-":
            high = units[1][-1]
            del units[:2]
        if not 0 <= ord(high) - ord(low) < RANGE_CHARS_MAX:
            raise Invalid(f"{text}: the range {low}-{high} runs backwards or too far; write it like [a-z]")
        members.update(fold(chr(code)) for code in range(ord(low), ord(high) + 1))
    if long := sorted(member for member in members if len(member) > 1):
        raise Invalid(f"{text}: {unit} holds a letter whose lower case is {long[0]}, more than one; leave it out")
    return Letters(frozenset(members - {"/", ""}), negated)


def _head(route: Route) -> str:
    names: list[str] = []
    for name in route[0]:
        if not isinstance(name, str):
            break
        names.append(name)
    return "/".join(names)


def _as_expression(route: Route) -> str:
    """Atomic groups take the leftmost fit of each part, which is as good as any: time stays near linear."""
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
