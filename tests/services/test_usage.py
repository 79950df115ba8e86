"""What clients tell of their models and tools counts once, for the run whose it is, however often they tell it."""

from dataclasses import replace
from typing import Any

import pytest

from loomstack_mcp.core.errors import LimitExceeded
from loomstack_mcp.core.limits import DAY_MS, MINUTE_MS
from loomstack_mcp.core.policy.rules import Checks, Limits, Rule, Rulebook
from loomstack_mcp.core.policy.situation import Situation
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.core.usage import ENTRIES_MAX, UNBOUND_MAX, RunUsage, UsageEntry
from loomstack_mcp.edge.deciding import decided_action, decided_change
from loomstack_mcp.loom import Loom
from tests.conftest import Clocks
from tests.factories import ANA, BEA, SHOP
from tests.services.support import recorded, started


def entry(key: str, caller: Caller = ANA, **fields: Any) -> UsageEntry:
    given = {"kind": "request", "session": caller.session, "age_ms": 0, "model": "opus", "input_tokens": 100}
    return UsageEntry(**{"key": key, "cost_micro_usd": 1_500_000, **given, **fields})


def usage(loom: Loom, run_id: str) -> RunUsage:
    return next(iter(loom.usage.of_runs([run_id])), RunUsage(run_id=run_id))


def test_a_run_has_what_its_client_told_once_however_often_it_came(loom: Loom) -> None:
    run = started(loom, ANA)
    told = [
        entry("a", output_tokens=10, cache_read_tokens=7, cache_write_tokens=3),
        entry("b"),
        entry("c", model="haiku", cost_micro_usd=None),
        entry("d", kind="permission", source="config", model=""),
        entry("e", kind="permission", source="config", model="", is_accepted=False),
    ]
    first = loom.usage.take_in(ANA, told)
    again = loom.usage.take_in(ANA, [*told, entry("f")])
    found = usage(loom, run.id)
    opus, haiku = sorted(found.models, key=lambda one: -one.requests)

    assert (first.kept, first.known, again.kept, again.known) == (5, 0, 1, 5)
    assert (opus.model, opus.requests, opus.input_tokens, opus.output_tokens) == ("opus", 3, 300, 10)
    assert (opus.cache_read_tokens, opus.cache_write_tokens, opus.cost_micro_usd) == (7, 3, 4_500_000)
    assert (haiku.unpriced, found.cost_usd, found.tokens) == (1, None, 420)
    assert [(one.source, one.accepted, one.rejected) for one in found.permissions] == [("config", 1, 1)]


def test_what_a_clock_dated_that_goes_ahead_counts_once_a_day_later_too(loom: Loom, clocks: Clocks) -> None:
    run = started(loom, ANA)
    loom.usage.take_in(ANA, [entry("a", age_ms=-9 * MINUTE_MS)])
    clocks.pass_minutes(24 * 60 + 1)
    loom.usage.take_in(ANA, [entry("b")])
    again = loom.usage.take_in(ANA, [entry("a", age_ms=DAY_MS - 8 * MINUTE_MS)])

    assert (again.kept, again.known) == (0, 1)
    assert usage(loom, run.id).tokens == 200


def test_what_is_told_before_its_run_is_known_waits_for_it(loom: Loom) -> None:
    early = loom.usage.take_in(ANA, [entry("a")])
    run = started(loom, ANA)
    before = usage(loom, run.id)
    loom.usage.take_in(ANA, [entry("b")])

    assert (early.kept, before.models) == (1, ())
    assert usage(loom, run.id).cost_usd == 3.0


def test_usage_is_of_the_agent_that_made_it_and_of_codex_s_thread_else_of_its_session(loom: Loom) -> None:
    root = Caller(principal="ana", session="codex:root")
    own, sub = started(loom, root), started(loom, replace(root, agent="thread"))
    loom.usage.take_in(ANA, [entry("a", root), entry("b", session="codex:thread"), entry("c", root, agent="unknown")])

    assert [usage(loom, run.id).models[0].requests for run in (own, sub)] == [2, 1]


def test_what_waits_in_vain_is_in_nobody_s_way(loom: Loom) -> None:
    agent = replace(ANA, agent="helper")
    run = started(loom, agent)
    for at in range(5):
        loom.usage.take_in(ANA, [entry(f"{at} {each}", age_ms=1_000) for each in range(ENTRIES_MAX)])
    loom.usage.take_in(ANA, [entry("own", agent="helper")])

    assert usage(loom, run.id).tokens == 100


