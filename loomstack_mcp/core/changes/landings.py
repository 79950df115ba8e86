"""Landed changes on their way into a ledger: worked out where git is seen, and told in batches of bounded size."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from loomstack_mcp.core.changes.batches import batches
from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.imprints import Imprint, imprint
from loomstack_mcp.core.changes.lines import weight
from loomstack_mcp.core.changes.mentions import Mentions
from loomstack_mcp.core.changes.nets import netted
from loomstack_mcp.core.changes.packing import packed
from loomstack_mcp.core.limits import NAME_CHARS_MAX
from loomstack_mcp.core.records import record
from loomstack_mcp.core.texts import encodable, redacted

BATCH_ROWS_MAX = 250
"""Parts and files of one batch, which one transaction writes: some five milliseconds on the slowest disk that was
measured, 2026-11."""
BATCH_PARTS_MAX = 50


@record
class LandedFile:
    """What a landed change did to one file."""

    path: str
    old_path: str
    before: str
    after: str
    hunks: bytes
    """Packed, without the lines that only moved."""


@record
class LandedPart:
    """A landed change, or of one with very many files some of them."""

    sha: str
    at_ms: int
    """When it landed."""
    made_at_ms: int
    author: str
    account: str
    title: str
    said: int
    hints: tuple[str, ...]
    files: tuple[LandedFile, ...]
    files_in_all: int
    mentions: Mentions = Mentions()
    is_merge: bool = False
    imprint: Imprint | None = None
    """With the last part alone, after which the change is whole."""


def landed_parts(change: Change, /, *, at_ms: int) -> Iterator[LandedPart]:
    """A change that landed at that instant, in parts that fit a batch each."""
    nets = netted(change.files)
    files = {
        path: LandedFile(
            path=path,
            old_path=encodable(file.old_path),
            before=file.before,
            after=file.after,
            hunks=packed(replace(net.hunk, removed=net.removed, added=net.added) for net in hunks),
        )
        for file, hunks in zip(change.files, nets, strict=True)
        if (path := encodable(file.path))
    }
    columns: dict[str, Any] = {
        "sha": change.sha,
        "at_ms": at_ms,
        "made_at_ms": change.at_ms,
        "author": redacted(change.author, chars_max=NAME_CHARS_MAX),
        "account": change.account,
        "title": redacted(change.title, chars_max=NAME_CHARS_MAX),
        "said": sum(weight((*net.removed, *net.added)) for file in nets for net in file),
        "hints": change.hints,
        "mentions": change.mentions,
        "is_merge": len(change.parents) > 1,
        "files_in_all": len(files),
    }
    cut = _cut(tuple(files.values()))
    yield from (LandedPart(**columns, files=some) for some in cut[:-1])
    yield LandedPart(**columns, files=cut[-1], imprint=imprint(change.files, nets, lists=change.lists))


def landing_batches(parts: Iterable[LandedPart], /) -> Iterator[tuple[LandedPart, ...]]:
    """The same in their order, in batches that one transaction can take."""
    return batches(parts, size=lambda part: batch_rows([part]), size_max=BATCH_ROWS_MAX, count_max=BATCH_PARTS_MAX)


def batch_rows(batch: Sequence[LandedPart], /) -> int:
    """How many rows a batch is: each part, and each of its files."""
    return sum(1 + len(part.files) for part in batch)


def _cut(files: Sequence[LandedFile]) -> list[tuple[LandedFile, ...]]:
    """At least one slice, empty for a change without files."""
    most = BATCH_ROWS_MAX - 1
    return [tuple(files[start : start + most]) for start in range(0, max(1, len(files)), most)]
