"""The ledger: what landed, as the store remembers it, and which run made it."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from loomstack_mcp.core.changes.imprints import Imprint, Maker
from loomstack_mcp.core.changes.landings import BATCH_PARTS_MAX, BATCH_ROWS_MAX, LandedPart, batch_rows
from loomstack_mcp.core.changes.meaning import MEANING
from loomstack_mcp.core.changes.works import RunWork, WantedWork
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Run
from loomstack_mcp.core.texts import within
from loomstack_mcp.services import imprints, landed_index, repos, slices
from loomstack_mcp.services.acting import RUNS
from loomstack_mcp.services.attributed import (
    ATTRIBUTIONS,
    found_attribution,
    keep_attribution,
    keep_bound,
    landed_facts,
)
from loomstack_mcp.services.hints import known_hints
from loomstack_mcp.services.landed import CHANGES
from loomstack_mcp.services.line_keys import hold_key, line_key, refuse_other_key
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Store, Tx

_KEY_BYTES = 32


class LedgerService:
    """Landed changes of the window, per repo. It says what it lacks, and whoever sees a clone tells it, once."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def key(self, checkout: Checkout) -> bytes:
        """The key under which the lines of the checkout's repo are hashed: who has it confirms no line of another."""
        with self._store.read() as tx:
            repo_id = repos.repo_id_of(tx, checkout)
        return line_key(self._store_key(), repo_id)

    def _store_key(self) -> bytes:
        with self._store.read() as tx:
            found = tx.all(CHANGES["key"])
        if not found:
            with self._store.append() as tx:
                tx.later(CHANGES["make_key"], key=secrets.token_bytes(_KEY_BYTES))
                found = tx.all(CHANGES["key"])
        return bytes(found[0]["key"])

    def wanted_work(self, checkout: Checkout) -> tuple[WantedWork, ...]:
        """Of which runs it wants to see the commits that they said to have made, to know them again."""
        return imprints.wanted_work(self._store, repos.recorded_repo_id(self._store, checkout))

    def wanted_signed(self, checkout: Checkout, hints: Sequence[str]) -> tuple[WantedWork, ...]:
        """Of which of the runs that messages name it wants to see what they signed, for they recorded nothing."""
        with self._store.read() as tx:
            repo_id = repos.repo_id_of(tx, checkout)
        return imprints.wanted_signed(self._store, repo_id, hints)

    def keep_work(self, checkout: Checkout, made: RunWork, *, key_name: str = "") -> None:
        """Keep the content of what a run made, as far as it is its, to know it again however it lands.

        Raises as `take_in`.
        """
        with self._store.read() as tx:
            repo_id = repos.repo_id_of(tx, checkout)
            refuse_other_key(tx, repo_id, key_name)
        imprints.keep_work(self._store, repo_id, made, key_name=key_name)

    def lacking(self, checkout: Checkout, history: Sequence[str], *, since_ms: int, is_trunk: bool) -> tuple[str, ...]:
        """Which commits of a history it has not, in their order; `take_in` is to be told what those changed.

        What it knew from elsewhere is on the trunk from now on, where this `is_trunk`: others are warned of it as
        landed. Where something lacks, it forgets what means something else by now, from before `since_ms` on.
        """
        repo_id = repos.recorded_repo_id(self._store, checkout)
        with self._store.read() as tx:
            known = {row["sha"] for row in tx.all(CHANGES["known"], repo_id=repo_id, meaning=MEANING)}
            stale = tx.all(CHANGES["stale"], repo_id=repo_id, meaning=MEANING)
        missing = tuple(sha for sha in history if sha not in known)
        if is_trunk:
            self._arrived(repo_id, history)
        if missing:
            imprints.forget_imprints(self._store, repo_id)
            if stale:
                slices.forget_landed(self._store, repo_id, before_ms=since_ms)
        return missing

    def keep_filled(self, checkout: Checkout, history: Sequence[str], mark: str) -> None:
        """All of a trunk's history was to be taken in; `mark` names how far that was, and is kept where all is known.

        It is not where something could not be read, or was forgotten, or came from elsewhere, meanwhile.
        """
        repo_id = repos.recorded_repo_id(self._store, checkout)
        with self._store.read() as tx:
            is_known = all(row["filled"] == mark for row in tx.all(repos.REPOS["filled"], repo_id=repo_id))
        if not is_known:
            with self._store.append() as tx:
                tx.run(repos.REPOS["hold"], repo_id=repo_id)  # first, so that nobody forgets some of it meanwhile
                shas = rows.json_column(list(history))
                tx.later(repos.REPOS["fill"], repo_id=repo_id, mark=mark, shas=shas, meaning=MEANING)

    def take_in(self, checkout: Checkout, batch: Sequence[LandedPart], *, is_trunk: bool, key_name: str = "") -> int:
        """Take in what landed; returns how many changes came with their last part. A commit is its run's by its id,
        else by its content.

        Of what is told in parts nothing is known before the last one: whoever fills at once tells the same, and where
        one was killed, the next one goes on. Raises LimitExceeded for more than a transaction should take.
        Raises StoreUnavailable where `key_name` is of another key than the repo's by now: ask for that, tell it anew.
        """
        within("the number of parts", len(batch), least=0, most=BATCH_PARTS_MAX)
        within("the number of rows", batch_rows(batch), least=0, most=BATCH_ROWS_MAX)
        large, nobodys = [], []
        with self._store.append() as tx:
            repo_id = repos.repo_id_of(tx, checkout)
            hold_key(tx, repo_id, key_name)
            for part in sorted(batch, key=lambda part: part.sha):  # in which order all who fill at once do it
                number = slices.add_part(tx, repo_id, part)
                if not (number and part.imprint):
                    continue
                if len(part.files) < part.files_in_all:
                    large.append((number, part))
                elif not _take_in(tx, repo_id, part, number, is_trunk=is_trunk):
                    nobodys.append(part)
        nobodys += [part for number, part in large if not self._take_in_large(repo_id, part, number, is_trunk=is_trunk)]
        if nobodys:
            self._know_late(repo_id, nobodys, is_trunk=is_trunk)
        return sum(part.imprint is not None for part in batch)

    def forget_before(self, checkout: Checkout, *, since_ms: int) -> None:
        """What landed before that, the start of the window, is forgotten.

        Commits that a rewritten trunk no longer has do no harm: a check looks only at those that its own base descends
        from.
        """
        with self._store.read() as tx:
            repo_id = repos.repo_id_of(tx, checkout)
        slices.forget_landed(self._store, repo_id, before_ms=since_ms)

    def _take_in_large(self, repo_id: str, part: LandedPart, number: int, *, is_trunk: bool) -> str:
        """A change of very many files, all of which are there: it is known once it is indexed, some in each step.

        Returns the run whose it is.
        """
        indexed = ""
        while True:
            with self._store.append() as tx:
                tx.all(CHANGES["begun"], repo_id=repo_id, sha=part.sha)  # which nobody forgets meanwhile
                whose = _maker(tx, repo_id, part)
                run_id = str(whose["run_id"])
                if run_id in ("", indexed) or not is_trunk:
                    _complete(tx, repo_id, part, number, whose, is_trunk=is_trunk)
                    return run_id
                names = [row["path"] for row in tx.all(CHANGES["names"], number=number)]
            landed_index.index_slices(self._store, repo_id, run_id, part.sha, names)
            indexed = run_id

    def _know_late(self, repo_id: str, nobodys: Sequence[LandedPart], *, is_trunk: bool) -> None:
        """Whose these are by what was told while they were taken in, of which neither side saw the other.

        What a run recorded is asked under the repo's lock, behind which it was recorded.
        """
        with self._store.read() as tx:
            known = {part.sha: maker for part in nobodys if (maker := _known_again(tx, repo_id, part))}
        made_at_ms = {part.sha: part.made_at_ms for part in nobodys}
        with self._store.write(repo_id) as tx:
            bound = tx.all(imprints.IMPRINTS["bound_to"], repo_id=repo_id, shas=rows.json_column(sorted(made_at_ms)))
            for sha in dict.fromkeys(row["sha"] for row in bound):
                if maker := _bound_maker(tx, repo_id, sha, made_at_ms[sha]):
                    known[sha] = maker
            for sha, maker in sorted(known.items()):
                tx.all(imprints.IMPRINTS["know"], repo_id=repo_id, sha=sha, **vars(maker))
            for part in sorted(nobodys, key=lambda part: part.sha):
                if part.sha in known and not part.is_merge:
                    whose = found_attribution(tx, repo_id, landed_facts(part, is_trunk=is_trunk))
                    keep_attribution(tx, repo_id, whose)
        for sha, maker in known.items() if is_trunk else ():
            landed_index.index_bound(self._store, maker.run_id, repo_id, [sha])

    def _arrived(self, repo_id: str, history: Sequence[str]) -> None:
        """What was known from elsewhere and is on the trunk now: others are warned of it from now on."""
        with self._store.read() as tx:
            aside = {row["sha"]: row["run_id"] for row in tx.all(CHANGES["aside"], repo_id=repo_id)}
        if not (came := [sha for sha in history if sha in aside]):
            return
        # Indexed before they count as arrived, so that one who is killed in between leaves nothing unindexed.
        for sha in came:
            landed_index.index_bound(self._store, aside[sha], repo_id, [sha])
        with self._store.append() as tx:
            arrived = tx.all(CHANGES["arrive"], repo_id=repo_id, shas=rows.json_column(came))
            tx.later(ATTRIBUTIONS["arrive"], repo_id=repo_id, shas=rows.json_column(came))
        for row in arrived:
            if row["run_id"] != aside[row["sha"]]:
                landed_index.index_bound(self._store, row["run_id"], repo_id, [row["sha"]])


