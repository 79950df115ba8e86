"""What is old goes, on both databases, and every answer about what is kept stays the same."""

import threading
from collections import Counter
from dataclasses import replace
from typing import Any, cast

import pytest

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.policy.decision_views import DecisionRecord
from loomstack_mcp.core.policy.facts import FactsQuery
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller, Run
from loomstack_mcp.loom import Loom
from loomstack_mcp.services.retention import Pruned, before_of, pruned_repo
from loomstack_mcp.store.base import Statement
from tests.bench.year import Year, filled
from tests.conftest import Clocks
from tests.factories import ANA, BEA, REPO, SHOP
from tests.services.support import CHEN, claimed, recorded, started

SHA = "c0ffee" + "0" * 34
NOUNS = {
    "run": "id", "claim": "id", "note": "id", "outcome": "id", "decision": "id", "conflict": "id",
    "approval": "id", "binding": "sha", "event": "seq",
}  # fmt: skip
TIED = {
    *("run.parent_id", "run.checks_run", "claim.run_id", "note.run_id", "outcome.run_id", "outcome.about_run"),
    *("decision.run_id", "decision.about_run", "approval.run_id", "conflict.run_id", "conflict.with_run"),
    *("binding.run_id", "landed.run_id", "imprint.run_id", "attribution_run.run_id", "pull.run_id"),
    *("usage.run_id", "usage_permission.run_id"),
}
PASSING = {
    *("waiter.run_id", "alert.run_id", "event.run_id", "notice.run_id", "usage_entry.run_id"),
    "attribution.run_id",  # which `attribution_run` has, too
}
"""What names a run and keeps none."""
YEAR_REPO = Checkout(identity="example.com/team/repo-0", clone="clone:year")
DANA = Caller(principal="dana", session="s-dana")


def pruned(loom: Loom, repo_id: str = REPO, *, days: int = 90, is_tried: bool = False) -> Pruned:
    before_ms = before_of(loom.store, days, window_days=30)
    return pruned_repo(loom.store, repo_id, before_ms=before_ms, who="root", is_tried=is_tried)


def ids(loom: Loom, noun: str) -> list[Any]:
    with loom.store.read() as tx:
        column = NOUNS[noun]
        return [row[column] for row in tx.all(Statement("test.ids", f"SELECT {column} FROM {noun} ORDER BY {column}"))]


def answers(loom: Loom, checkout: Checkout) -> dict[str, Any]:
    """What is told of each thing, of the repo and of what holds in it."""
    repo_id = loom.repos.id_of(checkout)
    runs = ids(loom, "run")
    read = loom.context.read_context(DANA, "", checkout, patterns=["area1/", "src/"], budget_tokens=5_000)
    things = [one for noun in ("run", "claim", "note", "outcome") for one in ids(loom, noun)]
    why = {one: loom.why.behind(one)[0].fields for one in things}
    return {
        **{name: {**fields, "age": ""} for name, fields in why.items()},
        "briefing": replace(read.briefing, cursor=0),
        "conflicts": loom.conflicts.open(repo_id, limit=99),
        "held": loom.claims.held(repo_id, limit=99),
        "stranded": loom.stranded.of_runs(repo_id, runs),
        "notes": loom.notes.latest(repo_id, limit=99),
    }


def decided(loom: Loom, run: str) -> None:
    """Whether what that run made may land was asked, and it was known by its content alone."""
    query = FactsQuery(point="ci", actions=("land",), head=SHA[::-1], recognised=(run,))
    facts = loom.policy.facts_of_change(SHOP, query)
    loom.policy.keep_of_change(SHOP, "ci", query, facts, DecisionRecord(answer="deny", fired=(), reasons=(), policy=""))


