"""Who waits in the queue, and how a client lets go of it: it cancels, closes the pipe, is killed, or disconnects."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deadlines import seconds, wait_until
from tests.server.test_http import running
from tests.server.test_transport import kinds
from tests.wire import Server

WAIT = {"paths": ["src"], "intent": "next", "wait_seconds": 45}


def refused_by(server: Server) -> list[str]:
    """Who stands in the way of a newcomer, by loop."""
    found = server.answer("claim_paths", paths=["src/a.py"], intent="fix")
    return [blocker["loop"] for blocker in found.get("blockers", [])]


@pytest.fixture
def queue(serve: Callable[..., Server]) -> list[Server]:
    """A holder, one who waits for what it holds, and a newcomer."""
    servers = [serve(), serve(), serve()]
    for server, loop in zip(servers, ("holder", "waiter", "newcomer"), strict=True):
        server.answer("start_run", loop=loop, goal="goal")
    servers[0].answer("claim_paths", paths=["src"], intent="mine")
    return servers


def test_a_cancelled_wait_refuses_nobody(queue: list[Server]) -> None:
    holder, waiter, newcomer = queue
    waiting = waiter.start_call("claim_paths", WAIT)
    wait_until(lambda: refused_by(newcomer) == ["holder", "waiter"])
    waiter.notify("notifications/cancelled", {"requestId": waiting})
    wait_until(lambda: refused_by(newcomer) == ["holder"], 2)
    holder.answer("release_paths")

    assert newcomer.answer("claim_paths", paths=["src"], intent="fix")["granted"] is True
    assert waiter.answer("claim_paths", paths=["docs"], intent="other")["granted"] is True


def test_a_cancelled_wait_is_withdrawn_whatever_its_paths_would_mean_by_then(
    shop: Path, serve: Callable[..., Server]
) -> None:
    holder, waiter, newcomer = serve(), serve(), serve()
    for server, loop in ((holder, "holder"), (waiter, "waiter"), (newcomer, "newcomer")):
        server.answer("start_run", loop=loop, goal="goal")
    holder.answer("claim_paths", paths=["app/[x].d"], intent="mine")
    waiting = waiter.start_call("claim_paths", {**WAIT, "paths": ["app/[x].d"]})

    def refused() -> list[str]:
        found = newcomer.answer("claim_paths", paths=["app/"], intent="fix")
        return [blocker["loop"] for blocker in found.get("blockers", [])]

    wait_until(lambda: refused() == ["holder", "waiter"])
    (shop / "app/[x].d").mkdir(parents=True)
    waiter.notify("notifications/cancelled", {"requestId": waiting})
    wait_until(lambda: refused() == ["holder"], 2)


@pytest.mark.parametrize("end", ["close", "kill -TERM"])
def test_a_wait_whose_client_is_gone_refuses_nobody(queue: list[Server], end: str) -> None:
    _, waiter, newcomer = queue
    waiter.start_call("claim_paths", WAIT)
    wait_until(lambda: refused_by(newcomer) == ["holder", "waiter"])
    if end == "close":
        waiter.close_stdin()
    else:
        os.kill(waiter.process.pid, signal.SIGTERM)
    waiter.process.wait(seconds(5))

    assert refused_by(newcomer) == ["holder"]


def test_who_waits_behind_a_cancelled_wait_is_granted_at_once(queue: list[Server]) -> None:
    holder, waiter, newcomer = queue
    holder.answer("release_paths")
    holder.answer("claim_paths", paths=["src/b.py"], intent="mine")
    first = waiter.start_call("claim_paths", WAIT)
    wait_until(lambda: "claim.refused" in kinds(holder))
    second = newcomer.start_call("claim_paths", {**WAIT, "paths": ["src/a.py"]})
    waiter.notify("notifications/cancelled", {"requestId": first})

    assert newcomer.wait(second, 4)["result"]["structuredContent"]["granted"] is True


@pytest.mark.parametrize("modern", [True, False])
def test_a_wait_over_http_ends_with_its_connection(tmp_path: Path, shop: Path, modern: bool) -> None:
    with running(tmp_path, shop) as server:
        runs = {
            loop: server.call("start_run", loop=loop, goal="goal", repo="shop")["structuredContent"]["run"]
            for loop in ("holder", "waiter", "newcomer")
        }
        server.call("claim_paths", run=runs["holder"], paths=["src"], intent="mine")
        connection = server.asked("claim_paths", modern=modern, run=runs["waiter"], **WAIT)

        def blockers() -> list[str]:
            found = server.call("claim_paths", run=runs["newcomer"], paths=["src/a.py"], intent="fix")
            return [blocker["loop"] for blocker in found["structuredContent"]["blockers"]]

        wait_until(lambda: blockers() == ["holder", "waiter"])
        connection.close()
        wait_until(lambda: blockers() == ["holder"], 3)
