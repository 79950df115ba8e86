"""Stranded work: which runs that are over have commits that never reached the trunk, and the word to their loop."""

from collections.abc import Mapping, Sequence

from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.limits import NAME_CHARS_MAX, WINDOW_MS
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller, Run
from loomstack_mcp.core.stranded import LANDED_LEAST, StrandedRun, TrunkSeen, due_at, stranded_told
from loomstack_mcp.core.texts import bounded
from loomstack_mcp.services import events, landed, repos
from loomstack_mcp.services.acting import RUNS, own_runs
from loomstack_mcp.store import queries, rows
from loomstack_mcp.store.base import Store, Tx

STRANDED = queries.statements("stranded")

_OUTCOMES_MAX = 1_000
"""So many of the last outcomes that name commits are looked through for a loop's."""
_READ_MAX = 20
"""Of so many, the newest, the commits are read at once."""
_LISTED_MAX = 200
_TOLD_MAX = 3
"""At once; the next run hears of more."""


class StrandedService:
    """Finished work that is not on the trunk, told only where the ledger would know."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of_loops(self, caller: Caller, checkout: Checkout, *, loop: str = "") -> tuple[StrandedRun, ...]:
        """What may be stranded of a loop of the caller's, and was not told yet; without a name, of all that it runs.

        Raises Invalid for a name that is none.
        """
        loop = bounded("loop", loop, chars_max=NAME_CHARS_MAX).strip()
        with self._store.read() as tx:
            repo_id = repos.repo_id_of(tx, checkout)
            loops = {loop} if loop else {run.loop for run in own_runs(tx, caller) if run.repo_id == repo_id}
            found = [one for name in sorted(loops) for one in _untold(tx, repo_id, name, caller.principal)]
            return tuple(found[:_READ_MAX])

    def of_runs(self, repo_id: str, run_ids: Sequence[str]) -> tuple[StrandedRun, ...]:
        """The same of some runs, told or not."""
        with self._store.read() as tx:
            return _missing(tx, repo_id, run_ids)[:_LISTED_MAX]

    def confirmed(
        self, found: Sequence[StrandedRun], made: Mapping[str, Sequence[Change]], *, trunk: TrunkSeen
    ) -> tuple[StrandedRun, ...]:
        """Those whose work the trunk has not under other ids either; `made` is what the commits of each run changed.

        Nothing is said of a run whose commits were not read, or say nothing by which they would be known again, nor
        of one since whose end nobody saw the trunk.
        """
        with self._store.read() as tx:
            return tuple(
                one
                for one in found
                if due_at(one.run, _seen_at_ms(tx, one.run.repo_id, trunk))
                and _landed_share(tx, one.run.repo_id, made.get(one.run.id, ())) < LANDED_LEAST
            )


def tell_stranded(tx: Tx, run: Run, found: Sequence[StrandedRun]) -> None:
    """Let a run hear, once for its loop, of those that the loop left behind."""
    mine = [one for one in found if one.run.who == run.who]
    told = _told(tx, mine) if mine else frozenset[str]()
    for one in [one for one in mine if one.run.id not in told][:_TOLD_MAX]:
        payload = {"commits": one.commits}
        seq = events.append(tx, run.repo_id, "run.stranded", about=one.run.id, run_id=run.id, payload=payload)
        events.alert(tx, run.id, "stranded", seq=seq, about=one.run.id, text=stranded_told(one, now_ms=tx.now_ms))


def _untold(tx: Tx, repo_id: str, loop: str, principal: str) -> list[StrandedRun]:
    whose = {"repo_id": repo_id, "loop": loop, "principal": principal}
    since_ms = tx.now_ms - WINDOW_MS
    ids = [row["id"] for row in tx.all(STRANDED["of_loop"], since_ms=since_ms, limit=_OUTCOMES_MAX, **whose)]
    found = _missing(tx, repo_id, ids)
    told = _told(tx, found) if found else frozenset[str]()
    return [one for one in found if one.run.id not in told]


def _told(tx: Tx, found: Sequence[StrandedRun]) -> frozenset[str]:
    """Of which of a loop's stranded runs it has heard."""
    first = min((one.run for one in found), key=lambda run: run.seq)
    whose = {"repo_id": first.repo_id, "loop": first.loop, "principal": first.principal}
    return frozenset(row["about"] for row in tx.all(STRANDED["told"], since=first.seq, **whose))


def _missing(tx: Tx, repo_id: str, ids: Sequence[str]) -> tuple[StrandedRun, ...]:
    """Those of some runs whose commits the ledger has not, nor another in their place, for a day."""
    commits = _recorded(tx, repo_id, ids)
    there = _on_trunk(tx, repo_id, [sha for shas in commits.values() for sha in shas])
    missing = {run_id: tuple(sha for sha in shas if sha not in there) for run_id, shas in commits.items()}
    wanted = rows.json_column([run_id for run_id, shas in missing.items() if shas])
    if wanted == "[]":
        return ()
    known = {row["run_id"] for row in tx.all(STRANDED["known_again"], repo_id=repo_id, ids=wanted)}
    runs = rows.as_records(Run, tx.all(RUNS["by_ids"], ids=wanted))
    return tuple(
        StrandedRun(run=run, commits=missing[run.id]) for run in runs if run.id not in known and due_at(run, tx.now_ms)
    )


def _on_trunk(tx: Tx, repo_id: str, shas: Sequence[str]) -> set[str]:
    asked = {"repo_id": repo_id, "shas": rows.json_column(shas)}
    return {row["sha"] for row in tx.all(STRANDED["on_trunk"], **asked)} if shas else set()


def _recorded(tx: Tx, repo_id: str, ids: Sequence[str]) -> dict[str, list[str]]:
    """The commits that each run recorded last. What it had recorded before may be amended since."""
    asked = {"repo_id": repo_id, "ids": rows.json_column(ids), "since_ms": tx.now_ms - WINDOW_MS}
    last: dict[str, int] = {}
    commits: dict[str, list[str]] = {}
    for row in tx.all(STRANDED["finished"], **asked) if ids else ():
        if row["seq"] == last.setdefault(row["run_id"], row["seq"]):
            commits.setdefault(row["run_id"], []).append(row["sha"])
    return commits


def _landed_share(tx: Tx, repo_id: str, made: Sequence[Change]) -> float:
    from loomstack_mcp.core.changes.repeats import landed_share  # what compares changes, which few calls do

    names = {name for change in made for file in change.files for name in (file.path, file.old_path)}
    known = landed.at_paths(tx, repo_id, names)
    there = _on_trunk(tx, repo_id, list(known))
    on_trunk = sorted((known[sha] for sha in there), key=lambda change: change.at_ms)
    return landed_share(made, on_trunk)


def _seen_at_ms(tx: Tx, repo_id: str, trunk: TrunkSeen) -> int:
    """When the trunk was last known to be as the ledger has it: 0 where this clone has more of it, or none."""
    tip = tx.all(STRANDED["tip"], repo_id=repo_id, sha=trunk.tip, now_ms=tx.now_ms)
    return max(int(tip[0]["at_ms"]), trunk.at_ms) if tip else 0
