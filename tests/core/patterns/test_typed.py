"""What callers type, as canonical patterns."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loomstack_mcp.core.errors import Invalid, LimitExceeded
from loomstack_mcp.core.limits import PATTERN_CHARS_MAX
from loomstack_mcp.core.patterns.globs import covers, literal, overlap, pattern
from loomstack_mcp.core.patterns.typed import claimed

FILES = {"README.md", "LICENSE", "src/app.py", "app/[id]/page.tsx", "a b/c d.txt", "caf\u00e9"}
FOLDERS = {"src", "app", "app/[id]", "v1.2", "a b", "{{name}}"}


def claim(text: str) -> str:
    return claimed(text, root="/work/repo", is_file=FILES.__contains__, is_folder=FOLDERS.__contains__)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("README.md", "README.md"),
        ("LICENSE", "LICENSE"),
        ("src", "src/"),
        ("src/", "src/"),
        ("src/.", "src/"),
        ("src/new/..", "src/"),
        ("v1.2", "v1.2/"),
        ("./src//x/../app.py", "src/app.py"),
        ("/work/repo/src/app.py", "src/app.py"),
        ("/work/./other/../repo/src", "src/"),
        ("/work/repo/src/*.py", "src/*.py"),
        ("a b/c d.txt", "a b/c d.txt"),
        ("docs", "docs/"),
        ("docs/new.md", "docs/new.md"),
        ("docs/new.md/", "docs/new.md/"),
        (".env", ".env/"),
        (".env.local", ".env.local"),
        ("app/[id]/page.tsx", r"app/\[id\]/page.tsx"),
        (r"app/\[id\]/page.tsx", r"app/\[id\]/page.tsx"),
        ("app/[id]", r"app/\[id\]/"),
        ("app/[id]/", r"app/\[id\]/"),
        ("{{name}}", r"\{\{name\}\}/"),
        ("app/[ab].ts", "app/[ab].ts"),
        ("src/*", "src/*"),
        ("src/*/", "src/*/"),
        ("src/**", "src/**"),
        ("src/**/", "src/**"),
        ("src/**/**/*", "src/**"),
        ("src/**/**/a.py", "src/**/a.py"),
        (".", "**"),
        ("./", "**"),
        ("src/..", "**"),
        ("/work/repo", "**"),
        ("/work/repo/", "**"),
        ("**", "**"),
        ("**/*", "**"),
        (".github/workflows", ".github/workflows/"),
        (".gitignore.d/x", ".gitignore.d/x/"),
        ("cafe\u0301", "caf\u00e9"),
    ],
)
def test_a_path_becomes_canonical(text: str, canonical: str) -> None:
    assert claim(text) == canonical


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("app/[id]/loading.tsx", r"app/\[id\]/loading.tsx"),
        ("app/[id]/[tab]/page.tsx", r"app/\[id\]/[tab]/page.tsx"),
        ("app/[id]/*.tsx", r"app/\[id\]/*.tsx"),
        ("{{name}}/x/{a,b}.py", r"\{\{name\}\}/x/{a,b}.py"),
        ("routes/{-$lang}/index.tsx", r"routes/\{-$lang\}/index.tsx"),
        ("routes/{-$lang}", r"routes/\{-$lang\}/"),
        ("routes/{{slug}}/{a,{b}}.tsx", r"routes/\{\{slug\}\}/{a,\{b\}}.tsx"),
        ("blog/[slug]", "blog/[slug]/"),
        ("blog/[...rest]", "blog/[...rest]/"),
        ("blog/[[...rest]]/page.tsx", "blog/[[...rest]]/page.tsx"),
        ("blog/[slug].tsx", "blog/[slug].tsx"),
        ("blog/[top-bar]/page.tsx", r"blog/\[top-bar\]/page.tsx"),
        ("blog/(group)/@slot/$id.tsx", "blog/(group)/@slot/$id.tsx"),
        ("routes/[id=integer]/+page.svelte", "routes/[id=integer]/+page.svelte"),
    ],
)
def test_a_path_of_new_files_is_meant_as_its_folders_and_names_say(text: str, canonical: str) -> None:
    assert claim(text) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "blog/[slug]/page.tsx",
        "blog/[...rest]/page.tsx",
        "blog/[[...rest]]/page.tsx",
        "blog/[a]/[b]/[c]/[d]/[e]/[f]/[g]/page.tsx",
        "blog/[top-bar]/page.tsx",
        "blog/[!a]/x.tsx",
        "blog/[slug]",
        "routes/{-$lang}/[id]/index.tsx",
        "src/[ab].py",
        "app/[id]/[tab].tsx",
    ],
)
@pytest.mark.parametrize("ignore_case", [False, True])
def test_whoever_types_the_same_meets_whatever_is_on_disk(text: str, ignore_case: bool) -> None:
    """No folder is there, or the first one, or all, or the file itself: none of these hides one caller from another."""
    names = text.split("/")
    steps = ["/".join(names[:depth]) for depth in range(1, len(names))]
    readings = [pattern(claimed(text, is_folder=steps[:depth].__contains__)) for depth in range(len(names))]
    readings += [pattern(claimed(text, is_file=[text].__contains__)), pattern(literal(text))]

    missed = [(a.text, b.text) for a in readings for b in readings if not overlap(a, b, ignore_case=ignore_case)]

    assert missed == []


def test_a_new_folder_in_brackets_covers_what_will_lie_in_it_and_nothing_beside_it() -> None:
    wanted = pattern(claim("blog/[slug]"))

    found = [path for path in ("blog/[slug]/page.tsx", "blog/s/x", "blog/[id]/page.tsx") if covers(wanted, path)]

    assert found == ["blog/[slug]/page.tsx", "blog/s/x"]


@given(st.text("ab[]!-.", min_size=1, max_size=9))
def test_what_can_be_typed_covers_the_path_that_is_spelled_so(text: str) -> None:
    canonical = outcome(text)

    assert not canonical or covers(pattern(canonical), text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        " src",
        "src ",
        "src\0",
        "src/\n.py",
        "src/\u2028.py",
        "src/\udc80.py",
        "/",
        "/etc/passwd",
        "/work/repository/a.py",
        "/work/repo/../other/a.py",
        "~",
        "~/a.py",
        "~me/a.py",
        r"C:\repo\a.py",
        "C:/repo/a.py",
        r"\\server\a.py",
        r"src\app.py",
        "..",
        "../a.py",
        "src/../../a.py",
        "a/*/../b",
        "{a,b}/../c",
        "{a/../b,c}",
        ".git",
        ".git/",
        ".GIT/config",
        ".git/hooks/*",
        "src/../.git/config",
        "vendor/lib/.git",
        "{.git,src}/x",
        "[a",
        "{a,b",
    ],
)
def test_what_is_no_path_of_the_worktree_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        claim(text)


def test_a_refusal_says_what_to_write_instead() -> None:
    with pytest.raises(Invalid, match=r"/etc/passwd lies outside the repository /work/repo; write paths from its root"):
        claim("/etc/passwd")


def test_without_a_root_no_absolute_path_is_claimable() -> None:
    with pytest.raises(Invalid):
        claimed("/work/repo/a.py", is_file=FILES.__contains__, is_folder=FOLDERS.__contains__)


@pytest.mark.parametrize("text", ["a" * (PATTERN_CHARS_MAX + 1), "/work/repo/" + "a" * (PATTERN_CHARS_MAX + 1)])
def test_a_path_over_the_limit_is_refused(text: str) -> None:
    with pytest.raises(LimitExceeded):
        claim(text)


def test_a_path_below_the_root_may_be_as_long_as_a_relative_one() -> None:
    name = "a" * (PATTERN_CHARS_MAX - 3) + ".py"

    assert claim(f"/work/repo/{name}") == name


PIECES = [
    "src",
    "app.py",
    "[id]",
    "*",
    "**",
    "a?",
    "{a,b}",
    "é",
    "e\u0301",
    "/",
    "//",
    "./",
    "../",
    r"\[",
    ".x",
    "~",
    "app/[id]",
    "x y",
]


def outcome(text: str) -> str:
    try:
        return claim(text)
    except Invalid:
        return ""


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=7).map("".join).map(outcome).filter(bool))
def test_a_canonical_pattern_is_its_own_canonical_pattern(canonical: str) -> None:
    assert claim(canonical) == canonical
    assert claimed(canonical) == canonical
    assert pattern(canonical).text == canonical
    assert unicodedata.is_normalized("NFC", canonical)
