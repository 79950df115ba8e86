"""Overlap against brute force, over every short path and over drawn patterns."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loomstack_mcp.core.errors import Invalid, LimitExceeded
from loomstack_mcp.core.patterns.globs import covers, literal, overlap, pattern
from loomstack_mcp.core.patterns.keys import ancestors, keys_below
from tests.core.patterns.oracle import PATHS, covered, is_covered, spelled_out

WILD = re.compile(r"(?<!\\)[*?\[]")
NAMES = ["a", "B", "*", "a*", "*b", "a?", "[!a]", "**"]
SAMPLE = [
    *(name + end for name in NAMES for end in ("", "/")),
    *(f"{first}/{second}{end}" for first in NAMES for second in NAMES for end in ("", "/")),
    *(
        "a/**/b",
        "**/a/*",
        "{a,b}",
        "{a,b/a}/b",
        "[ab]?",
        "a{,/b}",
        "{a/{a,b},b}",
        "a*b*a",
        "*a*b",
        "[a-b]*",
        "**/**/a",
        "**/a/**/b",
    ),
]


def anchored_below(upper: str, lower: str) -> bool:
    """Whether some alternative of `upper` is a literal path, and one of `lower` lies below it."""
    paths = [way for way in spelled_out(upper) if not WILD.search(way) and not way.endswith("/")]
    return any(way.startswith(f"{path}/") for path in paths for way in spelled_out(lower))


def disagreement(one: str, other: str, *, ignore_case: bool = False) -> str:
    """What is wrong with the overlap of two patterns, or ""."""
    witness = overlap(pattern(one), pattern(other), ignore_case=ignore_case)
    shared = covered(one, ignore_case=ignore_case) & covered(other, ignore_case=ignore_case)
    if shared and not witness:
        return f"{one} and {other} share {min(shared)}"
    sides = [is_covered(side, witness, ignore_case=ignore_case) for side in (one, other)] if witness else []
    fold = str.casefold if ignore_case else str
    if any(sides) and (anchored_below(fold(one), fold(other)) or anchored_below(fold(other), fold(one))):
        return ""
    return "" if all(sides) else f"{one} and {other} do not share {witness}"


def test_every_pair_of_a_sample_overlaps_exactly_where_it_shares_a_path() -> None:
    wrong = [found for one in SAMPLE for other in SAMPLE if (found := disagreement(one, other))]

    assert wrong == []


def test_every_pair_of_a_sample_overlaps_exactly_where_it_shares_a_path_of_any_case() -> None:
    few = SAMPLE[::3]

    wrong = [found for one in few for other in few if (found := disagreement(one, other, ignore_case=True))]

    assert wrong == []


def test_the_sample_has_many_pairs_that_overlap_and_many_that_do_not() -> None:
    pairs = [(one, other) for one in SAMPLE for other in SAMPLE]

    shares = sum(bool(covered(one) & covered(other)) for one, other in pairs) / len(pairs)

    assert 0.2 < shares < 0.8


def test_the_sample_covers_what_the_definition_says() -> None:
    wrong = [
        (text, path) for text in SAMPLE for path in PATHS if covers(pattern(text), path) != (path in covered(text))
    ]

    assert wrong == []


def test_keys_of_overlapping_patterns_are_prefixes_of_one_another() -> None:
    keys = {text: pattern(text).key for text in SAMPLE}

    missed = [
        (one, other)
        for one in SAMPLE
        for other in SAMPLE
        if overlap(pattern(one), pattern(other))
        and not (keys[one].startswith(keys[other]) or keys[other].startswith(keys[one]))
    ]

    assert missed == []


@st.composite
def generalised(draw: st.DrawFn, path: str) -> str:
    """A pattern that covers the path, by construction."""
    names = path.split("/")
    taken = [
        draw(
            st.sampled_from(
                [
                    literal(name),
                    "*",
                    f"{literal(name[0])}*",
                    f"*{literal(name[-1])}",
                    "?" * len(name),
                    f"[!x]{literal(name[1:])}",
                    f"[{name[0]}x]{literal(name[1:])}",
                    f"{{{literal(name)},x}}",
                    name,
                    "**",
                ]
            )
        )
        for name in names
    ]
    below = draw(st.sampled_from(["", "/"]))
    return "/".join(taken) + below


@st.composite
def two_of_one_path(draw: st.DrawFn) -> tuple[str, str, str]:
    path = draw(st.sampled_from(PATHS))
    return path, draw(generalised(path)), draw(generalised(path))


@settings(max_examples=200, deadline=None)
@given(two_of_one_path())
def test_two_patterns_of_one_path_overlap(drawn: tuple[str, str, str]) -> None:
    path, one, other = drawn

    assert overlap(pattern(one), pattern(other)) != ""
    assert covers(pattern(one), path)
    assert disagreement(one, other) == ""


WORDS = st.lists(
    st.sampled_from(
        ["a", "b", "B", "*", "?", "[ab]", "[!a]", "[!B]", "[a-b]", "{a,b*}", "{,a}b", "{a/b,b}", "/", "/**/"]
    ),
    min_size=1,
    max_size=6,
).map("".join)
TEXTS = WORDS.filter(
    lambda text: all(
        part and ("**" not in part or part == "**")
        for way in spelled_out(text)
        for part in way.removesuffix("/").split("/")
    )
)


@settings(max_examples=300, deadline=None)
@given(TEXTS, TEXTS, st.booleans())
def test_drawn_patterns_overlap_exactly_where_they_share_a_path(one: str, other: str, ignore_case: bool) -> None:
    assert disagreement(one, other, ignore_case=ignore_case) == ""


@settings(max_examples=300, deadline=None)
@given(TEXTS, TEXTS, st.booleans())
def test_overlap_is_symmetric(one: str, other: str, ignore_case: bool) -> None:
    there = overlap(pattern(one), pattern(other), ignore_case=ignore_case)
    back = overlap(pattern(other), pattern(one), ignore_case=ignore_case)

    assert bool(there) == bool(back)


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.sampled_from(PATHS), st.booleans())
def test_drawn_patterns_cover_what_the_definition_says(text: str, path: str, ignore_case: bool) -> None:
    assert covers(pattern(text), path, ignore_case=ignore_case) == is_covered(text, path, ignore_case=ignore_case)


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("ab*?[]{},!\\-^/"), min_size=1, max_size=8))
def test_an_escaped_path_covers_itself_alone(drawn: str) -> None:
    path = "/".join(name for name in drawn.split("/") if name) or "a"

    escaped = pattern(literal(path))

    assert escaped.literal
    assert escaped.key == f"{path}/"
    assert overlap(escaped, pattern("**")) == path


def test_a_path_is_the_same_in_either_form_of_unicode() -> None:
    decomposed = "cafe\u0301.py"

    assert literal(decomposed) == "caf\u00e9.py"
    assert covers(pattern("caf\u00e9.py"), decomposed)
    assert covers(pattern("CAF?.py"), decomposed, ignore_case=True)


@pytest.mark.parametrize(
    ("one", "other", "witness"),
    [
        ("src/", "src", "src"),
        ("src/", "src/api/a.py", "src/api/a.py"),
        ("src/**", "src/**/*.py", "src/x.py"),
        ("src/a*", "src/*.py", "src/a.py"),
        ("src/", "**/*.lock", "src/x.lock"),
        ("*", ".env", ".env"),
        ("docs", "docs/guide/*.md", "docs/guide/x.md"),
        ("a/**/b", "a/b", "a/b"),
        (r"app/\[id\]/page.tsx", "app/*/page.tsx", "app/[id]/page.tsx"),
    ],
)
def test_these_overlap(one: str, other: str, witness: str) -> None:
    assert overlap(pattern(one), pattern(other)) == witness


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("src/**", "src"),
        ("src/*", "src"),
        ("src/*.py", "src/a/b.py"),
        ("src/a.py", "src/a.pyi"),
        ("src/", "srcs/"),
        ("**/*.lock", "src/a.py"),
        ("Makefile", "makefile"),
    ],
)
def test_these_do_not_overlap(one: str, other: str) -> None:
    assert overlap(pattern(one), pattern(other)) == ""


@pytest.mark.parametrize(
    ("one", "other", "witness"),
    [
        ("README.md", "readme.*", "README.md"),
        ("src/App/", "SRC/app/x.ts", "src/app/x.ts"),
        ("Straße", "STRASSE", "straße"),
        ("[A-Z]", "q", "q"),
        ("[Z-_]", "z", "z"),
    ],
)
def test_these_overlap_in_another_case(one: str, other: str, witness: str) -> None:
    found = overlap(pattern(one), pattern(other), ignore_case=True)

    assert found.casefold() == witness.casefold()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("**", ""),
        ("src/", "src/"),
        ("src/**", "src/"),
        ("src/a/*.py", "src/a/"),
        ("a/b.py", "a/b.py/"),
        ("a/{b,c}/d", "a/"),
        ("a/{b/c,b/d}", "a/b/"),
        (r"a/\[b\]/*", "a/[b]/"),
    ],
)
def test_a_key_is_the_longest_literal_folder(text: str, key: str) -> None:
    assert pattern(text).key == key


@pytest.mark.parametrize("text", ["", "/", "/a", "a//b", "a/../b", "./a", "[a", "{a,b", "a\\", "[z-a]", "{a,}"])
def test_an_invalid_pattern_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        pattern(text)


@pytest.mark.parametrize("text", ["a" * 501, "{a,b}" * 7, "{" * 6 + "a,b" + ",c}" * 6 + "{a,b}" * 9])
def test_a_pattern_over_a_limit_is_refused(text: str) -> None:
    with pytest.raises(LimitExceeded):
        pattern(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("*a" * 249, "*a" * 200 + "b"),
        ("?" * 200, "*a" * 200 + "*b"),
        ("a" * 490, "*aa" * 100 + "*b"),
        ("**/a/" * 90 + "b", "a/" * 240 + "c"),
        ("**/*a*/" * 60 + "b", "*a/" * 150 + "c"),
        ("**/" * 160 + "a", "**/" * 160 + "b"),
        ("{a,b}" * 6 + "*a" * 15 + "b", "{a,b}" * 6 + "?" * 40 + "c"),
        ("{a,b/}" * 6 + "*a" * 10 + "b", "{a,b/}" * 6 + "?" * 15 + "c"),
    ],
)
def test_hostile_patterns_are_told_apart(one: str, other: str) -> None:
    assert overlap(pattern(one), pattern(other)) == ""


def test_hostile_patterns_meet() -> None:
    assert overlap(pattern("*a" * 249), pattern("a" * 490)) == "a" * 490


def test_ancestors_are_the_folders_above_and_the_key_itself() -> None:
    assert ancestors("a/b.py/") == ("", "a/", "a/b.py/")
    assert ancestors("") == ("",)


@given(st.sampled_from(["", "a/", "a/b/"]), st.text(st.sampled_from("a/0.-b"), max_size=6))
def test_below_bounds_the_keys_strictly_below(key: str, end: str) -> None:
    low, high = keys_below(key)

    found = {other for other in (end, f"{key}{end}") if low < other < high}

    assert found == {other for other in (end, f"{key}{end}") if other.startswith(key) and other != key}
