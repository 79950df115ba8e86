"""Runs, notes, briefings, outcomes and repos over a real store."""

from dataclasses import replace

import pytest

from loomstack_mcp.core.errors import Invalid, LoomError, NotFound, Unauthorized
from loomstack_mcp.core.outcomes import CheckCounts
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.loom import Loom
from loomstack_mcp.services.runs import StartResult
from tests.conftest import Clocks
from tests.factories import ANA, BEA, REPO, SHOP


def start(loom: Loom, caller: Caller = ANA, checkout: Checkout = SHOP, **given: object) -> StartResult:
    return loom.runs.start(caller, checkout, **{"loop": "loop", "goal": "goal", "budget_tokens": 800, **given})  # type: ignore[arg-type]


def record(loom: Loom, caller: Caller = ANA, run: str = "", **given: object) -> tuple[str, int, int]:
    fixed = {"status": "failed", "summary": "tried", "role": "maker", "checks": CheckCounts(passed=2, failed=6)}
    result = loom.outcomes.record(caller, run, **{**fixed, **given})  # type: ignore[arg-type]
    return result.next.action, result.outcome.attempt, result.outcome.rework


def test_a_key_resumes_the_same_run(loom: Loom) -> None:
    first, again = start(loom, key="nightly"), start(loom, key="nightly")

    assert (again.run.id, again.resumed) == (first.run.id, True)
    assert start(loom, key="nightly", loop="other").run.id != first.run.id
    assert start(loom, BEA, key="nightly").run.id != first.run.id


def test_a_live_run_of_another_session_is_not_resumed_and_a_lost_one_is(loom: Loom, clocks: Clocks) -> None:
    first = start(loom, key="nightly")
    elsewhere = replace(ANA, session="s-new")

    with pytest.raises(Invalid, match="another session"):
        start(loom, elsewhere, key="nightly")
    clocks.pass_minutes(91)
    assert start(loom, elsewhere, key="nightly").run.id == first.run.id
    with pytest.raises(Unauthorized):
        record(loom, ANA, first.run.id)


def test_a_key_of_a_run_that_ended_returns_it_as_it_ended(loom: Loom) -> None:
    first = start(loom, key="nightly")
    record(loom, status="done", checks=CheckCounts())
    again = start(loom, key="nightly")

    assert (again.run.id, again.run.state, again.run.status) == (first.run.id, "ended", "done")
    with pytest.raises(Invalid, match="ended"):
        record(loom, run=first.run.id)


def test_without_a_run_the_newest_live_one_is_meant(loom: Loom) -> None:
    start(loom)
    newest = start(loom).run

    assert loom.claims.release_paths(ANA, "").run == newest.id
    with pytest.raises(NotFound, match="start_run"):
        loom.claims.release_paths(BEA, "")


def test_where_agents_cannot_be_told_apart_the_error_lists_the_runs(loom: Loom) -> None:
    shared = replace(ANA, certain=False)
    runs = [start(loom, shared).run.id]
    assert loom.claims.release_paths(shared, "").run == runs[0]
    runs.append(start(loom, shared).run.id)

    with pytest.raises(Invalid) as ambiguous:
        loom.claims.release_paths(shared, "")
    assert all(run in str(ambiguous.value) for run in runs)
    assert loom.claims.release_paths(shared, runs[0]).run == runs[0]


def test_a_sub_agents_run_is_a_child_of_the_run_it_was_started_in(loom: Loom) -> None:
    parent = start(loom).run
    child = start(loom, replace(ANA, agent="sub")).run
    grandchild = start(loom, replace(ANA, agent="subsub", parent_agent="sub")).run

    assert (parent.parent_id, child.parent_id, grandchild.parent_id) == (None, parent.id, child.id)


def test_the_end_of_a_session_shortens_its_leases_to_five_minutes(loom: Loom) -> None:
    start(loom)
    loom.runs.shorten(ANA)
    [run], now_ms = loom.runs.latest(REPO, limit=1)

    assert run.expires_at_ms - now_ms == 5 * 60_000


def test_a_briefing_tells_of_others_and_not_of_oneself(loom: Loom) -> None:
    start(loom, BEA, patterns=["src/"], goal="net prices")
    loom.claims.claim_paths(BEA, "", patterns=["src/tax.py"], intent="net", mode="exclusive", ttl_ms=60_000)
    loom.notes.share(BEA, "", kind="intent", text="red on purpose", patterns=["tests/test_tax.py"])
    briefing = start(loom, ANA, patterns=["src/", "tests/"]).briefing

    assert [run["goal"] for run in briefing.runs] == ["net prices"]
    assert [claim["paths"] for claim in briefing.claims] == [("src/tax.py",)]
    assert [(note["text"], note["who"]) for note in briefing.notes] == [("red on purpose", "loop@bea")]
    assert briefing.cursor == 4


