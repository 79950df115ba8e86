"""Policy patterns against git's own reading of them, and against brute force."""

import random
import subprocess
import time
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loomstack_mcp.adapters.git.run import run
from loomstack_mcp.core.errors import Invalid, LimitExceeded
from loomstack_mcp.core.patterns.braces import alternatives, without_false_braces
from loomstack_mcp.core.patterns.gitignore import compiled
from tests.deadlines import seconds

NAMES = ["a", "b", "ab", "a.b", ".a", "B", "a-b", "*", "a*", "*b", "?", "a?", "*.b", "a*b", "[ab]", "[!a]*", "[a-c]b"]
NAMES += ["[^b]?", "[]a]", "[a-]b", r"\*", r"a\b", r"[\]a]", "*a*b*", "[.-0]", "**", "**", "**"]
WORDS = ["a", "b", "ab", "B", "a.b", ".a", "c", "*", "-b", "]", "a-b", "aab", "bb"]
PATHS = ["/".join(names) for size in (1, 2, 3) for names in product(WORDS[: (13, 13, 6)[size - 1]], repeat=size)]
PATHS += ["/".join(names) for names in product(("a", "b", "B"), repeat=4)]


def drawn_patterns(count: int, names: list[str], *, segments_max: int) -> list[str]:
    """Floating and anchored patterns, also for folders; always the same ones."""
    draw = random.Random(7)
    found = set[str]()
    while len(found) < count:
        body = "/".join(draw.choice(names) for _ in range(draw.randint(1, segments_max)))
        found.add(draw.choice(("", "/")) + body + draw.choice(("", "", "/")))
    return sorted(found)


def ignored(repo: Path, pattern: str) -> set[str]:
    """Which of PATHS git ignores by this pattern."""
    (repo / ".gitignore").write_text(f"{pattern}\n")
    settings = ("-c", "core.excludesFile=/dev/null", "check-ignore", "--no-index", "--stdin", "-z", "-v", "-n")
    printed = run(repo, *settings, seconds_max=30, stdin="\0".join(PATHS).encode()).printed.decode().split("\0")[:-1]
    return {path for source, path in zip(printed[::4], printed[3::4], strict=True) if source}


def test_a_pattern_covers_what_git_ignores(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)

    wrong = {
        pattern: different
        for pattern in drawn_patterns(300, NAMES, segments_max=4)
        if (different := ignored(tmp_path, pattern) ^ {path for path in PATHS if compiled([pattern]).exact(path)})
    }

    assert wrong == {}


def test_a_pattern_lies_below_a_folder_exactly_where_it_covers_a_path_in_it() -> None:
    # Each of these names has a witness among the letters, so a path of four finds what three segments and a / share.
    few = ["a", "B", "*", "a*", "*b", "a*b", "?", "[!a]*", "[ab]x", "**"]
    inside = ["/".join(names) for size in (1, 2, 3, 4) for names in product(("a", "b", "ab", "ax"), repeat=size)]

    wrong = []
    for pattern in drawn_patterns(200, few, segments_max=3):
        matcher = compiled([pattern])
        for folder in ("", "a/", "b/", "ab/", "a/b/", "a/a/b/", "B/a/"):
            if bool(matcher.below(folder[:-1])) != any(matcher.loose(folder + path) for path in inside):
                wrong.append((pattern, folder))

    assert wrong == []