def makers_of(tx: Tx, repo_id: str, sha: str) -> tuple[Run, ...]:
    """The runs that said to have made a commit."""
    bound = list(dict.fromkeys(row["run_id"] for row in tx.all(CHANGES["makers"], repo_id=repo_id, sha=sha)))
    return rows.as_records(Run, tx.all(RUNS["by_ids"], ids=rows.json_column(bound))) if bound else ()


def bind_commits(
    tx: Tx, run_id: str, repo_id: str, commits: Sequence[str], *, ages_ms: Mapping[str, int] | None
) -> tuple[str, ...]:
    """A run says that it made these commits, which may land later. Returns those landed that `index_bound` is for.

    Where a repository was seen that has them, it told how old they were, and that they are no older than the run.
    """
    if not commits:
        return ()
    asked = {"repo_id": repo_id, "run_id": run_id, "seen": int(ages_ms is not None)}
    ordered = sorted(commits)
    made = [tx.now_ms - ages_ms[sha] if ages_ms else 0 for sha in ordered]
    columns = {"shas": rows.json_column(ordered), "made": rows.json_column(made)}
    tx.later(CHANGES["bind"], bound_by="outcome", **columns, **asked)
    bound = tx.all(CHANGES["bind_landed"], shas=rows.json_column(commits), **asked)
    keep_bound(tx, repo_id, run_id, [row["sha"] for row in bound])
    known = [row["sha"] for row in bound if row["is_trunk"]]
    [size] = tx.all(CHANGES["size"], repo_id=repo_id, shas=rows.json_column(known))
    if size["files"] > slices.ROWS_MAX:
        return tuple(known)
    for sha, names in landed_index.indexed_paths(tx, repo_id, known).items():
        landed_index.index_change(tx, repo_id, run_id, sha, names)
    return ()