@pytest.fixture
def lived(loom: Loom, clocks: Clocks) -> dict[str, Run]:
    """Old runs, each of which something else needs, or nothing; then two hundred days in which nobody came."""
    made = {}

    def begun(name: str, caller: Caller, **given: Any) -> str:
        made[name] = started(loom, caller, loop=name, **given)
        return made[name].id

    def over(caller: Caller, run: str) -> None:
        recorded(loom, caller, run, status="abandoned", summary="over")

    idle = begun("idle", ANA)
    claimed(loom, ANA, "src/a.py")
    over(ANA, idle)
    maker = begun("maker", ANA)
    claimed(loom, ANA, "src/b.py", intent="on purpose")
    checker = begun("checker", BEA, checks_run=maker)
    recorded(loom, ANA, maker, status="done", commits=[SHA])
    recorded(loom, BEA, checker, role="checker")
    over(BEA, checker)
    teller = begun("teller", ANA)
    claimed(loom, ANA, "src/c.py")
    loom.notes.share(ANA, "", kind="decision", text="dates are UTC", patterns=["src/"])
    loom.notes.share(ANA, "", kind="fact", text="soon over", patterns=["src/"], expires_hours=1)
    over(ANA, teller)
    decided(loom, begun("decided", ANA))
    over(ANA, made["decided"].id)
    loom.levers.stop_run(begun("stopped", BEA), who="chen", why="enough")
    begun("lost", CHEN)
    claimed(loom, CHEN, "docs/")
    clocks.pass_minutes(100 * 24 * 60)
    over(ANA, begun("recent", ANA))
    clocks.pass_minutes(80 * 24 * 60)
    begun("live", BEA)
    claimed(loom, BEA, "tests/")
    return made


def test_what_nobody_needs_goes_and_every_answer_about_the_rest_stays(loom: Loom, lived: dict[str, Run]) -> None:
    before = answers(loom, SHOP)
    tried, done = pruned(loom, is_tried=True), pruned(loom)
    after = answers(loom, SHOP)

    assert {name for name, run in lived.items() if run.id in ids(loom, "run")} == {*lived} - {"idle", "lost"}
    assert {name: told for name, told in before.items() if name in after} == after
    assert {"claim": 3, "note": 1, "run": 2}.items() <= done.rows.items()
    assert tried.rows.items() - {("event", tried.rows["event"])} <= done.rows.items() | {("claim", 2), ("run", 1)}
    assert done.kept == {"made": 3, "stopped": 1, "note": 1}


def test_a_year_goes_in_steps_beside_others_and_what_was_gone_is_told(loom: Loom, clocks: Clocks) -> None:
    """Somebody is killed in between, and two do it at once: the same is left as where one did it alone."""
    filled(loom.store, Year(runs=600, repos=1, days=300))
    clocks.pass_minutes(5)
    before = answers(loom, YEAR_REPO)
    repo_id = loom.repos.id_of(YEAR_REPO)
    expected = pruned(loom, repo_id, is_tried=True)

    class Killed(Exception):
        pass

    def killed(count: int) -> None:
        if count > 300:
            raise Killed

    before_ms = before_of(loom.store, 90, window_days=30)
    with pytest.raises(Killed):
        pruned_repo(loom.store, repo_id, before_ms=before_ms, who="root", told=killed)
    others = [threading.Thread(target=pruned, args=(loom, repo_id)) for _ in range(2)]
    for other in others:
        other.start()
    for other in others:
        other.join()
    after = answers(loom, YEAR_REPO)
    left = pruned(loom, repo_id, is_tried=True)
    gone = Counter[str]()
    for event in loom.events.latest(repo_id, limit=9)[0]:
        gone.update(cast("dict[str, int]", event.payload.get("rows", {})))

    assert left.rows == {}
    assert {name: told for name, told in before.items() if name in after} == after
    assert expected.rows["run"] == 600 - len(ids(loom, "run"))
    assert gone["run"] < expected.rows["run"]
    assert 600 > expected.kept["made"] > 50
    [first, second] = loom.events.since(repo_id, since=0, limit=2)[0]
    assert (first.seq, loom.events.gap(repo_id)) == (1, second.seq - 1)


def test_what_is_compared_with_what_landed_is_not_old(loom: Loom) -> None:
    with pytest.raises(Invalid, match="keep 30 days at least"):
        pruned(loom, days=29)


def test_whatever_names_a_run_is_among_its_ties(loom: Loom) -> None:
    """Red? Say in `retention.sql` whether a row of the new table keeps its run, and here that you did."""
    names = {"run_id", "parent_id", "checks_run", "about_run", "with_run", "applied_run"}
    with loom.store.read() as tx:
        catalogue = Statement(
            "test.columns",
            "SELECT m.name || '.' || p.name AS \"column\" FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS p "
            "WHERE m.type = 'table'",
            "SELECT table_name || '.' || column_name AS \"column\" FROM information_schema.columns "
            "WHERE table_schema = 'loom' AND table_name IN (SELECT tablename FROM pg_tables WHERE schemaname = 'loom')",
        )
        found = {row["column"] for row in tx.all(catalogue) if row["column"].rpartition(".")[2] in names}

    assert found == TIED | PASSING
