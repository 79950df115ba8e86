"""The ledger: what landed, as the store remembers it, and which run made it."""

import secrets
from collections.abc import Callable, Iterable, Sequence

from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.patterns.globs import first_overlap
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Run
from loomstack_mcp.services import landed, path_index, repos, slices
from loomstack_mcp.services.acting import RUNS
from loomstack_mcp.services.landed import CHANGES
from loomstack_mcp.services.slices import LandedRows
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Store, Tx

_KEY_BYTES = 32


class LedgerService:
    """Landed changes of the window, per repo. Filled from history by whoever sees a clone, each commit once."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def key(self) -> bytes:
        """The key under which this store's lines are hashed."""
        with self._store.read() as tx:
            found = tx.all(CHANGES["key"])
        if not found:
            with self._store.append() as tx:
                tx.run(CHANGES["make_key"], key=secrets.token_bytes(_KEY_BYTES))
                found = tx.all(CHANGES["key"])
        return bytes(found[0]["key"])

    def fill(
        self,
        checkout: Checkout,
        history: Sequence[Change],
        *,
        since_ms: int,
        is_trunk: bool = True,
        read: Callable[[Sequence[str]], Iterable[Change]],
    ) -> int:
        """Take in what of a history is not known yet; `read` says what those commits changed. Returns how many came.

        What landed before `since_ms`, the start of the window, is forgotten. Only where it `is_trunk` are others
        warned of it as landed.
        What `read` leaves out stays unknown. Commits that a rewritten trunk no longer has do no
        harm: a check looks only at those that its own base descends from.
        """
        repo_id = repos.recorded_repo_id(self._store, checkout)
        with self._store.read() as tx:
            known = {row["sha"] for row in tx.all(CHANGES["known"], repo_id=repo_id)}
        missing = [change.sha for change in history if change.sha not in known]
        if is_trunk:
            self._arrived(repo_id, history)
        if not missing:
            return 0
        landed_at_ms = {change.sha: change.at_ms for change in history}
        came = 0
        landings = (slices.landed_rows(change, at_ms=landed_at_ms[change.sha]) for change in read(missing))
        for group in slices.small_groups(landings):
            if len(group[0].files) > slices.ROWS_MAX:
                self._take_in_slices(repo_id, group[0], is_trunk=is_trunk)
            else:
                with self._store.append() as tx:
                    for landing in group:
                        _take_in(tx, repo_id, landing, is_trunk=is_trunk)
            came += len(group)
        slices.forget_landed(self._store, repo_id, before_ms=since_ms)
        return came

    def _take_in_slices(self, repo_id: str, landing: LandedRows, *, is_trunk: bool) -> None:
        """A change of very many files. It is known once the last of them is there: who fills at once does the same."""
        with self._store.append() as tx:
            number = slices.begun(tx, repo_id, landing)
        if not number:
            return
        slices.in_slices(self._store, landing.files, lambda tx, files: slices.add_files(tx, repo_id, number, files))
        indexed = ""
        while True:
            with self._store.append() as tx:
                run_id = _maker(tx, repo_id, landing.change)
                if run_id in ("", indexed) or not is_trunk:
                    _complete(tx, landing, number, run_id, is_trunk=is_trunk)
                    return
            names = [file["path"] for file in landing.files]
            _index_slices(self._store, repo_id, run_id, landing.change.sha, names)
            indexed = run_id

    def _arrived(self, repo_id: str, history: Sequence[Change]) -> None:
        """What was known from elsewhere and is on the trunk now: others are warned of it from now on."""
        with self._store.read() as tx:
            aside = {row["sha"]: row["run_id"] for row in tx.all(CHANGES["aside"], repo_id=repo_id)}
        if not (came := [change.sha for change in history if change.sha in aside]):
            return
        # Indexed before they count as arrived, so that one who is killed in between leaves nothing unindexed.
        for sha in came:
            index_bound(self._store, aside[sha], repo_id, [sha])
        with self._store.append() as tx:
            arrived = tx.all(CHANGES["arrive"], repo_id=repo_id, shas=rows.json_column(came))
        for row in arrived:
            if row["run_id"] != aside[row["sha"]]:
                index_bound(self._store, row["run_id"], repo_id, [row["sha"]])


def made_by_others(tx: Tx, run: Run, commits: Sequence[str]) -> dict[str, str]:
    """Which of these commits another loop's run has said to have made, and in words which: the first word counts."""
    found = {}
    for sha in commits:
        bound = tx.all(CHANGES["bound"], repo_id=run.repo_id, sha=sha, made_at_ms=tx.now_ms)
        for maker in rows.records(Run, tx.all(RUNS["by_ids"], ids=rows.json_column([row["run_id"] for row in bound]))):
            if maker.who != run.who:
                found[sha] = f"is {maker.id}'s ({maker.who})"
    return found


