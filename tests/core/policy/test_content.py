"""Secrets, links, submodules and limits, as pure decisions; patterns through RE2."""

import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loomstack_mcp.adapters.parse.re2_patterns import Patterns, error_in
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.policy.content import (
    VIOLATIONS_MAX,
    added_lines,
    lines_forbidden,
    links_escaping,
    secrets_added,
    submodules_changed,
)
from loomstack_mcp.core.policy.delta import LINK, SUBMODULE, FileDelta, Subject, limits_exceeded
from loomstack_mcp.core.policy.rules import Limits
from loomstack_mcp.core.policy.violations import Violation
from loomstack_mcp.core.secrets import SHAPES, secret_in, secrets_in
from tests.conftest import commit_all
from tests.deadlines import seconds
from tests.deltas import Blobs, landing, tree

AWS = b"AKIA" + b"ABCDEFGHIJKLMNOP"
ZERO = "0" * 40


def delta(path: str = "a.py", *, mode: str = "100644", **more: object) -> FileDelta:
    given = {"old_path": path, "status": "M", "mode_before": mode, "mode_after": mode, "blob_before": "before",
             "blob_after": "after"}  # fmt: skip
    return FileDelta(path=path, **(given | more))  # type: ignore[arg-type]


def changed(before: bytes | None, after: bytes | None, **more: object) -> tuple[Subject, Mapping[str, bytes | None]]:
    blobs = {"before": before, "after": after}
    return Subject(files=(delta(**more),)), blobs  # type: ignore[arg-type]


def secrets(before: bytes | None, after: bytes | None, **more: object) -> list[tuple[str, int]]:
    subject, blobs = changed(before, after, **more)
    return [(found.text, found.line) for found in secrets_added(subject, blobs.__getitem__)]


def matched(after: bytes | None, *patterns: str, **more: object) -> list[tuple[str, int]]:
    subject, blobs = changed(b"", after, **more)
    found = lines_forbidden(subject, blobs.__getitem__, Patterns(patterns).first)
    return [(one.text, one.line) for one in found]


def escaping(links: Mapping[str, str], *touched: str) -> list[str]:
    files = tuple(delta(path, mode=LINK) for path in touched or tuple(links))
    return [found.path for found in links_escaping(Subject(files=files), links)]


@given(st.lists(st.sampled_from([b"a", b"b", b"c", b""])), st.lists(st.sampled_from([b"a", b"b", b"c", b"d"])))
def test_added_lines_are_what_there_is_more_of(before: list[bytes], after: list[bytes]) -> None:
    old, new = (b"".join(line + b"\n" for line in lines) for lines in (before, after))

    found = added_lines(old, new)

    assert Counter(line for _, line in found) == Counter(after) - Counter(before)
    assert all(after[number - 1] == line for number, line in found)


def test_line_ends_are_no_part_of_a_line() -> None:
    assert added_lines(b"a\nb", b"a\r\nb\r\nc") == [(3, b"c")]
    assert added_lines(None, b"") == []


def test_a_secret_is_told_with_its_line_and_not_shown() -> None:
    subject, blobs = changed(b"x = 1\n", b"x = 1\nk = '" + AWS + b"'\n")

    [found] = secrets_added(subject, blobs.__getitem__)

    assert found == Violation(text="shows an AWS access key", path="a.py", line=2)


def test_a_secret_that_was_there_is_not_held_against_the_change() -> None:
    assert secrets(AWS + b"\n", b"# moved\n" + AWS + b"\nx\n") == []
    assert secrets(AWS + b"\n", AWS + b"\n" + AWS + b"\n") == [("shows an AWS access key", 2)]


def test_a_file_that_only_moves_adds_nothing() -> None:
    assert secrets(AWS, AWS, old_path="b.py", status="R", blob_before="after") == []


def test_a_secret_in_a_binary_file_is_found() -> None:
    assert secrets(b"", b"\x00\x01\x02" + AWS + b"\x00\x01", is_binary=True) == [("shows an AWS access key", 0)]


def test_a_secret_in_utf_16_is_found() -> None:
    assert secrets(b"", AWS.decode().encode("utf-16"), is_binary=True) == [("shows an AWS access key", 0)]


def test_what_is_too_large_to_scan_is_told() -> None:
    assert secrets(b"", None, bytes_after=6_000_000) == [("is too large to scan (6,000,000 bytes)", 0)]
    assert matched(None, "x", bytes_after=7) == [("is too large to scan (7 bytes)", 0)]