def test_a_warning_names_what_was_changed_on_purpose(loom: Loom) -> None:
    start(loom, BEA)
    note = loom.notes.share(BEA, "", kind="intent", text="red on purpose", patterns=["tests/test_tax.py"]).note
    start(loom)
    granted = loom.claims.claim_paths(ANA, "", patterns=["tests/"], intent="fix", mode="exclusive", ttl_ms=60_000)

    assert [(warning.note, warning.who) for warning in granted.warnings] == [(note.id, "loop@bea")]


def test_since_reads_what_is_new_and_a_lost_reply_loses_nothing(loom: Loom) -> None:
    start(loom, BEA)
    cursor = start(loom).briefing.cursor
    loom.notes.share(BEA, "", kind="fact", text="new")
    read = [loom.context.read_context(ANA, "", SHOP, since=cursor, budget_tokens=800).briefing for _ in range(2)]

    assert read[0] == read[1]
    assert [note["text"] for note in read[0].notes] == ["new"]
    assert loom.context.read_context(ANA, "", SHOP, since=read[0].cursor, budget_tokens=800).briefing.notes == ()


def test_landed_commits_are_told_with_their_intent(loom: Loom) -> None:
    start(loom, BEA)
    loom.claims.claim_paths(BEA, "", patterns=["src/"], intent="net prices", mode="exclusive", ttl_ms=60_000)
    record(loom, BEA, status="done", checks=CheckCounts(), commits=["0123456789abcdef"])
    [change] = start(loom, patterns=["src/a.py"]).briefing.changes

    assert (change["commits"], change["intent"], change["paths"]) == (["0123456789ab"], "net prices", ("src/",))


def test_notes_are_found_by_words_by_stem_and_by_id(loom: Loom) -> None:
    start(loom)
    note = loom.notes.share(ANA, "", kind="fact", text="The snake_case parser rounds prices").note
    loom.notes.share(ANA, "", kind="fact", text="Something else")

    for query in ("rounding price", "snake_case", "nothing parser", note.id):
        assert [found.id for found in loom.notes.latest(REPO, limit=9, query=query)[0]] == [note.id]
    for hostile in ('"', "* OR", "NEAR(", "a AND", "';--", "{}", "  "):
        loom.notes.latest(REPO, limit=9, query=hostile)


def test_a_contradiction_is_flagged_and_both_stay(loom: Loom) -> None:
    start(loom, BEA)
    old = loom.notes.share(BEA, "", kind="decision", text="prices are gross", patterns=["src/"]).note
    start(loom)
    shared = loom.notes.share(ANA, "", kind="decision", text="prices are net", patterns=["src/tax.py"])
    told = loom.context.read_context(BEA, "", SHOP, budget_tokens=800).alerts

    assert [note.id for note in shared.contradicts] == [old.id]
    assert [(alert.kind, alert.who) for alert in told] == [("contradicted", "loop@ana")]
    assert len(loom.notes.latest(REPO, limit=9)[0]) == 2


def test_a_note_supersedes_another_but_never_a_persons(loom: Loom) -> None:
    start(loom)
    old = loom.notes.share(ANA, "", kind="fact", text="old").note
    new = loom.notes.share(ANA, "", kind="fact", text="new", supersedes=old.id).note
    human = loom.notes.add(SHOP, who="dana", kind="decision", text="mine").note

    assert [note.id for note in loom.notes.latest(REPO, limit=9)[0]] == [human.id, new.id]
    with pytest.raises(Invalid, match="person"):
        loom.notes.share(ANA, "", kind="decision", text="no", supersedes=human.id)
    with pytest.raises(NotFound):
        loom.notes.share(ANA, "", kind="decision", text="no", supersedes="note_NONE")
    assert len(loom.notes.latest(REPO, limit=9)[0]) == 2


def test_a_message_alerts_the_run_it_is_addressed_to(loom: Loom) -> None:
    start(loom, BEA)
    run = start(loom).run.id
    sent = loom.notes.share(BEA, "", kind="handoff", text="yours", to=run)
    told = loom.context.read_context(ANA, "", SHOP, budget_tokens=800)

    assert sent.seen_by == (run,)
    assert [(alert.kind, alert.text, alert.who) for alert in told.alerts] == [("message", "yours", "loop@bea")]
    with pytest.raises(NotFound):
        loom.notes.share(BEA, "", kind="fact", text="x", to="run_NONE")


def test_notes_expire_and_those_for_the_organisation_reach_every_repo(loom: Loom, clocks: Clocks) -> None:
    start(loom)
    loom.notes.share(ANA, "", kind="fact", text="short", expires_hours=1)
    loom.notes.add(None, who="dana", kind="decision", text="for all")
    clocks.pass_minutes(61)
    briefing = start(loom, BEA, Checkout(identity="elsewhere")).briefing

    assert [note["text"] for note in briefing.notes] == ["for all"]
    assert loom.notes.latest(REPO, limit=9)[0] == ()


