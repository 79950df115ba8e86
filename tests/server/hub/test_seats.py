"""How many calls of one token are under way, and how many of its questions and answers are kept."""

import json
import select
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from loomstack_mcp.core.tokens import Principal
from loomstack_mcp.loom import Loom
from loomstack_mcp.server.hub import door as door_module
from loomstack_mcp.server.hub import open_questions
from loomstack_mcp.server.hub.api import Api, ApiCall
from loomstack_mcp.server.hub.replies import HubReply
from tests.deadlines import seconds, wait_until
from tests.hubs import Hub, made_token, mcp_call, running_hub
from tests.server.hub.raw import Served, connected, door, head, read, token_of


class SlowApi(Api):
    """Calls of one person hang until they are let go."""

    free = threading.Event()

    def answer(self, principal: Principal, call: ApiCall) -> HubReply:
        if principal.name == "slow":
            self.free.wait(seconds(20))
        return super().answer(principal, call)


def test_one_token_takes_a_few_threads_and_then_hears_so(loom: Loom, served: Served) -> None:
    slow, other = token_of(loom, "slow"), token_of(loom)
    whole = "Content-Length: 2\r\nConnection: close\r\n"
    with served(door(loom, SlowApi(loom))) as port:
        hanging = [connected(port, head(slow, whole) + b"{}") for _ in range(70)]
        beside = [read(connected(port, head(other, whole) + b"{}")) for _ in range(5)]
        SlowApi.free.set()
        answers = [read(one) for one in hanging]
        ended = [one.split()[1] for one in answers]

    assert all(b"200 OK" in one for one in beside)
    assert sorted(ended) == [b"200"] * 64 + [b"429"] * 6
    assert all((b" 429 " in one) is (b'"code": "limit_exceeded"' in one) for one in answers)


def test_a_token_has_so_many_questions_open_and_one_more_is_answered_at_once(
    loom: Loom, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_questions, "TOKEN_QUESTIONS_MAX", 1)
    busy, other = token_of(loom, "busy"), token_of(loom)
    body = json.dumps({"repo_id": "acme/none", "seen": 0, "wait_ms": 20_000}).encode()

    def asked(token: str) -> socket.socket:
        sent = head(token, f"Content-Length: {len(body)}\r\nConnection: close\r\n", path="/api/events/moved")
        return connected(port, sent + body)

    made = door(loom)
    with served(made) as port:
        left_open = asked(busy)
        wait_until(lambda: made._questions._of_token)
        one_more = read(asked(busy))
        of_another = asked(other)
        wait_until(lambda: len(made._questions._of_token) == 2)
        left_open.close()
        wait_until(lambda: len(made._questions._of_token) == 1)
        again = asked(busy)
        wait_until(lambda: len(made._questions._of_token) == 2)
        told = select.select([of_another, again], [], [], 0)[0]

    assert (one_more.endswith(b'{"answer": 0}'), told) == (True, [])


class LongApi(Api):
    def answer(self, principal: Principal, call: ApiCall) -> HubReply:
        told = super().answer(principal, call)
        return replace(told, body=b" " * 20_000_000 + told.body)


def test_of_answers_that_nobody_reads_few_are_kept(loom: Loom, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door_module, "_AT_ONCE", 1)
    slow, other = token_of(loom, "slow"), token_of(loom)
    whole = "Content-Length: 2\r\nConnection: close\r\n"
    with served(door(loom, LongApi(loom))) as port:
        first = connected(port, head(slow, whole) + b"{}")
        begun = first.recv(1)
        second = connected(port, head(slow, whole) + b"{}")
        beside = read(connected(port, head(other, whole) + b"{}"))
        second.settimeout(0.3)
        with pytest.raises(TimeoutError):
            second.recv(1)
        rest = read(first)
        second.settimeout(seconds(10))

        assert all(b"200 OK" in one for one in (begun + rest, beside, read(second)))


def test_waiting_calls_leave_room_for_others(tmp_path: Path) -> None:
    token = made_token(tmp_path, "ana")
    with running_hub(tmp_path) as hub, ThreadPoolExecutor(60) as clients:
        mcp_call(hub, token, "start_run", session="s0", loop="loop", goal="goal", repo="acme/shop")
        mcp_call(hub, token, "claim_paths", session="s0", paths=["src"], intent="mine")
        for number in range(1, 51):
            mcp_call(hub, token, "start_run", session=f"s{number}", loop="loop", goal="goal", repo="acme/shop")
        waits = [
            clients.submit(
                mcp_call, hub, token, "claim_paths", session=f"s{number}", paths=["src"], intent="x", wait_seconds=30,
                mode="shared",
            )
            for number in range(1, 51)
        ]  # fmt: skip
        claimed = wait_until(lambda: _queue(hub, token) >= 45, 20)
        beside = mcp_call(hub, token, "claim_paths", session="s0", paths=["docs"], intent="mine")
        mcp_call(hub, token, "release_paths", session="s0")
        granted = [one.result(seconds(20))["granted"] for one in waits]

    assert claimed
    assert beside["granted"] is True
    assert granted == [True] * 50


def _queue(hub: Hub, token: str) -> int:
    found = hub.ask(token, "events.latest", repo_id="acme/shop", limit=200).body["answer"][0]
    return sum(event["kind"] == "claim.refused" for event in found)