def test_a_small_file_that_was_too_large_is_scanned_whole() -> None:
    assert secrets(None, AWS) == [("shows an AWS access key", 1)]


def test_of_many_findings_the_rest_is_counted() -> None:
    found = secrets(b"", (AWS + b"\n") * (VIOLATIONS_MAX + 7))

    assert (len(found), found[-1]) == (VIOLATIONS_MAX + 1, ("7 more like these", 0))


@pytest.mark.parametrize(
    "secret",
    [
        "-----BEGIN OPENSSH " + "PRIVATE KEY-----",
        "AGE-SECRET-" + "KEY-1" + "Q" * 58,
        "ASIA" + "B" * 16,
        "github_pat_" + "a" * 60,
        "glpat-" + "a" * 20,
        "xoxb-" + "1234567890",
        "https://hooks.slack.com/" + "services/T00000000/B00000000/" + "X" * 24,
        "sk-" + "a1" * 24,
        "sk-proj-" + "a_b-" * 10,
        "eyJhbGciOiJI." + "eyJzdWIiOiIx." + "abcdefgh",
        "AIza" + "a" * 35,
        "GOCSPX-" + "a" * 28,
        "sk_test_" + "a" * 24,
        "SG." + "a" * 22 + "." + "b" * 43,
        "npm_" + "a" * 36,
        "pypi-AgE" + "a" * 60,
        "dckr_pat_" + "a" * 27,
        "dop_v1_" + "a" * 64,
        "hf_" + "a" * 34,
        "shpat_" + "a" * 32,
        "dapi" + "a" * 32,
        "lin_api_" + "a" * 40,
        "hvs." + "a" * 24,
        "glsa_" + "a" * 32 + "_" + "b" * 8,
        "123456789:AA" + "a" * 33,
        "AccountKey=" + "a" * 86 + "==",
    ],
)
def test_each_issuers_shape_is_known_in_text_and_in_bytes(secret: str) -> None:
    assert secret_in(f"key = '{secret}'")
    assert list(secrets_in(f"key = '{secret}'".encode()))


@pytest.mark.parametrize(
    "harmless",
    [
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "sk-loading-indicator-of-the-main-column-of-the-page",
        "class=sk-circle-fade-dot-number-one-of-twelve",
        "task_force_of_the_region_number_twelve_and_thirteen",
        "npm_config_registry",
        "-----BEGIN PUBLIC KEY-----",
        "AKIA_NOT_A_KEY",
        "hooks.slack.com/services/",
        "123:AA",
    ],
)
def test_what_only_looks_like_a_secret_is_none(harmless: str) -> None:
    assert secret_in(harmless) == ""


def test_the_table_says_what_with_an_article() -> None:
    assert [shape.what for shape in SHAPES if not shape.what.startswith(("a ", "an "))] == []


