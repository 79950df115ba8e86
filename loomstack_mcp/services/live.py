"""Live: one look at all that goes on in a repo."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from loomstack_mcp.core.claims import Claim, Waiter
from loomstack_mcp.core.limits import HOUR_MS, WINDOW_MS
from loomstack_mcp.core.live import (
    LastEvent,
    Live,
    LiveConflict,
    LiveRun,
    RunProgress,
    Wait,
    lanes_of,
    live_state,
    waited_on,
    waits_of,
)
from loomstack_mcp.core.runs import Run
from loomstack_mcp.core.texts import within
from loomstack_mcp.core.usage import ModelUsage, RunUsage, usage_of_runs
from loomstack_mcp.services.acting import RUNS
from loomstack_mcp.services.blockers import CLAIMS
from loomstack_mcp.services.path_index import REPOS, ids_near
from loomstack_mcp.services.usage import USAGE
from loomstack_mcp.store import queries, rows
from loomstack_mcp.store.base import Store, Tx

LIVE = queries.statements("live")

LIVE_WINDOW_MS = 3 * HOUR_MS
"""So long a run that ended is shown, where nobody says otherwise."""
LIVE_RUNS_MAX = 200
_CLAIMS_MAX = 10
"""Of one run; how many more it holds is told."""
_WAITERS_MAX = 50
_HOLDERS_MAX = 300
"""Claims near what is waited for, each compared with each request: of more, some that stand in the way are left out."""
_CONFLICTS_MAX = 500
_EVENTS_MAX = 500
"""Looked through for the last of each run; a run of which none is there was silent for longer."""


class LiveService:
    """Who works now in a repo, for people: the lanes of its loops."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def live(self, repo_id: str, *, window_ms: int = LIVE_WINDOW_MS) -> Live:
        """The runs at work, and those that ended in the last `window_ms`; nothing is written.

        Raises LimitExceeded for a window of more than 30 days.
        """
        within("window_ms", window_ms, least=1, most=WINDOW_MS)
        with self._store.read() as tx:
            asked = {"repo_id": repo_id, "since_ms": tx.now_ms - window_ms}
            found = rows.as_records(Run, tx.all(LIVE["runs"], limit=LIVE_RUNS_MAX + 1, **asked))
            shown = found[:LIVE_RUNS_MAX]
            of_all = int(tx.all(LIVE["how_many"], **asked)[0]["runs"]) if len(found) > len(shown) else len(shown)
            repo = next(iter(tx.all(REPOS["get"], repo_id=repo_id)), None)
            return Live(
                lanes=lanes_of(_at_work(tx, repo_id, shown, ignore_case=bool(repo and repo["ignore_case"]))),
                more=of_all - len(shown),
                cursor=int(repo["seq"]) if repo else 0,
                now_ms=tx.now_ms,
            )


def _at_work(tx: Tx, repo_id: str, shown: Sequence[Run], *, ignore_case: bool) -> list[LiveRun]:
    """Each of the runs with all that is told of it, in their order."""
    if not shown:
        return []
    runs = {run.id: run for run in shown}
    live = rows.json_column([run.id for run in shown if run.state == "live"])
    claims, held = _claims(tx, live)
    waits, waiting = _waits(tx, repo_id, live, runs, ignore_case=ignore_case)
    waited = waited_on(waits, runs)
    conflicts = _conflicts(tx, live)
    progress = _progress(tx, shown)
    last = _last_events(tx, repo_id)
    used = _usage(tx, shown)
    return [
        LiveRun(
            run=run,
            state=live_state(run, is_waiting=run.id in waiting, now_ms=tx.now_ms),
            claims=tuple(claims[run.id]),
            claims_more=max(0, held.get(run.id, 0) - len(claims[run.id])),
            waits_for=waits.get(run.id, ()),
            waited_on_by=waited.get(run.id, ()),
            conflicts=tuple(conflicts[run.id]),
            progress=progress.get(run.checks_run or run.id, RunProgress()),
            last_event=last.get(run.id),
            usage=used.get(run.id),
        )
        for run in shown
    ]


def _claims(tx: Tx, live: str) -> tuple[dict[str, list[Claim]], dict[str, int]]:
    """What each run holds, and how much."""
    claims: dict[str, list[Claim]] = defaultdict(list)
    held: dict[str, int] = {}
    for row in tx.all(LIVE["claims"], runs=live, limit=_CLAIMS_MAX):
        claims[row["run_id"]].append(rows.as_record(Claim, row))
        held[row["run_id"]] = int(row["held"])
    return claims, held


def _waits(
    tx: Tx, repo_id: str, live: str, runs: dict[str, Run], *, ignore_case: bool
) -> tuple[dict[str, tuple[Wait, ...]], Collection[str]]:
    """Whom each run waits for, and which wait, by some who are not looked at; three questions, one where none waits."""
    found = tx.all(LIVE["waiters"], runs=live, limit=_WAITERS_MAX)
    waiters = rows.as_records(Waiter, found)
    if not waiters:
        return {}, ()
    wanted = list(dict.fromkeys(text for waiter in waiters for text in waiter.patterns))
    near = ids_near(tx, repo_id, "claim", wanted, limit=_HOLDERS_MAX)
    held = rows.as_records(Claim, tx.all(CLAIMS["held_by_ids"], ids=rows.json_column(near)))
    standing = [claim for claim in held if claim.expires_at_ms > tx.now_ms]
    unknown = {claim.run_id for claim in standing} - runs.keys()
    known = {**runs, **{run.id: run for run in _by_ids(tx, sorted(unknown))}}
    since = {str(row["id"]): None if row["at_ms"] is None else int(row["at_ms"]) for row in found}
    waits = waits_of(waiters, standing, known, since=since, ignore_case=ignore_case)
    is_cut = len(near) >= _HOLDERS_MAX
    return waits, {waiter.run_id for waiter in waiters} if is_cut else waits


def _by_ids(tx: Tx, ids: Sequence[str]) -> tuple[Run, ...]:
    return rows.as_records(Run, tx.all(RUNS["by_ids"], ids=rows.json_column(ids))) if ids else ()


def _conflicts(tx: Tx, live: str) -> dict[str, list[LiveConflict]]:
    found: dict[str, list[LiveConflict]] = defaultdict(list)
    for row in tx.all(LIVE["conflicts"], runs=live, limit=_CONFLICTS_MAX):
        found[row["run_id"]].append(rows.as_record(LiveConflict, row))
    return found


def _progress(tx: Tx, shown: Sequence[Run]) -> dict[str, RunProgress]:
    """By the run that the outcomes are about; a checker's progress is that of the run that it checks."""
    about = rows.json_column(list(dict.fromkeys(run.checks_run or run.id for run in shown)))
    return {row["about_run"]: rows.as_record(RunProgress, row) for row in tx.all(LIVE["progress"], runs=about)}


def _usage(tx: Tx, shown: Sequence[Run]) -> dict[str, RunUsage]:
    """What each consumed of models; of how its tools were let do nothing."""
    ids = [run.id for run in shown]
    models = rows.as_records(ModelUsage, tx.all(USAGE["of_runs"], ids=rows.json_column(ids)))
    return {one.run_id: one for one in usage_of_runs(ids, models, ())}


def _last_events(tx: Tx, repo_id: str) -> dict[str, LastEvent]:
    found: dict[str, LastEvent] = {}
    for row in tx.all(LIVE["events"], repo_id=repo_id, limit=_EVENTS_MAX):
        if row["run_id"]:
            found.setdefault(row["run_id"], rows.as_record(LastEvent, row))
    return found
