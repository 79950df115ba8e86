"""Where landed changes of runs lie in the index of paths: as far as their runs had claimed it."""

from collections.abc import Sequence

from loomstack_mcp.core.patterns.globs import first_overlap
from loomstack_mcp.services import landed, path_index, slices
from loomstack_mcp.services.landed import CHANGES
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Store, Tx


def index_bound(store: Store, run_id: str, repo_id: str, shas: Sequence[str]) -> None:
    """Record where commits of very many files lie that a run ("" for none) made.

    After it said so: nobody waits at the gate.
    """
    if not run_id:
        return
    for sha in shas:
        with store.read() as tx:
            names = indexed_paths(tx, repo_id, [sha])
        for found, paths in names.items():
            index_slices(store, repo_id, run_id, found, paths)


def indexed_paths(tx: Tx, repo_id: str, shas: Sequence[str]) -> dict[str, list[str]]:
    """The paths of each of these landed changes that is known."""
    files: dict[str, list[str]] = {}
    for row in tx.all(CHANGES["paths_of"], repo_id=repo_id, shas=rows.json_column(shas)):
        files.setdefault(row["sha"], []).append(row["path"])
    return files


def index_slices(store: Store, repo_id: str, run_id: str, sha: str, names: Sequence[str]) -> None:
    """The same for very many files, some in each transaction."""
    with store.read() as tx:
        claimed, ignore_case = landed.ever_claimed(tx, run_id), path_index.folds(tx, repo_id)
    mine = _claimed_of(names, claimed, ignore_case=ignore_case)
    slices.in_slices(store, mine, lambda tx, patterns: path_index.index_paths(tx, repo_id, "change", sha, patterns))


def index_change(tx: Tx, repo_id: str, run_id: str, sha: str, names: Sequence[str]) -> None:
    """Record where a run's commit lies, as far as the run had claimed it: there it was made on purpose."""
    claimed = landed.ever_claimed(tx, run_id)
    if mine := _claimed_of(names, claimed, ignore_case=path_index.folds(tx, repo_id)):
        path_index.index_paths(tx, repo_id, "change", sha, mine)


def _claimed_of(names: Sequence[str], claimed: Sequence[str], *, ignore_case: bool) -> list[str]:
    return [pattern for pattern in landed.literals(names) if first_overlap([pattern], claimed, ignore_case=ignore_case)]