@pytest.mark.parametrize("hostile", [b"-eyJ", b"xox", b"hooks.slack.com/services/T", b"-----BEGIN ", b".atlasv1."])
def test_hostile_text_is_scanned_in_linear_time(hostile: bytes) -> None:
    started = time.process_time()

    assert list(secrets_in(hostile * (2_000_000 // len(hostile)) + b"\nPRIVATE KEY :AA eyJ")) == []

    assert time.process_time() - started < seconds(5)


@pytest.mark.parametrize(
    "links",
    [
        {"a": "/etc/passwd"},
        {"a": "../b"},
        {"d/a": "../../b"},
        {"d/a": "x/../../../b"},
        {"a": "C:\\Windows"},
        {"a": ".git/config"},
        {"d/a": "../.GIT/hooks"},
        {"a": "a"},
    ],
)
def test_a_link_that_leads_out_is_told(links: dict[str, str]) -> None:
    assert escaping(links) == list(links)


@pytest.mark.parametrize("links", [{"a": "b"}, {"d/a": "../b"}, {"d/a": "./x/../.."}, {"a": "..b/c"}, {"a": ".github"}])
def test_a_link_within_the_repository_is_fine(links: dict[str, str]) -> None:
    assert escaping(links) == []


def test_a_link_out_through_another_link_is_told() -> None:
    links = {"x/y/up": "../..", "evil": "x/y/up/../etc/passwd"}

    assert escaping(links) == ["evil"]


def test_an_old_link_that_a_new_one_leads_out_is_told() -> None:
    links = {"old": "x/y/up/../z", "x/y/up": "../.."}

    assert escaping(links, "x/y/up") == ["old"]


def test_links_of_the_tree_are_followed_through_each_other(shop: Path) -> None:
    (shop / "x/y").mkdir(parents=True)
    (shop / "x/y/up").symlink_to("../..")
    (shop / "evil").symlink_to("x/y/up/../etc")
    commit_all(shop)

    landed = landing(shop, "HEAD~", "HEAD")
    with Blobs(shop) as blobs:
        found = links_escaping(landed.subject, blobs.links(tree(shop, landed.after)))

    assert [(one.path, one.text) for one in found] == [("evil", "links to x/y/up/../etc, out of the repository")]


def test_an_old_link_that_leads_out_is_not_held_against_another_change() -> None:
    assert escaping({"old": "/etc/passwd"}, "a.py") == []


def test_submodules_that_come_go_or_move_are_told() -> None:
    moved = delta("vendor/lib", mode=SUBMODULE, blob_before="1" * 40, blob_after="2" * 40)
    came = delta("b", mode_before="000000", mode_after=SUBMODULE, status="A", blob_before=ZERO, blob_after="3" * 40)
    named = delta(".gitmodules")

    found = submodules_changed(Subject(files=(moved, came, named, delta("a.py"))))

    assert [(one.path, one.text) for one in found] == [
        ("vendor/lib", "points a submodule from 1111111111 to 2222222222"),
        ("b", "points a submodule from none to 3333333333"),
        (".gitmodules", "changes where submodules come from"),
    ]


def test_an_added_line_that_matches_is_told_with_the_pattern() -> None:
    assert matched(b"ok\neval(x)\n", r"\beval\(", "pdb") == [(r"an added line matches \beval\(", 2)]


def test_a_slow_pattern_meets_hostile_text_in_linear_time() -> None:
    started = time.process_time()

    assert matched((b"a" * 4_000 + b"\n") * 200, "(a+)+$b") == []

    assert time.process_time() - started < seconds(5)


def test_a_line_too_long_to_scan_is_told_unless_its_beginning_matches() -> None:
    long = b"x" * 5_000

    assert matched(long + b"eval(\n", r"eval\(") == [("line too long to scan (5,005 bytes)", 1)]
    assert matched(b"eval(" + long, r"eval\(") == [(r"an added line matches eval\(", 1)]
    assert matched(b"\0" + long, r"eval\(", is_binary=True) == []


def test_bytes_that_are_no_utf_8_hide_nothing() -> None:
    assert matched(b"eval\xff(x)\n", r"eval.?\(") == [(r"an added line matches eval.?\(", 1)]


@pytest.mark.parametrize("pattern", [r"(a)\1", "(?=a)", "(", "a" * 2_000, "\ud800"])
def test_what_re2_does_not_take_is_refused(pattern: str) -> None:
    with pytest.raises(Invalid):
        Patterns([pattern])

    assert error_in(pattern)


def test_limits_count_files_and_lines_of_text() -> None:
    files = (
        delta("a.py", lines_added=3, lines_removed=2),
        delta("b.bin", is_binary=True, bytes_after=900),
        delta("sub", mode=SUBMODULE),
    )

    found = limits_exceeded(
        Subject(files=files), Limits(files_max=2, lines_added_max=2, lines_changed_max=4, blob_bytes_max=800)
    )

    assert [(one.path, one.text) for one in found] == [
        ("", "changes 3 files, 2 is the most (files_max)"),
        ("", "adds 3 lines, 2 is the most (lines_added_max)"),
        ("", "adds and removes 5 lines, 4 is the most (lines_changed_max)"),
        ("b.bin", "has 900 bytes, 800 is the most (blob_bytes_max)"),
    ]


def test_at_a_limit_nothing_is_exceeded() -> None:
    subject = Subject(files=(delta(lines_added=3, lines_removed=2, bytes_after=10),))
    limits = Limits(files_max=1, lines_added_max=3, lines_changed_max=5, blob_bytes_max=10)

    assert limits_exceeded(subject, limits) == ()


def test_a_large_file_that_only_moves_is_not_held_against_the_change() -> None:
    moved = delta("b", old_path="a", status="R", blob_before="after", bytes_after=10)

    assert limits_exceeded(Subject(files=(moved,)), Limits(blob_bytes_max=1)) == ()
