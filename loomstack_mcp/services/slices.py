"""Landed changes as rows, written and forgotten in slices: nobody waits at the gate for a commit of very many files."""

from collections.abc import Callable, Sequence
from typing import Any

from loomstack_mcp.core.changes.landings import BATCH_ROWS_MAX, LandedPart
from loomstack_mcp.core.changes.meaning import MEANING
from loomstack_mcp.services import path_index
from loomstack_mcp.services.landed import CHANGES
from loomstack_mcp.store.base import Statement, Store, Tx

ROWS_MAX = BATCH_ROWS_MAX
"""Rows that one transaction writes."""


def add_part(tx: Tx, repo_id: str, part: LandedPart) -> int:
    """Write the files of a part; those that are there stay. The change's number, or 0 where all of it was there."""
    columns = {name: getattr(part, name) for name in _COLUMNS}
    tx.later(CHANGES["insert"], repo_id=repo_id, meaning=MEANING, **columns)
    [row] = tx.all(CHANGES["begun"], repo_id=repo_id, sha=part.sha)
    if row["whole"]:
        return 0
    for file in sorted(part.files, key=lambda file: file.path):
        tx.later(CHANGES["insert_file"], landed=row["number"], repo_id=repo_id, **vars(file))
    return int(row["number"])


def in_slices(store: Store, items: Sequence[Any], write: Callable[[Tx, Sequence[Any]], None]) -> None:
    """Write many rows, each slice in a transaction of its own."""
    for start in range(0, len(items), ROWS_MAX):
        with store.append() as tx:
            write(tx, items[start : start + ROWS_MAX])


def forget_landed(store: Store, repo_id: str, *, before_ms: int) -> None:
    """What landed before the window, or is of another meaning, is forgotten.

    From the first slice on it is not known any more, nor is the ledger filled for whoever would still have it.
    """
    window = {"repo_id": repo_id, "before_ms": before_ms, "meaning": MEANING}
    with store.append() as tx:
        tx.run(path_index.REPOS["hold"], repo_id=repo_id)
        faded = tx.all(CHANGES["fade"], **window)
        if faded:
            tx.later(path_index.REPOS["unfill"], repo_id=repo_id)
    if not faded:
        return
    for row in faded:
        if row["run_id"]:
            until_none(store, path_index.PATHS["delete_some"], id=row["sha"])
    until_none(store, CHANGES["forget_files"], **window)
    with store.append() as tx:
        tx.later(CHANGES["forget"], **window)


def until_none(store: Store, delete: Statement, **parameters: Any) -> None:
    """Delete rows, some in each transaction, until there are none."""
    count = ROWS_MAX
    while count == ROWS_MAX:
        with store.append() as tx:
            count = tx.run(delete, limit=ROWS_MAX, **parameters)


_COLUMNS = ("sha", "at_ms", "made_at_ms", "author", "account", "title", "said")
