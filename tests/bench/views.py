"""What people ask of a year's store: Live, Loops, lists, and each view's usual questions; CPU time, on SQLite."""

import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.loom import Loom, open_loom
from loomstack_mcp.services.live import LIVE_RUNS_MAX
from loomstack_mcp.store.exports import VIEWS
from tests.bench.measure import Figure, at_most
from tests.bench.year import Year, filled

_CALLS = 9
_HOUR_MS = 3_600_000
_REPO = "example.com/team/repo-0"
_LANDED = """
INSERT INTO attribution (repo_id, sha, run_id, bound_by, confidence, flags, mentions, title, author, made_at_ms,
  landed_at_ms)
SELECT l.repo_id, l.sha, COALESCE(b.run_id, ''), 'lines', 0.9, '[]', '{}', l.title, l.author, l.at_ms, l.at_ms
FROM landed AS l LEFT JOIN binding AS b ON b.repo_id = l.repo_id AND b.sha = l.sha
WHERE true ON CONFLICT DO NOTHING;
INSERT INTO attribution_run (attribution, place, run_id, bound_by, confidence)
SELECT number, 0, run_id, 'lines', 0.9 FROM attribution WHERE run_id <> '';
INSERT INTO attribution_revert (attribution, reverted, short)
SELECT a.number, b.sha, substr(b.sha, 1, 7) FROM attribution AS a JOIN attribution AS b ON b.number = a.number - 1
WHERE a.number % 50 = 0;
INSERT INTO deploy (id, repo_id, seq, environment, sha, called, kind, previous, how, who, decision, covers, is_cut,
  whole, deployed_at_ms, recorded_at_ms)
SELECT 'dep_' || number, repo_id, number, 'production', sha, '', 'forward', '', 'recorded', 'ci', '', 10, 0, 1,
  landed_at_ms, landed_at_ms FROM attribution WHERE number % 10 = 0;
INSERT INTO deploy_commit (repo_id, sha, deploy_id, place)
SELECT a.repo_id, a.sha, d.id, 0 FROM attribution AS a JOIN deploy AS d ON d.id = 'dep_' || (a.number / 10 * 10);
INSERT INTO usage (run_id, model, requests, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,
  cost_micro_usd, unpriced, last_at_ms)
SELECT id, 'opus', 5, 1000, 500, 20000, 3000, 700000, 0, started_at_ms FROM run WHERE state <> 'live';
"""
"""What the year's store has not: whose each landed change is, a deploy of each ten, and what each run consumed."""
_NEWEST = {
    "v_live": "started_at",
    "v_runs": "started_at",
    "v_claims": "granted_at",
    "v_decisions": "decided_at",
    "v_approvals": "asked_at",
    "v_conflicts": "found_at",
    "v_trace": "landed_at",
    "v_loop_health": "last_started_at",
    "v_usage": "last_at",
}


def figures(home: Path) -> Iterator[Figure]:
    store = home / "views.db"
    with open_loom(store) as loom:
        filled(loom.store, Year())
        _work_in(loom)
        live = loom.live.live(_REPO)
        shown = sum(len(lane.runs) for lane in live.lanes)
        yield at_most(
            f"live: {shown} runs shown of {shown + live.more}", _ms(lambda: loom.live.live(_REPO)), "ms", most=50
        )
        yield at_most("loops: 30 days", _ms(lambda: loom.loops.health(_REPO, limit=100)), "ms", most=50)
        yield at_most("decisions: the last 50", _ms(lambda: loom.decisions.latest(_REPO, limit=50)), "ms", most=50)
        yield at_most("conflicts: the last 50", _ms(lambda: loom.conflicts.latest(_REPO, limit=50)), "ms", most=50)
    with closing(sqlite3.connect(store)) as connection:
        connection.executescript(_LANDED)
        for view in VIEWS:
            asked = _questions(view)
            taken = {what: _ms(partial(_answer, connection, sql), calls=3) for what, sql in asked.items()}
            told = ", ".join(f"{what} {ms:.0f} ms" for what, ms in taken.items())
            yield at_most(f"{view}: {told}; the longest", max(taken.values()), "ms", most=1_000)


def _questions(view: str) -> dict[str, str]:
    newest = _NEWEST[view]
    questions = {
        "newest of a repo": f"SELECT * FROM {view} WHERE repo = '{_REPO}' ORDER BY {newest} DESC LIMIT 100",
        "newest of all": f"SELECT * FROM {view} ORDER BY {newest} DESC LIMIT 100",
    }
    if view not in ("v_decisions", "v_approvals"):
        questions["of a loop"] = f"SELECT * FROM {view} WHERE loop = 'flaky' ORDER BY {newest} DESC LIMIT 100"
    if view != "v_loop_health":
        questions["of a run"] = f"SELECT * FROM {view} WHERE run = (SELECT MAX(id) FROM run)"
    return questions


def _answer(connection: sqlite3.Connection, sql: str) -> object:
    return connection.execute(sql).fetchall()


def _work_in(loom: Loom) -> None:
    """More runs at work in the largest repo than are shown, each sixth of which waits for another."""
    checkout = Checkout(identity=_REPO, clone="clone:bench")
    for at in range(LIVE_RUNS_MAX + 50):
        caller = Caller(principal=f"dev{at % 40}", session=f"bench-{at}")
        run = loom.runs.start(caller, checkout, loop=f"loop{at % 30}", goal="measure", budget_tokens=100).run
        for pattern in (f"bench{at}/**", f"bench{at - 1}/a.py") if at % 6 == 5 else (f"bench{at}/**",):
            loom.claims.claim_paths(
                caller,
                run.id,
                patterns=[pattern],
                intent="measure",
                mode="exclusive",
                ttl_ms=_HOUR_MS,
                wait_ms=45_000,
            )


def _ms(call: Callable[[], object], *, calls: int = _CALLS) -> float:
    """CPU milliseconds, the median of some calls after the first."""
    call()
    taken = []
    for _ in range(calls):
        began = time.process_time()
        call()
        taken.append((time.process_time() - began) * 1000)
    return statistics.median(taken)
