"""Overlap against brute force: an independent matcher over every short path."""

from itertools import product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from loomstack_mcp.core.errors import Invalid, LimitExceeded
from loomstack_mcp.core.globs import ancestors, below, literal, overlap, pattern

NAMES = ["".join(letters) for size in (1, 2, 3) for letters in product("ab", repeat=size)]
PATHS = ["/".join(names) for depth in (1, 2, 3) for names in product(NAMES[:6], repeat=depth)] + NAMES


def covers(text: str, path: str) -> bool:
    """The definition, spelled out: brace by brace, segment by segment, character by character."""
    return any(covers_way(way, path) for way in ways(text))


def ways(text: str) -> list[str]:
    if "{" not in text:
        return [text]
    head, rest = text.split("{", 1)
    inner, tail = rest.split("}", 1)
    return [way for choice in inner.split(",") for way in ways(f"{head}{choice}{tail}")]


def covers_way(text: str, path: str) -> bool:
    names = path.split("/")
    if text.endswith("/"):
        return any(steps(text[:-1].split("/"), names[:size]) for size in range(1, len(names) + 1))
    return steps(text.split("/"), names)


def steps(wanted: list[str], names: list[str]) -> bool:
    if not wanted:
        return not names
    if wanted[0] == "**":
        least = 1 if len(wanted) == 1 else 0
        return any(steps(wanted[1:], names[size:]) for size in range(least, len(names) + 1))
    return bool(names) and characters(wanted[0], names[0]) and steps(wanted[1:], names[1:])


def characters(wanted: str, name: str) -> bool:
    if not wanted:
        return not name
    if wanted[0] == "*":
        return any(characters(wanted[1:], name[size:]) for size in range(len(name) + 1))
    if wanted[0] == "[":
        inner, rest = wanted[1:].split("]", 1)
        chosen = name[:1] not in inner[1:] if inner[0] == "!" else name[:1] in inner
        return bool(name) and chosen and characters(rest, name[1:])
    return bool(name) and wanted[0] in ("?", name[0]) and characters(wanted[1:], name[1:])


def is_literal(text: str) -> bool:
    return not set(text) & set("*?[{") and not text.endswith("/")


segments = st.lists(st.sampled_from(["a", "b", "*", "?", "[ab]", "[!a]"]), min_size=1, max_size=2).map("".join)
folders = st.lists(st.one_of(segments, st.just("**")), min_size=1, max_size=3).map("/".join)
braces = st.tuples(segments, segments, segments).map(lambda parts: f"{{{parts[0]},{parts[1]}}}/{parts[2]}")
patterns = st.one_of(
    folders, folders.map(lambda text: text.removesuffix("/**") + "/").filter(lambda t: t != "**/"), braces
)


@settings(max_examples=800, deadline=None)
@given(patterns, patterns)
@example("a*", "*b")
@example("**/a", "a/")
@example("a/**/b", "a/b")
@example("*", "**/a/*")
@example("a/**", "a")
def test_patterns_overlap_exactly_where_some_path_is_in_both(a: str, b: str) -> None:
    witness = overlap(pattern(a), pattern(b))
    shared = any(covers(a, path) and covers(b, path) for path in PATHS)
    # A literal path and something anchored below it cannot both stand, though no path is in both.
    above = any(
        is_literal(upper) and pattern(lower).key.startswith(f"{upper}/") and pattern(lower).key != f"{upper}/"
        for upper, lower in ((a, b), (b, a))
    )

    assert bool(witness) == (shared or above)
    assert above or not witness or (covers(a, witness) and covers(b, witness))


@settings(max_examples=400, deadline=None)
@given(patterns, patterns)
def test_overlap_is_symmetric_and_never_missed_by_the_key_filter(a: str, b: str) -> None:
    found = bool(overlap(pattern(a), pattern(b)))
    keys = sorted((pattern(a).key, pattern(b).key), key=len)

    assert found == bool(overlap(pattern(b), pattern(a)))
    assert not found or keys[1].startswith(keys[0])


@given(patterns, patterns)
def test_letter_case_is_ignored_only_when_asked(a: str, b: str) -> None:
    plain = bool(overlap(pattern(a), pattern(b)))

    assert bool(overlap(pattern(a.upper()), pattern(b), ignore_case=True)) == plain
    assert not overlap(pattern("SRC/A.py"), pattern("src/a.py"))


@given(st.text(alphabet="ab[]{}*?\\!", min_size=1, max_size=8))
def test_a_literal_covers_its_own_path_alone(path: str) -> None:
    own = pattern(literal(path))

    assert own.literal
    assert overlap(own, pattern(literal(path))) == path
    assert not overlap(own, pattern(literal(f"{path}x")))


@pytest.mark.parametrize(
    ("a", "b", "witness"),
    [
        ("README.md", "README.md", "README.md"),
        ("README.md", "docs/README.md", ""),
        ("src/", "src/deep/er/a.py", "src/deep/er/a.py"),
        ("src/", "srcs/a.py", ""),
        ("src/a*", "src/*.py", "src/a.py"),
        ("**/*.lock", "src/a.py", ""),
        ("src/**", "src", ""),
        ("src/{a,b/c}.py", "src/b/*", "src/b/c.py"),
        (".github/", "**/*.yml", ".github/.yml"),
        ("a/b", "a/b/c", "a/b/c"),
    ],
)
def test_examples(a: str, b: str, witness: str) -> None:
    assert overlap(pattern(a), pattern(b)) == witness


def test_keys_are_the_literal_folders_above() -> None:
    keys = [pattern(text).key for text in ("a/b.py", "a/b/", "a/*.py", "**", "a/{b/x,b/y}/*", "*/a")]

    assert keys == ["a/b.py/", "a/b/", "a/", "", "a/b/", ""]


def test_the_range_below_a_key_holds_what_lies_strictly_below() -> None:
    low, high = below("a/b/")

    assert ancestors("a/b/") == ("", "a/", "a/b/")
    assert [low < key < high for key in ("a/b/", "a/b/c/", "a/b0/", "a/b.py/", "a/")] == [
        False,
        True,
        False,
        False,
        False,
    ]
    assert below("")[0] < "\U0010fffe/" < below("")[1]


@pytest.mark.parametrize("text", ["", "/a", "a//b", "a/../b", "./a", "[a", "{a", "a\\", "[z-a]", "[/]"])
def test_what_is_no_pattern_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        pattern(text)


def test_a_brace_bomb_is_refused() -> None:
    with pytest.raises(LimitExceeded):
        pattern("{a,b}" * 12)


def test_hostile_patterns_are_answered() -> None:
    stars, folders = "*a" * 120 + "b", "**/a/" * 60 + "b"

    assert not overlap(pattern(stars), pattern("a" * 400))
    assert overlap(pattern(stars), pattern("*b"))
    assert overlap(pattern(folders), pattern("**/" + "a/" * 60 + "b"))
