"""Landed changes as rows, written and forgotten in slices: nobody waits at the gate for a commit of very many files."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.imprints import Imprint, imprint
from loomstack_mcp.core.changes.lines import weight
from loomstack_mcp.core.changes.meaning import MEANING
from loomstack_mcp.core.changes.nets import netted
from loomstack_mcp.core.changes.packing import packed
from loomstack_mcp.core.limits import NAME_CHARS_MAX
from loomstack_mcp.core.texts import encodable, redacted
from loomstack_mcp.services import path_index
from loomstack_mcp.services.landed import CHANGES
from loomstack_mcp.store.base import Statement, Store, Tx

ROWS_MAX = 250
"""Rows that one transaction writes: some five milliseconds on the slowest disk that was measured, 2026-11."""
_CHANGES_MAX = 50


@dataclass(frozen=True, kw_only=True)
class LandedRows:
    """A change that is about to enter the ledger, worked out before the gate is taken."""

    change: Change
    columns: dict[str, Any]
    files: tuple[dict[str, Any], ...]
    imprint: Imprint


def landed_rows(change: Change, *, at_ms: int) -> LandedRows:
    """The rows of a change that landed at that instant."""
    nets = netted(change.files)
    columns = {
        "sha": change.sha,
        "meaning": MEANING,
        "at_ms": at_ms,
        "made_at_ms": change.at_ms,
        "author": redacted(change.author, chars_max=NAME_CHARS_MAX),
        "account": change.account,
        "title": redacted(change.title, chars_max=NAME_CHARS_MAX),
        "said": sum(weight((*net.removed, *net.added)) for file in nets for net in file),
    }
    files = {
        path: {
            "path": path,
            "old_path": encodable(file.old_path),
            "before": file.before,
            "after": file.after,
            "hunks": packed(replace(net.hunk, removed=net.removed, added=net.added) for net in hunks),
        }
        for file, hunks in zip(change.files, nets, strict=True)
        if (path := encodable(file.path))
    }
    known_by = imprint(change.files, nets)
    return LandedRows(change=change, columns=columns, files=tuple(files.values()), imprint=known_by)


def small_groups(landings: Iterable[LandedRows]) -> Iterator[list[LandedRows]]:
    """The same, in their order, in groups that one transaction can take; a large one is a group of its own."""
    group: list[LandedRows] = []
    rows = 0
    for landing in landings:
        if group and (rows + len(landing.files) > ROWS_MAX or len(group) >= _CHANGES_MAX):
            yield group
            group, rows = [], 0
        group.append(landing)
        rows += len(landing.files)
    if group:
        yield group


def begun(tx: Tx, repo_id: str, landing: LandedRows) -> int:
    """The number of the change, known or new; 0 where all of it is there."""
    tx.run(CHANGES["insert"], repo_id=repo_id, **landing.columns)
    [row] = tx.all(CHANGES["begun"], repo_id=repo_id, sha=landing.change.sha)
    return 0 if row["whole"] else int(row["number"])


def add_files(tx: Tx, repo_id: str, number: int, files: Iterable[dict[str, Any]]) -> None:
    """Write some files of a change; those that are there stay."""
    for file in files:
        tx.run(CHANGES["insert_file"], landed=number, repo_id=repo_id, **file)


def in_slices(store: Store, items: Sequence[Any], write: Callable[[Tx, Sequence[Any]], None]) -> None:
    """Write many rows, each slice in a transaction of its own."""
    for start in range(0, len(items), ROWS_MAX):
        with store.append() as tx:
            write(tx, items[start : start + ROWS_MAX])


def forget_landed(store: Store, repo_id: str, *, before_ms: int) -> None:
    """What landed before the window, or is of another meaning, is forgotten.

    From the first slice on it is not known any more.
    """
    window = {"repo_id": repo_id, "before_ms": before_ms, "meaning": MEANING}
    with store.append() as tx:
        faded = tx.all(CHANGES["fade"], **window)
    if not faded:
        return
    for row in faded:
        if row["run_id"]:
            until_none(store, path_index.PATHS["delete_some"], id=row["sha"])
    until_none(store, CHANGES["forget_files"], **window)
    with store.append() as tx:
        tx.run(CHANGES["forget"], **window)


def until_none(store: Store, delete: Statement, **parameters: Any) -> None:
    """Delete rows, some in each transaction, until there are none."""
    count = ROWS_MAX
    while count == ROWS_MAX:
        with store.append() as tx:
            count = tx.run(delete, limit=ROWS_MAX, **parameters)
