"""The ledger: what landed, as the store remembers it, and which run made it."""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.imprints import Maker
from loomstack_mcp.core.changes.meaning import MEANING
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Run
from loomstack_mcp.services import landed_index, repos, slices
from loomstack_mcp.services.acting import RUNS
from loomstack_mcp.services.imprints import (
    WorkReader,
    forget_imprints,
    imprint_bound,
    imprint_hinted,
    known_hints,
    maker_of,
)
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

    def imprint(self, checkout: Checkout, clone: WorkReader) -> None:
        """Keep the content of what runs said to have made, as far as this clone has it, to know it again."""
        imprint_bound(self._store, repos.recorded_repo_id(self._store, checkout), clone)

    def fill(
        self,
        checkout: Checkout,
        history: Sequence[Change],
        *,
        since_ms: int,
        is_trunk: bool = True,
        read: Callable[[Sequence[str]], Iterable[Change]],
        clone: WorkReader | None = None,
    ) -> int:
        """Take in what of a history is not known yet; `read` says what those commits changed. Returns how many came.

        A commit is its run's by its id, else by its content; `clone` says what runs signed that recorded nothing.

        What landed before `since_ms`, the start of the window, is forgotten. Only where it `is_trunk` are others
        warned of it as landed.
        What `read` leaves out stays unknown. Commits that a rewritten trunk no longer has do no
        harm: a check looks only at those that its own base descends from.
        """
        repo_id = repos.recorded_repo_id(self._store, checkout)
        with self._store.read() as tx:
            known = {row["sha"] for row in tx.all(CHANGES["known"], repo_id=repo_id, meaning=MEANING)}
            stale = tx.all(CHANGES["stale"], repo_id=repo_id, meaning=MEANING)
        missing = [change.sha for change in history if change.sha not in known]
        if is_trunk:
            self._arrived(repo_id, history)
        if not missing:
            return 0
        forget_imprints(self._store, repo_id)
        if stale:
            slices.forget_landed(self._store, repo_id, before_ms=since_ms)
        landed_at_ms = {change.sha: change.at_ms for change in history}
        came = 0
        landings = (slices.landed_rows(change, at_ms=landed_at_ms[change.sha]) for change in read(missing))
        for group in slices.small_groups(landings):
            if clone:
                imprint_hinted(self._store, repo_id, [run for one in group for run in one.change.hints], clone)
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
                whose = _maker(tx, repo_id, landing)
                run_id = whose["run_id"]
                if run_id in ("", indexed) or not is_trunk:
                    _complete(tx, landing, number, whose, is_trunk=is_trunk)
                    return
            names = [file["path"] for file in landing.files]
            landed_index.index_slices(self._store, repo_id, run_id, landing.change.sha, names)
            indexed = run_id

    def _arrived(self, repo_id: str, history: Sequence[Change]) -> None:
        """What was known from elsewhere and is on the trunk now: others are warned of it from now on."""
        with self._store.read() as tx:
            aside = {row["sha"]: row["run_id"] for row in tx.all(CHANGES["aside"], repo_id=repo_id)}
        if not (came := [change.sha for change in history if change.sha in aside]):
            return
        # Indexed before they count as arrived, so that one who is killed in between leaves nothing unindexed.
        for sha in came:
            landed_index.index_bound(self._store, aside[sha], repo_id, [sha])
        with self._store.append() as tx:
            arrived = tx.all(CHANGES["arrive"], repo_id=repo_id, shas=rows.json_column(came))
        for row in arrived:
            if row["run_id"] != aside[row["sha"]]:
                landed_index.index_bound(self._store, row["run_id"], repo_id, [row["sha"]])


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
    for sha, names in landed_index.indexed_paths(tx, repo_id, known).items():
        landed_index.index_change(tx, repo_id, run_id, sha, names)
    return ()


def _take_in(tx: Tx, repo_id: str, landing: LandedRows, *, is_trunk: bool) -> None:
    number = slices.begun(tx, repo_id, landing)
    if not number:
        return
    slices.add_files(tx, repo_id, number, landing.files)
    whose = _maker(tx, repo_id, landing)
    if whose["run_id"] and is_trunk:
        names = [file["path"] for file in landing.files]
        landed_index.index_change(tx, repo_id, whose["run_id"], landing.change.sha, names)
    _complete(tx, landing, number, whose, is_trunk=is_trunk)


def _complete(tx: Tx, landing: LandedRows, number: int, whose: Mapping[str, Any], *, is_trunk: bool) -> None:
    tx.run(CHANGES["complete"], number=number, files=len(landing.files), is_trunk=int(is_trunk), **whose)


def _maker(tx: Tx, repo_id: str, landing: LandedRows) -> dict[str, Any]:
    """The run that made a commit, how that is known, and the runs that its message names: as columns.

    As it recorded itself, else by the commit's content.
    """
    change = landing.change
    hints = [run.id for run in known_hints(tx, repo_id, change.hints)]
    found = tx.all(CHANGES["bound"], repo_id=repo_id, sha=change.sha, made_at_ms=change.at_ms)
    maker = (
        Maker(run_id=found[0]["run_id"], bound_by="sha")
        if found
        else maker_of(tx, repo_id, landing.imprint, made_at_ms=change.at_ms, hints=hints)
    )
    whose = {"run_id": maker.run_id, "bound_by": maker.bound_by} if maker else {"run_id": "", "bound_by": ""}
    return {**whose, "hints": rows.json_column(hints)}