def test_a_named_run_goes_first_but_never_a_foreign_one(loom: Loom) -> None:
    first, bea = started(loom, ANA, loop="one"), started(loom, BEA)
    second = started(loom, ANA, loop="two")
    loom.usage.take_in(
        ANA, [entry("a", named_run=first.id), entry("b", named_run=bea.id), entry("c", named_run="run_X")]
    )
    foreign = loom.usage.take_in(ANA, [entry("d", session=BEA.session, named_run=bea.id)])

    assert [usage(loom, run.id).cost_usd for run in (first, second, bea)] == [1.5, 3.0, None]
    assert foreign.kept == 1  # and waits for a run of hers, in vain


@pytest.mark.parametrize(
    "lie",
    [{"age_ms": DAY_MS}, {"age_ms": -DAY_MS}, {"input_tokens": -1}, {"output_tokens": 10**12}, {"session": ""},
     {"cost_micro_usd": -1}, {"cost_micro_usd": 10**15}],
)  # fmt: skip
def test_a_lie_is_refused_and_the_rest_counts(loom: Loom, lie: dict[str, Any]) -> None:
    run = started(loom, ANA)
    taken = loom.usage.take_in(ANA, [entry("a", **lie), entry("b")])

    assert (taken.kept, taken.refused, bool(taken.why)) == (1, 1, True)
    assert usage(loom, run.id).models[0].requests == 1


def test_a_flood_is_refused_and_what_is_old_is_forgotten_and_stays_counted(loom: Loom, clocks: Clocks) -> None:
    run = started(loom, ANA)
    with pytest.raises(LimitExceeded, match="some at a time"):
        loom.usage.take_in(ANA, [entry(str(at)) for at in range(ENTRIES_MAX + 1)])
    loom.usage.take_in(ANA, [entry("a")])
    clocks.pass_minutes(2 * 24 * 60)
    loom.usage.take_in(ANA, [entry("b")])
    again = loom.usage.take_in(ANA, [entry("a")])

    assert again.kept == 1
    assert usage(loom, run.id).models[0].requests == 3


HEAD = "0123456789abcdef0123456789abcdef01234567"
BUDGET = Rulebook(
    rules=(
        Rule(
            id="budget",
            why="money",
            effect="deny",
            on=("land", "edit"),
            check=Checks(limits=Limits(cost_usd_max=4.0)),
        ),
    )
)


def test_a_budget_waits_for_a_cost_that_is_not_known_and_refuses_at_the_end(loom: Loom) -> None:
    run = started(loom, ANA)
    sub = replace(ANA, agent="sub")
    started(loom, sub)
    recorded(loom, ANA, run.id, commits=[HEAD])
    edit = Situation(point="mcp", actions=frozenset({"edit"}), now_ms=0, touched=())
    land = Situation(point="ci", actions=frozenset({"land"}), now_ms=0, touched=(), head=HEAD)

    def answers() -> tuple[str, str]:
        early = decided_action(loom.policy, ANA, run.id, BUDGET, edit).decision
        late = decided_change(loom.policy, SHOP, "ci", BUDGET, land).decision
        return early.answer, late.answer

    unknown = answers()
    loom.usage.take_in(ANA, [entry("a"), entry("b")])
    within = answers()
    loom.usage.take_in(ANA, [entry("c", agent="sub")])
    beyond = answers()
    loom.usage.take_in(ANA, [entry("d", cost_micro_usd=None)])

    assert (unknown, within, beyond) == (("warn", "deny"), ("allow", "allow"), ("deny", "deny"))
    assert answers() == ("warn", "deny")


@pytest.mark.sqlite("20,000 rows, once")
def test_made_up_sessions_fill_their_own_room_alone(loom: Loom) -> None:
    parts = range(UNBOUND_MAX // ENTRIES_MAX + 2)
    flood = [[entry(f"{part}.{at}", session="claude:none") for at in range(ENTRIES_MAX)] for part in parts]
    taken = [loom.usage.take_in(ANA, part) for part in flood]
    run = started(loom, ANA)
    own = loom.usage.take_in(ANA, [entry("own")])

    assert sum(one.kept for one in taken) == UNBOUND_MAX
    assert (taken[-1].refused, "than is kept" in taken[-1].why) == (ENTRIES_MAX, True)
    assert own.kept == usage(loom, run.id).models[0].requests == 1