def bind_commits(tx: Tx, run_id: str, repo_id: str, commits: Sequence[str]) -> tuple[str, ...]:
    """A run says that it made these commits, which may land later. Returns those landed that `index_bound` is for."""
    if not commits:
        return ()
    tx.run(CHANGES["bind"], repo_id=repo_id, run_id=run_id, shas=rows.json_column(commits), bound_by="outcome")
    bound = tx.all(CHANGES["bind_landed"], repo_id=repo_id, run_id=run_id, shas=rows.json_column(commits))
    known = [row["sha"] for row in bound if row["is_trunk"]]
    [size] = tx.all(CHANGES["size"], repo_id=repo_id, shas=rows.json_column(known))
    if size["files"] > slices.ROWS_MAX:
        return tuple(known)
    for sha, names in _files_of(tx, repo_id, known).items():
        _index_change(tx, repo_id, run_id, sha, names)
    return ()


def index_bound(store: Store, run_id: str, repo_id: str, shas: Sequence[str]) -> None:
    """Record where commits of very many files lie that a run ("" for none) made.

    After it said so: nobody waits at the gate.
    """
    if not run_id:
        return
    for sha in shas:
        with store.read() as tx:
            names = _files_of(tx, repo_id, [sha])
        for found, paths in names.items():
            _index_slices(store, repo_id, run_id, found, paths)


def _files_of(tx: Tx, repo_id: str, shas: Sequence[str]) -> dict[str, list[str]]:
    files: dict[str, list[str]] = {}
    for row in tx.all(CHANGES["paths_of"], repo_id=repo_id, shas=rows.json_column(shas)):
        files.setdefault(row["sha"], []).append(row["path"])
    return files


def _index_slices(store: Store, repo_id: str, run_id: str, sha: str, names: Sequence[str]) -> None:
    with store.read() as tx:
        claimed, ignore_case = landed.ever_claimed(tx, run_id), path_index.folds(tx, repo_id)
    mine = _claimed_of(names, claimed, ignore_case=ignore_case)
    slices.in_slices(store, mine, lambda tx, patterns: path_index.index_paths(tx, repo_id, "change", sha, patterns))


def _take_in(tx: Tx, repo_id: str, landing: LandedRows, *, is_trunk: bool) -> None:
    number = slices.begun(tx, repo_id, landing)
    if not number:
        return
    slices.add_files(tx, repo_id, number, landing.files)
    run_id = _maker(tx, repo_id, landing.change)
    if run_id and is_trunk:
        _index_change(tx, repo_id, run_id, landing.change.sha, [file["path"] for file in landing.files])
    _complete(tx, landing, number, run_id, is_trunk=is_trunk)


def _complete(tx: Tx, landing: LandedRows, number: int, run_id: str, *, is_trunk: bool) -> None:
    how = {"run_id": run_id, "is_trunk": int(is_trunk)}
    tx.run(CHANGES["complete"], number=number, files=len(landing.files), **how)


def _maker(tx: Tx, repo_id: str, change: Change) -> str:
    """The run that made a commit: as it recorded itself, else as the commit's trailer says."""
    if change.run:
        named = rows.records(Run, tx.all(RUNS["get"], id=change.run))
        if named and named[0].repo_id == repo_id:
            tx.run(
                CHANGES["bind"],
                repo_id=repo_id,
                run_id=change.run,
                shas=rows.json_column([change.sha]),
                bound_by="trailer",
            )
    found = tx.all(CHANGES["bound"], repo_id=repo_id, sha=change.sha, made_at_ms=change.at_ms)
    return str(found[0]["run_id"]) if found else ""


def _index_change(tx: Tx, repo_id: str, run_id: str, sha: str, names: Sequence[str]) -> None:
    """Record where a run's commit lies, as far as the run had claimed it: there it was made on purpose."""
    claimed = landed.ever_claimed(tx, run_id)
    if mine := _claimed_of(names, claimed, ignore_case=path_index.folds(tx, repo_id)):
        path_index.index_paths(tx, repo_id, "change", sha, mine)


def _claimed_of(names: Sequence[str], claimed: Sequence[str], *, ignore_case: bool) -> list[str]:
    return [pattern for pattern in landed.literals(names) if first_overlap([pattern], claimed, ignore_case=ignore_case)]
