"""How a hub ends under a load balancer: nothing new, nothing lost, and nobody waits for it."""

import json
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.deadlines import seconds, wait_until
from tests.hubs import Hub, made_token, mcp_call, running_hub


def test_the_load_balancer_hears_it_first(tmp_path: Path) -> None:
    token = made_token(tmp_path, "ana")
    hub = Hub(tmp_path, "--grace", "2")
    before = hub.send("/ready").status
    hub.process.send_signal(signal.SIGTERM)
    refused = wait_until(lambda: (found := hub.send("/ready")).status == 503 and found)
    served, alive = hub.send("/api/hello", token=token), hub.send("/health").status
    status = hub.process.wait(seconds(10))

    assert (before, refused and refused.body["status"]) == (200, "stopping")
    assert (served.status, served.headers["connection"], alive) == (200, "close", 200)
    assert status == -signal.SIGTERM


def test_what_was_begun_is_answered(tmp_path: Path) -> None:
    token = made_token(tmp_path, "ana")
    with running_hub(tmp_path) as hub, socket.create_connection(("127.0.0.1", hub.port), seconds(10)) as begun:
        head = (
            f"Host: localhost:1\r\nAuthorization: Bearer {token}\r\nLoomStack-Version: 0.1.0\r\nContent-Length: 2\r\n"
        )
        begun.sendall(f"POST /api/repos/ids HTTP/1.1\r\n{head}\r\n{{".encode())
        assert hub.send("/health").status == 200
        hub.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not _is_reachable(hub))
        begun.sendall(b"}")
        answer = b"".join(iter(lambda: begun.recv(65_536), b""))
        status = hub.process.wait(seconds(10))

    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b'{"answer": []}')
    assert status == -signal.SIGTERM


_BEFORE_ITS_TIME_S = 40
"""To wait 45 seconds is what they asked for."""


def test_who_waits_is_told_and_keeps_the_place(tmp_path: Path) -> None:
    token = made_token(tmp_path, "ana")
    with running_hub(tmp_path) as ending, running_hub(tmp_path) as other, ThreadPoolExecutor() as clients:
        for session in ("s1", "s2", "s3"):
            mcp_call(other, token, "start_run", session=session, loop="loop", goal="goal", repo="acme/shop")
        mcp_call(other, token, "claim_paths", session="s1", paths=["src"], intent="mine")
        asked = {"paths": ["src"], "intent": "then mine"}
        waits = clients.submit(mcp_call, ending, token, "claim_paths", session="s2", **asked, wait_seconds=45)
        wait_until(lambda: "claim.refused" in json.dumps(_events(other, token)))
        seen = other.ask(token, "events.cursor", repo_id="acme/shop").body["answer"]
        moved = {"repo_id": "acme/shop", "seen": seen, "wait_ms": 60_000}
        question = clients.submit(ending.ask, token, "events.moved", **moved)
        assert ending.send("/health").status == 200
        ending.process.send_signal(signal.SIGTERM)
        told = waits.result(_BEFORE_ITS_TIME_S)
        at = question.result(_BEFORE_ITS_TIME_S).body["answer"]
        behind = mcp_call(other, token, "claim_paths", session="s3", **asked, wait_seconds=1)
        again = mcp_call(other, token, "claim_paths", session="s2", **asked, wait_seconds=1)

    assert (told["granted"], told["position"]) == (False, 1)
    assert at == seen
    assert (behind["position"], again["position"]) == (2, 1)


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    hub = Hub(tmp_path, "--grace", "600")
    assert hub.send("/ready").status == 200
    hub.process.send_signal(signal.SIGTERM)
    wait_until(lambda: hub.send("/ready").status == 503)
    hub.process.send_signal(signal.SIGTERM)

    assert hub.process.wait(seconds(5)) == -signal.SIGTERM


def _events(hub: Hub, token: str) -> object:
    return hub.ask(token, "events.latest", repo_id="acme/shop", limit=50).body


def _is_reachable(hub: Hub) -> bool:
    try:
        socket.create_connection(("127.0.0.1", hub.port), seconds(1)).close()
    except OSError:
        return False
    return True
