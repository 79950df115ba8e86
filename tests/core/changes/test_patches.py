"""Patches that git printed, against the two texts that it compared."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from loomstack_mcp.adapters.git.commit_logs import DIFF, LARGE, parsed_files
from loomstack_mcp.core.changes.hunks import FileChange
from loomstack_mcp.core.changes.lines import WEIGHT_MAX, Lines

LINES = Lines(b"a key")
# What a reader of patches could take for something else, among plain lines.
TOLD = [
    "alpha = 1",
    "beta(2)",
    "gamma",
    "",
    "@@ -1 +1 @@",
    "diff --git a/x b/x",
    "-- a/f",
    "++ b/f",
    "index 1..2",
    "\r",
]
TOLD += ["-", "+", "\\ No newline at end of file", "\x0c", "é", "caf\u2028é"]
MARKS = ["=======", "=" * 12, "<<<<<<< mine", ">>>>>>> theirs", "||||||| base"]
texts = st.tuples(st.lists(st.sampled_from(TOLD), max_size=9), st.booleans()).map(
    lambda drawn: ("\n".join(drawn[0]) + ("\n" if drawn[1] and drawn[0] else "")).encode()
)
"""Where nothing in a change says anything, its blobs stand for it: so each text begins with a line of its own."""
relaxed = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
Compare = Callable[[dict[str, bytes], dict[str, bytes]], tuple[FileChange, ...]]


@pytest.fixture
def compare(tmp_path: Path) -> Compare:
    """What git says of two sets of files, as our reader has it."""

    def git(*arguments: str, given: bytes = b"") -> bytes:
        return subprocess.run(["git", *arguments], cwd=tmp_path, input=given, check=True, capture_output=True).stdout

    def tree(files: dict[str, bytes]) -> str:
        blobs = [
            (git("hash-object", "-w", "--stdin", given=text).decode().strip(), name) for name, text in files.items()
        ]
        listed = "".join(f"100644 blob {blob}\t{name}\0" for blob, name in sorted(blobs, key=lambda one: one[1]))
        return git("mktree", "-z", given=listed.encode()).decode().strip()

    git("init", "--quiet")
    return lambda old, new: parsed_files(git(*LARGE, "diff", *DIFF, tree(old), tree(new)), LINES)


def split(text: bytes) -> list[bytes]:
    return text.removesuffix(b"\n").split(b"\n") if text else []


def span(start: int, size: int) -> tuple[int, int]:
    """Of an empty span git names the line above it."""
    return (start, start) if size == 0 else (start - 1, start - 1 + size)


def numbers(lines: list[bytes]) -> tuple[int, ...]:
    """Of the lines that say something."""
    return tuple(number for number in map(LINES.number, lines) if number & WEIGHT_MAX)


@relaxed
@given(old=texts.map(b"of old\n".__add__), new=texts.map(b"of new\n".__add__))
@example(old=b"a = 1", new=b"a = 1\nb = 2")
@example(old=b"", new=b"alpha")
@example(old=b"alpha\n", new=b"")
def test_hunks_hold_the_lines_at_their_places_and_all_else_is_the_same(
    compare: Compare, old: bytes, new: bytes
) -> None:
    found = compare({"f": old}, {"f": new})
    hunks = found[0].hunks
    before, after = split(old), split(new)
    kept_before, kept_after, at_before, at_after = [], [], 0, 0
    for hunk in hunks:
        (start, end), (first, last) = span(hunk.before, hunk.before_lines), span(hunk.after, hunk.after_lines)
        assert hunk.removed == numbers(before[start:end])
        assert hunk.added == numbers(after[first:last])
        kept_before += before[at_before:start]
        kept_after += after[at_after:first]
        at_before, at_after = end, last

    assert hunks
    assert kept_before + before[at_before:] == kept_after + after[at_after:]


@relaxed
@given(body=st.lists(st.sampled_from([*TOLD, *MARKS]), min_size=1, max_size=5))
def test_whoever_takes_lines_out_takes_what_was_given(compare: Compare, body: list[str]) -> None:
    above, below = b"first line\n", b"\xff last line\n"
    without, with_it = above + below, above + "".join(f"{line}\n" for line in body).encode() + below

    [there], [back] = compare({"f": without}, {"f": with_it}), compare({"f": with_it}, {"f": without})

    assert [(hunk.added, hunk.gives) for hunk in there.hunks] == [(hunk.removed, hunk.takes) for hunk in back.hunks]