def test_rework_goes_back_and_forth_until_a_person_takes_over(loom: Loom) -> None:
    maker = start(loom).run.id
    checker = start(loom, BEA, checks_run=maker).run.id
    assert record(loom, status="passed", checks=CheckCounts(passed=3)) == ("check", 1, 0)
    for round_ in (1, 2, 3):
        failing = CheckCounts(passed=2, failed=6, failing=("a",))
        assert record(loom, BEA, checker, role="checker", checks=failing) == ("retry", round_, round_)
        assert record(loom, status="passed", checks=CheckCounts(passed=3)) == ("check", round_ + 1, round_)
    assert record(loom, BEA, checker, role="checker", checks=CheckCounts(failed=1)) == ("escalate", 4, 4)
    told = loom.context.read_context(ANA, "", SHOP, budget_tokens=800).alerts

    assert {alert.kind for alert in told} == {"checked"}


def test_a_checkers_pass_lets_the_maker_land_and_another_attempt_does_not_inherit_it(loom: Loom) -> None:
    maker = start(loom).run.id
    start(loom, BEA, checks_run=maker)
    assert record(loom, BEA, status="passed", checks=CheckCounts(passed=8))[0] == "land"
    assert record(loom, status="passed", checks=CheckCounts(passed=8))[0] == "land"
    assert record(loom, status="passed", checks=CheckCounts(passed=8))[0] == "check"


def test_a_checker_without_a_run_to_check_is_refused(loom: Loom) -> None:
    start(loom)

    with pytest.raises(Invalid, match="checks_run"):
        record(loom, role="checker")
    with pytest.raises(NotFound):
        start(loom, BEA, checks_run="run_NONE")


def test_done_ends_the_run_and_frees_its_paths(loom: Loom) -> None:
    start(loom)
    loom.claims.claim_paths(ANA, "", patterns=["src/"], intent="x", mode="exclusive", ttl_ms=60_000)
    record(loom, status="done", checks=CheckCounts())

    assert loom.claims.held(REPO, limit=9)[0] == ()
    assert [event.kind for event in loom.events.latest(REPO, limit=3)[0]] == [
        "outcome.recorded", "run.ended", "claim.released",
    ]  # fmt: skip


def test_every_change_of_state_has_the_next_number(loom: Loom) -> None:
    start(loom)
    loom.claims.claim_paths(ANA, "", patterns=["src/"], intent="x", mode="exclusive", ttl_ms=60_000)
    record(loom, status="done", checks=CheckCounts())
    events, _ = loom.events.since(REPO, since=0, limit=99)

    assert [event.seq for event in events] == list(range(1, 6))
    assert loom.events.cursor(REPO) == 5


def test_a_clone_that_gets_an_origin_stays_the_same_repo_and_forks_do_not_join_it(loom: Loom) -> None:
    before = Checkout(identity="root:abc", clone="clone:mine")
    start(loom, ANA, before)
    after = replace(before, identity="github.com/acme/shop")
    fork = Checkout(identity="github.com/fork/shop", clone="clone:fork")

    assert start(loom, BEA, after).run.repo_id == "root:abc"
    assert start(loom, BEA, replace(after, clone="clone:other")).run.repo_id == "root:abc"
    assert start(loom, BEA, fork).run.repo_id == "github.com/fork/shop"
    assert start(loom, BEA, replace(after, identity="github.com/fork/shop")).run.repo_id == "github.com/fork/shop"
    assert start(loom, BEA, replace(after, identity="github.com/new/fork")).run.repo_id == "github.com/new/fork"


def test_a_text_beyond_its_limit_stores_nothing(loom: Loom) -> None:
    start(loom)
    before = loom.events.cursor(REPO)

    for text in ("x" * 2001, "", "ghp_" + "a" * 36):
        with pytest.raises(LoomError):
            loom.notes.share(ANA, "", kind="fact", text=text)
    assert loom.events.cursor(REPO) == before


def test_the_end_of_a_sub_agents_process_leaves_the_leases_of_its_session(loom: Loom, clocks: Clocks) -> None:
    start(loom, ANA)
    child = replace(ANA, agent="thread-2")
    start(loom, child)
    loom.runs.shorten(child)
    runs, now_ms = loom.runs.latest(REPO, limit=2)

    assert [(run.expires_at_ms - now_ms) // 60_000 for run in runs] == [5, 30]


def test_a_note_says_whom_it_concerns(loom: Loom) -> None:
    chen = Caller(principal="chen", session="s-chen")
    _, holder, elsewhere = (start(loom, caller).run.id for caller in (ANA, BEA, chen))
    loom.claims.claim_paths(BEA, "", patterns=["src/a.py"], intent="x", mode="exclusive", ttl_ms=60_000)

    assert loom.notes.share(ANA, "", kind="fact", text="a fact", patterns=["src/"]).seen_by == (holder,)
    assert set(loom.notes.share(ANA, "", kind="fact", text="another").seen_by) == {holder, elsewhere}
