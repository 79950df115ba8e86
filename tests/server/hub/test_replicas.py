"""Two processes over one store: whichever is asked, the answer is the same."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller
from tests.bench.hub_places import joined_home
from tests.conftest import COMMAND, environment
from tests.databases import fresh_database
from tests.deadlines import seconds, wait_until
from tests.hubs import Hub, made_token, mcp_call, running_hub
from tests.wire import Server

SHOP = Checkout(identity="github.com/acme/shop")
ANA = Caller(principal="", session="claude:s1")


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/loomstack/loom.db"
    return fresh_database(request.getfixturevalue("postgres_server"))


@pytest.fixture
def replicas(tmp_path: Path, store: str) -> Iterator[tuple[Hub, Hub]]:
    env = {"LOOMSTACK_STORE": store}
    with running_hub(tmp_path, **env) as one, running_hub(tmp_path, **env) as other:
        yield one, other


@pytest.fixture
def token(tmp_path: Path, store: str) -> str:
    return made_token(tmp_path, "ana", store=store)


def test_a_run_goes_on_at_another(replicas: tuple[Hub, Hub], token: str) -> None:
    one, other = replicas
    asked = {"caller": ANA, "checkout": SHOP, "loop": "loop", "goal": "goal", "budget_tokens": 800}
    run = one.ask(token, "runs.start", **asked).body["answer"]["run"]["id"]
    wanted = {"patterns": ["src/"], "intent": "mine", "mode": "exclusive", "ttl_ms": 60_000}
    claimed = other.ask(token, "claims.claim_paths", caller=ANA, run_id=run, **wanted).body["answer"]
    one.stop()
    held = other.ask(token, "runs.details", run_id=run).body["answer"]

    assert [claim["id"] for claim in held["claims"]] == [claimed["claim"]["id"]]
    assert held["run"]["state"] == "live"


def test_a_call_that_is_sent_again_to_another_is_done_once(replicas: tuple[Hub, Hub], token: str) -> None:
    asked = {"caller": {"principal": "", "session": "claude:s1"}, "checkout": {"identity": "acme/shop"},
             "loop": "loop", "goal": "goal", "budget_tokens": 800}  # fmt: skip
    answers = [hub.send("/api/runs/start", asked, token=token, LoomStack_Request="1" * 32) for hub in replicas]
    other = replicas[0].send("/api/runs/start", {**asked, "goal": "x"}, token=token, LoomStack_Request="1" * 32)
    unnamed = replicas[0].send("/api/runs/start", asked, token=token, LoomStack_Request=None)
    runs = replicas[0].ask(token, "runs.latest", repo_id="acme/shop", limit=9, live=True).body["answer"][0]

    assert answers[0].status == 200
    assert answers[0].body == answers[1].body
    assert (other.status, other.code) == (400, "invalid")
    assert (unnamed.status, "LoomStack-Request" in unnamed.message) == (400, True)
    assert len(runs) == 1


def test_who_waits_at_one_is_granted_what_is_released_at_another(replicas: tuple[Hub, Hub], token: str) -> None:
    one, other = replicas
    for hub, session in ((one, "s1"), (other, "s2")):
        mcp_call(hub, token, "start_run", session=session, loop="loop", goal="goal", repo="acme/shop")
    mcp_call(one, token, "claim_paths", session="s1", paths=["src"], intent="mine")
    with ThreadPoolExecutor() as clients:
        asked: dict[str, Any] = {"session": "s2", "paths": ["src"], "intent": "then mine", "wait_seconds": 40}
        waits = clients.submit(mcp_call, other, token, "claim_paths", **asked)
        wait_until(lambda: "claim.refused" in json.dumps(_events(one, token)))
        mcp_call(one, token, "release_paths", session="s1")

        assert waits.result(seconds(20))["granted"] is True


def test_whether_a_repo_moved_is_answered_once_it_has_and_keeps_no_other_call_waiting(
    replicas: tuple[Hub, Hub], token: str
) -> None:
    one, other = replicas
    mcp_call(one, token, "start_run", session="s1", loop="loop", goal="goal", repo="acme/shop")
    seen = one.ask(token, "events.cursor", repo_id="acme/shop").body["answer"]
    asked = {"repo_id": "acme/shop", "seen": seen}
    stays = other.ask(token, "events.moved", **asked, wait_ms=50).body["answer"]
    moved_before = other.ask(token, "events.moved", **{**asked, "seen": seen - 1}, wait_ms=60_000).body["answer"]
    unknown = other.ask(token, "events.moved", repo_id="acme/none", seen=0, wait_ms=50).body["answer"]
    with ThreadPoolExecutor(9) as clients:
        open_now = [clients.submit(other.ask, token, "events.moved", **asked, wait_ms=60_000) for _ in range(9)]
        apart = other.ask(token, "repos.ids").body["answer"]
        still_open = not any(question.done() for question in open_now)
        mcp_call(one, token, "claim_paths", session="s1", paths=["src"], intent="mine")
        answers = {question.result(seconds(5)).body["answer"] for question in open_now}

    assert (stays, moved_before, unknown) == (seen, seen, 0)
    assert (apart, still_open) == (["acme/shop"], True)
    assert all(at > seen for at in answers)


def test_who_waits_at_an_edge_of_one_is_granted_what_is_released_at_another(
    replicas: tuple[Hub, Hub], token: str, tmp_path: Path, shop: Path
) -> None:
    one, other = replicas
    home = joined_home(tmp_path / "edge", f"http://127.0.0.1:{other.port}", token)
    with Server(COMMAND, env=environment(home), cwd=shop, fresh=True) as waiter:
        waiter.initialize()
        waiter.answer("start_run", loop="waiter", goal="goal")
        [repo] = one.ask(token, "repos.ids").body["answer"]
        mcp_call(one, token, "start_run", session="s1", loop="loop", goal="goal", repo=repo)
        mcp_call(one, token, "claim_paths", session="s1", paths=["src"], intent="mine")
        waits = waiter.start_call("claim_paths", {"paths": ["src"], "intent": "then mine", "wait_seconds": 40})
        wait_until(lambda: "claim.refused" in json.dumps(_events(one, token, repo)))
        meanwhile = waiter.answer("claim_paths", paths=["docs"], intent="other")
        mcp_call(one, token, "release_paths", session="s1")

        assert waiter.wait(waits, 5)["result"]["structuredContent"]["granted"] is True
        assert meanwhile["granted"] is True


def _events(hub: Hub, token: str, repo: str = "acme/shop") -> object:
    return hub.ask(token, "events.latest", repo_id=repo, limit=50).body
