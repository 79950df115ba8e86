"""The ledger: what landed, as the store remembers it, and which run made it."""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.lines import weight
from loomstack_mcp.core.changes.nets import netted
from loomstack_mcp.core.changes.packing import packed
from loomstack_mcp.core.limits import NAME_CHARS_MAX
from loomstack_mcp.core.patterns.globs import first_overlap
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Run
from loomstack_mcp.core.texts import encodable, redacted
from loomstack_mcp.services import landed, path_index, repos
from loomstack_mcp.services.acting import RUNS
from loomstack_mcp.services.landed import CHANGES
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Store, Tx

_KEY_BYTES = 32
_BATCH = 100
"""Changes that one transaction takes in: others that want to write do not wait long."""


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
        changes = iter(read(missing))
        while batch := list(islice(changes, _BATCH)):
            with self._store.append() as tx:
                for change in batch:
                    _take_in(tx, repo_id, change, at_ms=landed_at_ms[change.sha], is_trunk=is_trunk)
            came += len(batch)
        with self._store.append() as tx:
            forgotten = tx.all(CHANGES["forget"], repo_id=repo_id, before_ms=since_ms)
            path_index.unindex_paths(tx, [row["sha"] for row in forgotten if row["run_id"]])
        return came

    def _arrived(self, repo_id: str, history: Sequence[Change]) -> None:
        """What was known from elsewhere and is on the trunk now: others are warned of it from now on."""
        with self._store.read() as tx:
            aside = {row["sha"] for row in tx.all(CHANGES["aside"], repo_id=repo_id)}
        if came := [change.sha for change in history if change.sha in aside]:
            with self._store.append() as tx:
                arrived = tx.all(CHANGES["arrive"], repo_id=repo_id, shas=rows.json_column(came))
                _index_changes(tx, repo_id, {row["sha"]: row["run_id"] for row in arrived if row["run_id"]})


def made_by_others(tx: Tx, run: Run, commits: Sequence[str]) -> dict[str, str]:
    """Which of these commits another loop's run has said to have made, and in words which: the first word counts."""
    found = {}
    for sha in commits:
        bound = tx.all(CHANGES["bound"], repo_id=run.repo_id, sha=sha, made_at_ms=tx.now_ms)
        for maker in rows.records(Run, tx.all(RUNS["by_ids"], ids=rows.json_column([row["run_id"] for row in bound]))):
            if maker.who != run.who:
                found[sha] = f"is {maker.id}'s ({maker.who})"
    return found


def bind_commits(tx: Tx, run_id: str, repo_id: str, commits: Sequence[str]) -> None:
    """A run says that it made these commits, which may land later."""
    if not commits:
        return
    tx.run(CHANGES["bind"], repo_id=repo_id, run_id=run_id, shas=rows.json_column(commits), bound_by="outcome")
    bound = tx.all(CHANGES["bind_landed"], repo_id=repo_id, run_id=run_id, shas=rows.json_column(commits))
    _index_changes(tx, repo_id, {row["sha"]: run_id for row in bound if row["is_trunk"]})


def _take_in(tx: Tx, repo_id: str, change: Change, *, at_ms: int, is_trunk: bool) -> None:
    nets = netted(change.files)
    run_id = _maker(tx, repo_id, change)
    taken = tx.all(
        CHANGES["insert"],
        repo_id=repo_id,
        sha=change.sha,
        at_ms=at_ms,
        made_at_ms=change.at_ms,
        author=redacted(change.author, chars_max=NAME_CHARS_MAX),
        account=change.account,
        title=redacted(change.title, chars_max=NAME_CHARS_MAX),
        run_id=run_id,
        is_trunk=int(is_trunk),
        said=sum(weight((*net.removed, *net.added)) for file in nets for net in file),
    )
    if not taken:
        return
    for file, hunks in zip(change.files, nets, strict=True):
        tx.run(
            CHANGES["insert_file"],
            landed=taken[0]["number"],
            repo_id=repo_id,
            path=encodable(file.path),
            old_path=encodable(file.old_path),
            before=file.before,
            after=file.after,
            hunks=packed(replace(net.hunk, removed=net.removed, added=net.added) for net in hunks),
        )
    if run_id and is_trunk:
        _index_change(tx, repo_id, run_id, change.sha, [encodable(file.path) for file in change.files])


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


def _index_changes(tx: Tx, repo_id: str, makers: Mapping[str, str]) -> None:
    """The same of changes that the ledger has, by the runs that made them."""
    files: dict[str, list[str]] = {}
    for row in tx.all(CHANGES["paths_of"], repo_id=repo_id, shas=rows.json_column(list(makers))):
        files.setdefault(row["sha"], []).append(row["path"])
    for sha, names in files.items():
        _index_change(tx, repo_id, makers[sha], sha, names)


def _index_change(tx: Tx, repo_id: str, run_id: str, sha: str, names: Sequence[str]) -> None:
    """Record where a run's commit lies, as far as the run had claimed it: there it was made on purpose."""
    claimed = landed.ever_claimed(tx, run_id)
    ignore_case = path_index.folds(tx, repo_id)
    mine = [pattern for pattern in landed.literals(names) if first_overlap([pattern], claimed, ignore_case=ignore_case)]
    if mine:
        path_index.index_paths(tx, repo_id, "change", sha, mine)