@given(st.text("ab*?/[]!-\\", min_size=1, max_size=8), st.text("ab/", min_size=1, max_size=6))
@settings(max_examples=300, deadline=None)
def test_what_is_covered_is_also_below_each_folder_above_it(pattern: str, text: str) -> None:
    path = "/".join(filter(None, text.split("/"))) or "a"
    try:
        matcher = compiled([pattern])
    except Invalid:
        return

    folders = ["/".join(path.split("/")[:depth]) for depth in range(path.count("/") + 1)]

    assert not matcher.exact(path) or all(map(matcher.below, folders))
    assert not matcher.exact(path) or matcher.loose(path) == matcher.exact(path) == pattern
    assert bool(matcher.among((path,))) == bool(matcher.loose(path))


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("", "empty"),
        ("/", "empty"),
        ("!a", "begins with !"),
        ("#a", "begins with #"),
        ("a ", "blank"),
        ("a\\\\ ", "blank"),
        ("a\n", "blank"),
        ("../a", "segment .."),
        ("a/./b", "segment ."),
        (r"a/\.\.", "segment .."),
        ("a//b", "empty segment"),
        ("//a", "empty segment"),
        ("a**/x", "whole folders"),
        ("***", "whole folders"),
        ("[\x01-\u4e00]", "too far"),
        ("[a", "not closed"),
        ("[]", "not closed"),
        ("[!]", "not closed"),
        ("[a/b]", "not closed"),
        ("[[:alpha:]]", "POSIX"),
        ("a\\", "escapes nothing"),
        ("a\\/b", "escapes nothing"),
        ("a\0", "NUL"),
        ("[ß]", "more than one"),
        ("a" * 501, "500"),
    ],
)
def test_what_git_would_read_in_a_surprising_way_is_refused(pattern: str, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        compiled([pattern])


def test_a_range_that_runs_backwards_is_the_name_that_spells_it() -> None:
    matcher = compiled(["/app/[post-id]/**", "[z-a].lock"])

    assert matcher.loose("app/[post-id]/page.tsx") == matcher.exact("app/[post-id]/page.tsx") == "/app/[post-id]/**"
    assert matcher.loose("x/[Z-A].lock") == "[z-a].lock"
    assert not any(map(matcher.loose, ("app/p/page.tsx", "app/-/page.tsx", "x/z.lock", "x/a.lock")))


@pytest.mark.parametrize(
    ("claim", "rule"),
    [
        ("x/*.lock", "*.lock"),
        ("x/[id].lock", "[id].lock"),
        ("x/{a.py,b.lock}", "B.lock"),
        ("x/**/*.pem", "**/keys/*.pem"),
        ("x/[slug]/", "[slug]"),
        ("x/*.py", ""),
        ("x/**", ""),
        ("x/*", ""),
        ("x/*/a.py", ""),
    ],
)
def test_what_a_pattern_of_files_to_come_shares_with_a_rule(claim: str, rule: str) -> None:
    rules = ["*.lock", "[id].lock", "B.lock", "**/keys/*.pem", "[slug]", "**/.codex/**", ".mcp.json", "secrets/"]

    assert compiled([rule] if rule else rules).shared(claim) == rule


ROUTES = ["/app/[id]/**", "[slug]", "/app/[!a]/*/page.tsx", "**/[...rest].tsx", "/app/[[...slug]]/", "/[A-C]x/[]a]"]
ROUTES += ["/app/[id]/[tab]/page.tsx"]


@pytest.mark.parametrize("pattern", ROUTES)
def test_where_a_rule_protects_brackets_are_also_a_name_and_an_exception_is_as_in_git(pattern: str) -> None:
    named = pattern.strip("/").replace("**", "x").replace("*", "b")
    path = f"{named}/x"

    assert compiled([pattern]).loose(path) == pattern
    assert compiled([pattern]).loose(path.upper()) == pattern
    assert compiled([pattern]).among((path, "none")) == (path,)
    assert compiled([pattern]).below(path.rpartition("/")[0]) == pattern
    assert compiled([pattern]).exact(path) == ""


@given(
    st.lists(st.sampled_from(["a", "b", "{a,b}", "{a,{b,ab}}", "{a/b,b}", "[ab]", "*", "/", "{", "}", ","]), min_size=1)
)
@settings(max_examples=300, deadline=None)
def test_braces_mean_what_they_mean_in_claims(pieces: list[str]) -> None:
    """Each text that they spell out by itself, whatever a list of rules does with it; or they do not load."""
    text = "/" + "".join(pieces)
    try:
        ways = alternatives(without_false_braces(text))
        alone = [compiled([way]) for way in ways]
    except (Invalid, LimitExceeded):
        with pytest.raises(Invalid):
            compiled([text])
        return

    matcher = compiled([text])

    paths = ["a", "b", "ab", "a/b", "b/a", "ab/ab", "[ab]", "a/{", "{a"]
    for ask in ("exact", "loose", "below"):
        found = [bool(getattr(matcher, ask)(path)) for path in paths]
        assert found == [any(getattr(one, ask)(path) for one in alone) for path in paths]
    assert matcher.among(tuple(paths)) == tuple(path for path in paths if matcher.loose(path))


@pytest.mark.parametrize(("pattern", "path"), [("/r/{-$lang}/**", "r/{-$lang}/x"), ("{{name}}", "a/{{name}}/x")])
def test_braces_without_a_choice_are_a_name(pattern: str, path: str) -> None:
    assert compiled([pattern]).exact(path) == compiled([pattern]).loose(path) == pattern


def test_braces_that_are_not_closed_do_not_load() -> None:
    with pytest.raises(Invalid, match=r"never closed"):
        compiled(["/src/{a,b"])


@pytest.mark.parametrize("path", ["SRC/Core/a.py", "src/co\u200bre/a.py", "SRC/core/\u200b", "\u017frc/core/x"])
def test_another_spelling_of_a_path_is_still_protected(path: str) -> None:
    matcher = compiled(["/src/core/**"])

    assert matcher.loose(path) == "/src/core/**"
    assert matcher.exact(path) == ""
    assert matcher.below(path.rpartition("/")[0]) == "/src/core/**"
    assert matcher.among((path, "src/app")) == (path,)


def test_a_decomposed_accent_is_the_same_letter_where_a_rule_protects() -> None:
    matcher = compiled(["/caf\u00e9/?"])

    assert matcher.loose("cafe\u0301/e\u0301") == "/caf\u00e9/?"
    assert matcher.loose("CAFE\u0301/e") == "/caf\u00e9/?"
    assert matcher.exact("cafe\u0301/e") == ""
    assert matcher.exact("caf\u00e9/\U0001f600") == "/caf\u00e9/?"


def test_a_set_that_leaves_out_a_letter_still_covers_its_capital() -> None:
    assert compiled(["/[!a]"]).loose("A") == "/[!a]"
    assert compiled(["/[A-C]x"]).loose("bX") == "/[A-C]x"


def test_the_first_pattern_that_covers_the_path_is_named() -> None:
    matcher = compiled(["/b", "*.py", "/a/**"])

    assert matcher.exact("a/x.py") == "*.py"
    assert matcher.exact("a/x") == "/a/**"
    assert (matcher.exact("c"), matcher.below("c"), compiled([]).loose("c")) == ("", "*.py", "")


def test_a_folder_meets_what_may_lie_in_it() -> None:
    matcher = compiled(["/src/core/**", "/docs/"])

    assert [matcher.below(folder) for folder in ("src", "src/core", "src/core/a", "docs", "")] == [
        "/src/core/**", "/src/core/**", "/src/core/**", "/docs/", "/src/core/**",
    ]  # fmt: skip
    assert [matcher.below(folder) for folder in ("src/app", "lib", "source")] == ["", "", ""]


def test_a_path_that_is_not_text_is_matched_as_it_is() -> None:
    path = b"src/\xff.py".decode("utf-8", "surrogateescape")

    assert compiled(["/src/?.py"]).loose(path) == "/src/?.py"


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a" * 200 + "b", "a" * 4_000),
        ("**/*a*/" * 70 + "b", "xa/" * 1_300 + "c"),
        ("*" + "?" * 300 + "b", "a" * 4_000),
    ],
)
def test_a_hostile_pair_is_decided_quickly(pattern: str, path: str) -> None:
    matcher = compiled([pattern])

    started = time.thread_time()
    found = matcher.loose(path)

    assert found == ""
    assert time.thread_time() - started < seconds(0.25)


@given(st.lists(st.text("ab*?/.", min_size=1, max_size=6), min_size=1, max_size=3), st.data())
def test_many_paths_at_once_are_covered_as_one_by_one(texts: list[str], data: st.DataObject) -> None:
    paths = tuple(data.draw(st.lists(st.text("abAB./", min_size=1, max_size=6), max_size=6)))
    try:
        matcher = compiled(texts)
    except Invalid:
        return

    assert matcher.among(paths) == tuple(path for path in paths if matcher.loose(path))
