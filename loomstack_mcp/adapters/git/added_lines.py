"""Which lines a commit added, by its diff against its first parent."""

import re
from collections.abc import Iterator

from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.run import as_text
from loomstack_mcp.core.exports import AddedLines

_HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@")
_FILES_MAX = 500


def ranges_added(repo: Repository, sha: str) -> tuple[AddedLines, ...]:
    """The lines that a commit added, by file; of a merge none, and of files whose names git has to quote none."""
    asked = ("diff-tree", "--root", "-r", "-p", "-U0", "-M", "--no-color", "--no-ext-diff", "--no-textconv")
    ran = repo.run_plain(*asked, "--src-prefix=a/", "--dst-prefix=b/", "--end-of-options", sha)
    return tuple(_files(as_text(ran.printed)))[:_FILES_MAX] if ran.code == 0 else ()


def _files(printed: str) -> Iterator[AddedLines]:
    for part in printed.split("\ndiff --git ")[1:]:
        head, _, hunks = part.partition("\n@@ ")
        path = next((line[6:].rstrip("\t") for line in head.split("\n") if line.startswith("+++ b/")), "")
        ranges = tuple(_ranges(f"@@ {hunks}")) if path else ()
        if ranges:
            yield AddedLines(path=path, ranges=ranges)


def _ranges(hunks: str) -> Iterator[tuple[int, int]]:
    for line in hunks.split("\n"):
        found = _HUNK.match(line)
        if found and found[2] != "0":
            yield int(found[1]), int(found[1]) + int(found[2] or 1) - 1
