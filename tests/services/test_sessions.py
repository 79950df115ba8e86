"""The run that stands for a session: started at its first word, never in the way, never ambiguous."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from loomstack_mcp.core.errors import Invalid, NotFound
from loomstack_mcp.core.runs import Caller, Run
from loomstack_mcp.core.sessions import session_loop
from loomstack_mcp.loom import Loom
from loomstack_mcp.services import repos
from loomstack_mcp.services.sessions import session_run
from loomstack_mcp.store.base import Statement
from tests.conftest import Clocks
from tests.factories import BEA, REPO, SHOP
from tests.services.support import claimed, recorded, started

ANA = Caller(principal="ana", session="claude:1a2b3c4d-0000-4000-8000-000000000001")
SUB = replace(ANA, agent="a0123456789abcdef")


def in_session(loom: Loom, caller: Caller, branch: str = "main") -> Run:
    checkout = replace(SHOP, branch=branch, worktree="/w")
    repo_id = repos.recorded_repo_id(loom.store, checkout)
    with loom.store.write(repo_id) as tx:
        return session_run(tx, caller, repo_id, checkout)


@contextmanager
def refused(match: str) -> Iterator[None]:
    with pytest.raises(NotFound, match=match):
        yield


def test_a_session_has_one_run_that_says_where_it_works_and_nothing_of_its_prompt(loom: Loom) -> None:
    first, again = in_session(loom, ANA), in_session(loom, ANA)

    assert again.id == first.id
    assert (first.origin, first.loop, first.goal) == (
        "session",
        "claude-1a2b3c4d",
        "session 1a2b3c4d of claude in main",
    )
    assert loom.runs.details(first.id).run.origin == "session"


def test_a_branch_that_looks_like_a_secret_is_not_repeated(loom: Loom) -> None:
    assert in_session(loom, ANA, branch="ghp_" + "a1B2" * 9).goal == "session 1a2b3c4d of claude"


def test_sessions_that_start_together_are_two_loops_in_each_client() -> None:
    codex = [f"codex:019acb31-1111-7000-8000-00000000000{last}" for last in "12"]

    assert [session_loop(session, "") for session in codex] == ["codex-00000001", "codex-00000002"]
    assert len({session_loop(ANA.session, agent) for agent in ("", "a000000000000001f", "a000000000000002f")}) == 3


def test_many_sub_agents_hide_no_run_that_was_asked_for(loom: Loom, clocks: Clocks) -> None:
    """Neither from its agent, nor where nobody knows which agent calls."""
    asked = started(loom, ANA)
    for number in range(25):
        clocks.pass_minutes(1 / 60)
        in_session(loom, replace(ANA, agent=f"a{number:016x}"))

    for caller in (ANA, replace(ANA, certain=False)):
        assert claimed(loom, caller, "src/").claim
        assert loom.claims.held(REPO, limit=9)[0][0].run_id == asked.id
        loom.claims.release_paths(caller, "")


def test_a_run_that_was_asked_for_goes_before_the_sessions(loom: Loom) -> None:
    own = in_session(loom, ANA)
    asked = started(loom, ANA)
    during = in_session(loom, ANA)
    recorded(loom, ANA, status="done")

    assert during.id == asked.id
    assert in_session(loom, ANA).id == own.id


def test_what_a_session_holds_is_not_in_the_way_of_the_run_that_it_asks_for(loom: Loom) -> None:
    own = in_session(loom, ANA)
    held = claimed(loom, ANA, "src/a.py", run=own.id)
    asked = started(loom, ANA)

    assert held.claim
    assert (asked.parent_id, claimed(loom, ANA, "src/a.py").blockers) == (own.id, ())
    assert claimed(loom, BEA, "src/a.py", run=started(loom, BEA).id).blockers


def test_a_sub_agents_run_descends_from_what_its_session_works_in(loom: Loom) -> None:
    own = in_session(loom, ANA)
    sub = in_session(loom, SUB)
    asked = started(loom, ANA)
    later = in_session(loom, replace(SUB, agent="later"))
    asked_by_sub = started(loom, SUB)

    assert [run.parent_id for run in (own, sub, asked, later, asked_by_sub)] == [
        None, own.id, own.id, asked.id, sub.id,
    ]  # fmt: skip


def test_a_session_that_was_lost_goes_on_in_its_run(loom: Loom, clocks: Clocks) -> None:
    own = in_session(loom, ANA)
    clocks.pass_minutes(91)
    started(loom, BEA)  # which sweeps
    swept = loom.runs.details(own.id).run.state
    again = in_session(loom, ANA)

    assert (swept, again.id, again.state, again.ended_at_ms) == ("lost", own.id, "live", None)
    assert loom.runs.details(own.id).run == again


def test_a_sessions_run_with_an_outcome_is_over_and_the_next_edit_has_another(loom: Loom) -> None:
    own = in_session(loom, ANA)
    recorded(loom, ANA, run=own.id, status="done")
    later = in_session(loom, ANA)

    assert later.id != own.id
    assert in_session(loom, ANA).id == later.id


def test_a_call_without_a_run_means_the_one_that_was_asked_for(loom: Loom) -> None:
    in_session(loom, ANA)
    in_session(loom, SUB)
    unsure = replace(ANA, certain=False)
    with refused("call start_run first"):  # the session's, or its sub-agent's: nobody knows
        claimed(loom, unsure, "src/a.py")
    read = loom.context.read_context(unsure, "", SHOP, budget_tokens=100)
    asked = started(loom, ANA)
    claim = claimed(loom, unsure, "src/a.py").claim

    assert claim
    assert claim.run_id == asked.id
    assert read.alerts == ()


def test_a_session_without_any_other_run_works_in_its_own(loom: Loom) -> None:
    own = in_session(loom, ANA)
    claim = claimed(loom, ANA, "src/a.py").claim

    assert claim
    assert claim.run_id == own.id


def test_a_session_that_no_client_names_has_no_run(loom: Loom) -> None:
    for session in ("", "process:17"):
        with pytest.raises(Invalid, match="names no session"):
            in_session(loom, replace(ANA, session=session))


def test_a_briefing_tells_nobody_of_sessions_and_no_session_of_itself(loom: Loom) -> None:
    own = in_session(loom, ANA)
    claimed(loom, ANA, "src/a.py", run=own.id)
    briefings = [loom.runs.start(who, SHOP, loop="loop", goal="goal", budget_tokens=800).briefing for who in (ANA, BEA)]
    mine, hers = briefings

    assert (mine.runs, mine.claims) == ((), ())
    assert [claim["run"] for claim in hers.claims] == [own.id]
    assert own.id not in [run["run"] for run in hers.runs]


def test_a_session_counts_as_no_second_loop_of_whoever_speaks(loom: Loom) -> None:
    started(loom, replace(ANA, session="claude:earlier"))
    note = loom.notes.share(
        replace(ANA, session="claude:earlier"), "", kind="intent", text="keep it", patterns=["src/"]
    ).note
    in_session(loom, ANA)
    started(loom, ANA)
    shared = loom.notes.share(ANA, "", kind="decision", text="let it go", patterns=["src/"], supersedes=note.id)

    assert shared.note.supersedes == note.id


def test_the_health_of_loops_is_not_told_of_sessions(loom: Loom) -> None:
    in_session(loom, ANA)
    started(loom, ANA)

    assert [run.origin for run in loom.runs.latest(REPO, limit=9)[0]] == ["asked", "session"]
    assert _asked(loom, "SELECT loop, runs FROM v_loop_health") == [{"loop": "loop", "runs": 1}]
    assert _asked(loom, "SELECT origin FROM v_runs ORDER BY origin") == [{"origin": "asked"}, {"origin": "session"}]


def _asked(loom: Loom, sql: str) -> list[dict[str, object]]:
    with loom.store.read() as tx:
        return [dict(row) for row in tx.all(Statement("test.asked", sql))]