def _take_in(tx: Tx, repo_id: str, part: LandedPart, number: int, *, is_trunk: bool) -> str:
    """Returns the run whose it is."""
    whose = _maker(tx, repo_id, part)
    if whose["run_id"] and is_trunk:
        landed_index.index_change(tx, repo_id, whose["run_id"], part.sha, [file.path for file in part.files])
    _complete(tx, repo_id, part, number, whose, is_trunk=is_trunk)
    return str(whose["run_id"])


def _complete(tx: Tx, repo_id: str, part: LandedPart, number: int, whose: Mapping[str, Any], *, is_trunk: bool) -> None:
    tx.later(CHANGES["complete"], number=number, files=part.files_in_all, is_trunk=int(is_trunk), **whose)
    if not part.is_merge or whose["bound_by"] == "sha":  # what a merge brought are commits of their own
        keep_attribution(tx, repo_id, found_attribution(tx, repo_id, landed_facts(part, is_trunk=is_trunk)))


def _maker(tx: Tx, repo_id: str, part: LandedPart) -> dict[str, Any]:
    """The run that made a commit, how that is known, and the runs that its message names: as columns.

    As it recorded itself, else by the commit's content.
    """
    maker = _bound_maker(tx, repo_id, part.sha, part.made_at_ms) or _known_again(tx, repo_id, part)
    whose = {"run_id": maker.run_id, "bound_by": maker.bound_by} if maker else {"run_id": "", "bound_by": ""}
    hints = [run.id for run in known_hints(tx, repo_id, part.hints)]
    return {**whose, "hints": rows.json_column(hints)}


def _bound_maker(tx: Tx, repo_id: str, sha: str, made_at_ms: int) -> Maker | None:
    found = tx.all(CHANGES["bound"], repo_id=repo_id, sha=sha, made_at_ms=made_at_ms)
    return Maker(run_id=found[0]["run_id"], bound_by="sha") if found else None


def _known_again(tx: Tx, repo_id: str, part: LandedPart) -> Maker | None:
    hints = [run.id for run in known_hints(tx, repo_id, part.hints)]
    return imprints.maker_of(tx, repo_id, part.sha, part.imprint or Imprint(), made_at_ms=part.made_at_ms, hints=hints)
