"""Marks in code that take lines out of coverage: `# pragma: no cover` and its like."""

import re
from collections import Counter
from collections.abc import Iterator

from loomstack_mcp.core.phrases import counted
from loomstack_mcp.core.tampering.kinds import Weakening
from loomstack_mcp.core.tampering.model import FileContents
from loomstack_mcp.core.tampering.paths import holds_tests

_MARK = re.compile(
    rb"(?:#|//|/\*)\s*(?:pragma: *no *cover|(?:istanbul|c8|v8) ignore (?:next|file|start|if|else)).*?(?:\*/|$)"
)


def coverage_mark_findings(old: FileContents, new: FileContents) -> Iterator[Weakening]:
    """Existing lines that are no longer to be covered; a line that is new with its mark is none."""
    for path in old.keys() & new.keys():
        if not holds_tests(path) and _may_have_marks(new[path]):
            yield from _newly_marked(path, old[path], new[path])


def _may_have_marks(content: bytes) -> bool:
    return b"cover" in content or b" ignore " in content


def _newly_marked(path: str, old: bytes, new: bytes) -> Iterator[Weakening]:
    marked, free = _marked_and_free(new)
    marked_before, free_before = _marked_and_free(old)
    for line, count in (marked - marked_before).items():
        if free_before[line] > free[line] and line.strip():
            text = f"no longer counted as not covered: {counted(count, 'existing line')}"
            yield Weakening(kind="coverage_pragma", text=text, path=path, line=_line_of_mark(new, line))


def _line_of_mark(content: bytes, line: bytes) -> int:
    """Where the line stands with a mark, from 1; 1 where the mark is on a line of its own."""
    numbered = enumerate(content.splitlines(), 1)
    return next((number for number, text in numbered if line in text and _MARK.search(text)), 1)


def _marked_and_free(content: bytes) -> tuple[Counter[bytes], Counter[bytes]]:
    """Lines with a mark that takes them out of coverage, and those without, both without the mark."""
    marked: Counter[bytes] = Counter()
    free: Counter[bytes] = Counter()
    above = False
    for line in content.splitlines():
        bare = _MARK.sub(b"", line).strip()
        found = bare != line.strip()
        if found and not bare:
            above = True  # a mark on a line of its own is about the next one
            continue
        (marked if found or above else free)[bare] += 1
        above = False
    return marked, free
