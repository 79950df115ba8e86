"""Uses of power: each stands in the log of its repo, or nowhere that tells of a foreign one."""

from contextlib import suppress

import pytest

from loomstack_mcp.core.errors import Invalid, Unauthorized
from loomstack_mcp.core.policy.known import approver_by_token
from loomstack_mcp.loom import Loom
from tests.conftest import Clocks
from tests.factories import ANA, BEA, REPO
from tests.services.asking import ADMIN, ZOO, World
from tests.services.support import started
from tests.services.test_access import asked, role, world
from tests.services.test_approvals import book, edit
from tests.services.test_token_approvals import PEOPLE, answer

__all__ = ["world"]


def test_uses_of_power_stand_in_the_log_of_their_repo(loom: Loom, clocks: Clocks) -> None:
    run = started(loom, BEA)
    developer, agent = role("developer"), role("agent")
    for _ in range(3):
        with pytest.raises(Unauthorized):
            asked(loom, agent, "levers.stop_run", run_id=run.id, who="x", why="w")
    asked(loom, developer, "levers.stop_run", run_id=run.id, who="x", why="w")
    clocks.pass_minutes(1)
    with pytest.raises(Unauthorized):
        asked(loom, agent, "levers.stop_run", run_id=run.id, who="x", why="w")

    events = [one for one in loom.events.latest(REPO, limit=50)[0] if one.kind.startswith("power.")]
    about = {"what": "levers.stop_run", "who": "ana", "token": "loom_00000001"}
    assert [(one.kind, one.payload) for one in events] == [
        ("power.refused", {**about, "role": "agent"}),
        ("power.granted", {**about, "role": "developer"}),
        ("power.refused", {**about, "role": "agent"}),
    ]
    counts = [(one.verdict, one.count, one.about) for one in loom.tokens.powers(ADMIN, limit=9)[0]]
    assert sorted(counts) == [("granted", 1, REPO), ("refused", 1, REPO), ("refused", 3, REPO)]


def test_a_power_that_the_service_refuses_is_written_down_as_refused(loom: Loom) -> None:
    developer = role("developer")
    with pytest.raises(Unauthorized):
        asked(loom, developer, "tokens.create", by=developer, owner="ana", role="developer")

    told = [(one.what, one.verdict) for one in loom.tokens.powers(ADMIN, limit=9)[0]]
    asked(loom, developer, "tokens.create", by=developer, owner="ana", role="agent")
    assert told == [("tokens.create", "refused")]
    assert [one.verdict for one in loom.tokens.powers(ADMIN, limit=9)[0]].count("granted") == 1


def test_an_answer_that_does_not_count_is_no_power_that_was_granted(loom: Loom) -> None:
    for each in (ANA, BEA):
        started(loom, each)
    rules = book(people=PEOPLE)
    question = edit(loom, rules)
    for who in ("eve-tok", "eve-tok", "dana-lap"):
        with suppress(Invalid):
            answer(loom, question, who, approver_by_token(who, PEOPLE))

    uses = [(one.who, one.verdict, one.count) for one in loom.tokens.powers(ADMIN, limit=9)[0]]
    assert sorted(uses) == [("dana-lap", "granted", 1), ("eve-tok", "refused", 2)]


def test_a_refusal_about_a_foreign_repo_leaves_no_trace_there(loom: Loom, world: World) -> None:
    low = role("agent", "github.com/acme/*")
    before = loom.events.latest(ZOO.identity, limit=50)
    with pytest.raises(Unauthorized):
        asked(loom, low, "levers.stop_run", run_id=world.foreign["run"], who="x", why="w")

    assert loom.events.latest(ZOO.identity, limit=50)[0] == before[0]
    assert [one.about for one in loom.tokens.powers(ADMIN, limit=9)[0]] == [""]
