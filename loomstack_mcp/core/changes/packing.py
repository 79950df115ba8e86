"""The hunks of a file as bytes, as the store keeps them: numbers of fixed width, no text."""

import struct
from collections.abc import Iterable, Iterator

from loomstack_mcp.core.changes.hunks import Hunk

_HEAD = struct.Struct("<IIIIQQBHH")


def packed(hunks: Iterable[Hunk], /) -> bytes:
    """The bytes that `unpacked` makes the same hunks of. A hunk lists at most HUNK_LINES_MAX lines: they fit."""
    parts = []
    for hunk in hunks:
        counts = len(hunk.removed), len(hunk.added)
        place = hunk.before, hunk.before_lines, hunk.after, hunk.after_lines
        parts.append(_HEAD.pack(*place, hunk.takes, hunk.gives, hunk.kept_percent, *counts))
        parts.append(struct.pack(f"<{sum(counts)}Q", *hunk.removed, *hunk.added))
    return b"".join(parts)


def unpacked(content: bytes, /) -> tuple[Hunk, ...]:
    """The hunks that `packed` made these bytes of."""
    return tuple(_hunks(content))


def _hunks(content: bytes) -> Iterator[Hunk]:
    at = 0
    while at < len(content):
        before, before_lines, after, after_lines, takes, gives, kept_percent, removed, added = _HEAD.unpack_from(
            content, at
        )
        at += _HEAD.size
        lines = struct.unpack_from(f"<{removed + added}Q", content, at)
        at += 8 * len(lines)
        yield Hunk(
            before=before,
            before_lines=before_lines,
            after=after,
            after_lines=after_lines,
            removed=lines[:removed],
            added=lines[removed:],
            takes=takes,
            gives=gives,
            kept_percent=kept_percent,
        )
