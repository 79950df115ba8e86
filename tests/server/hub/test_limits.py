"""What one client can do to others: next to nothing, with a token or without."""

import contextlib
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from loomstack_mcp.cli.help import chapter
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.limits import OPEN_QUESTION_MS_MAX
from loomstack_mcp.loom import Loom
from loomstack_mcp.server.hub import bodies, open_questions, serving
from loomstack_mcp.server.hub import connections as limits
from loomstack_mcp.server.hub import door as door_module
from loomstack_mcp.server.hub.addresses import listening
from loomstack_mcp.server.hub.rates import Rates
from tests.deadlines import seconds
from tests.hubs import made_token, running_hub
from tests.server.hub.raw import Served, connected, door, head, read, token_of


def test_connections_without_a_token_starve_nobody(tmp_path: Path) -> None:
    token = made_token(tmp_path, "ana")
    with running_hub(tmp_path) as hub, contextlib.ExitStack() as idle, contextlib.closing(hub.connection()) as known:
        before = hub.sent_over(known, "/api/hello", token=token).status
        for number in range(700):
            idle.enter_context(connected(hub.port, b"" if number % 2 else b"POST /mcp HTTP/1.1\r\nHost: lo"))
        same = hub.sent_over(known, "/api/hello", token=token).status
        fresh = [hub.send("/api/hello", token=token).status, hub.send("/health").status]

    assert (before, same, fresh) == (200, 200, [200, 200])


def test_who_shows_no_token_makes_room_for_who_comes(loom: Loom, served: Served) -> None:
    with served(door(loom), strangers_max=3) as port, contextlib.ExitStack() as opened:
        known = opened.enter_context(connected(port, head(token_of(loom), "Content-Length: 2\r\n") + b"{}"))
        assert b"200 OK" in read(known, until=b"[]}")
        first, *others = [opened.enter_context(connected(port)) for _ in range(4)]

        assert read(first) == b""
        known.sendall(head(token_of(loom), "Content-Length: 2\r\n") + b"{}")
        assert b"200 OK" in read(known, until=b"[]}")
        assert len(others) == 3


def test_a_token_comes_over_so_many_connections(loom: Loom, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TOKEN_CONNECTIONS_MAX", 3)
    whole = "Content-Length: 2\r\n"
    many, other = token_of(loom), token_of(loom, "bea")
    with served(door(loom)) as port, contextlib.ExitStack() as opened:
        beside = opened.enter_context(connected(port, head(other, whole) + b"{}"))
        found = [read(beside, until=b"[]}")]
        mine = []
        for _ in range(4):
            mine.append(opened.enter_context(connected(port, head(many, whole) + b"{}")))
            found.append(read(mine[-1], until=b"[]}"))
        for one in (beside, mine[1], mine[3]):
            one.sendall(head(many if one in mine else other, whole) + b"{}")
            found.append(read(one, until=b"[]}"))

        assert all(b"200 OK" in one for one in found)
        assert read(mine[0]) == b""


def test_a_head_that_does_not_come_ends_the_connection(
    loom: Loom, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "HEAD_S", 0.3)
    whole = head(token_of(loom), "Content-Length: 2\r\n") + b"{}"
    with served(door(loom)) as port:
        silent, begun, second = connected(port), connected(port, whole[:20]), connected(port, whole)
        answered = read(second, until=b"[]}")
        second.sendall(whole[:20])

        assert [read(silent), read(begun)] == [b"", b""]
        assert (b"200 OK" in answered, read(second)) == (True, b"")


def test_a_body_that_does_not_come_costs_its_sender_alone(
    loom: Loom, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "BODY_S", 0.5)
    slow, quick = token_of(loom), token_of(loom, "bea")
    with served(door(loom)) as port:
        waiting = [connected(port, head(slow, "Content-Length: 9\r\n") + b"{") for _ in range(4)]
        beside = read(connected(port, head(quick, "Content-Length: 2\r\n") + b"{}"), until=b"[]}")
        ended = [read(one) for one in waiting]
        after = read(connected(port, head(slow, "Content-Length: 2\r\n") + b"{}"), until=b"[]}")

    assert b"200 OK" in beside
    assert all(one.startswith(b"HTTP/1.1 408") for one in ended)
    assert b"200 OK" in after


def test_a_body_that_is_too_large_is_refused_before_it_comes(
    loom: Loom, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door_module, "BODY_BYTES_MAX", 1_000)
    with served(door(loom)) as port:
        told = read(connected(port, head(token_of(loom), "Content-Length: 1001\r\n")))
        part = b"1f4\r\n" + b" " * 500 + b"\r\n"
        chunked = read(connected(port, head(token_of(loom), "Transfer-Encoding: chunked\r\n") + part * 3))
        unread = read(connected(port, head("nobody", "Content-Length: 999999999999\r\n")))

    assert [found.split()[1] for found in (told, chunked, unread)] == [b"413", b"413", b"401"]
    assert json.loads(told.split(b"\r\n\r\n")[1])["error"]["code"] == "limit_exceeded"


def test_a_head_that_is_too_large_is_refused(loom: Loom, served: Served) -> None:
    with served(door(loom)) as port:
        many = connected(port, head(token_of(loom))[:-2] + b"X: y\r\n" * 20_000)

        assert read(many).startswith(b"HTTP/1.1 400")


def test_who_reads_no_answer_is_cut_off(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SEND_S", 0.3)
    monkeypatch.setattr(limits, "_CLOSING_S", 0.3)
    ended = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(400):
            await send({"type": "http.response.body", "body": b" " * 100_000, "more_body": True})
        ended.set()

    with served(app) as port:
        connection = connected(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert ended.wait(seconds(5))
        found = read(connection)

    assert 0 < len(found) < 40_000_000


def test_a_token_that_asks_too_often_is_told_when_and_others_are_served(
    loom: Loom, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door_module, "CALLS_BURST", 3)
    monkeypatch.setattr(door_module, "CALLS_PER_S", 0.01)
    busy, other = token_of(loom), token_of(loom, "bea")

    def asked(port: int, token: str) -> bytes:
        return read(connected(port, head(token, "Content-Length: 2\r\nConnection: close\r\n") + b"{}"))

    with served(door(loom)) as port:
        found = [asked(port, busy) for _ in range(5)]
        beside = asked(port, other)

    assert [one.split()[1] for one in [*found, beside]] == [b"200", b"200", b"200", b"429", b"429", b"200"]
    assert b"retry-after: 100\r\n" in found[3]


def test_a_bucket_fills_again() -> None:
    now = 0.0
    rates = Rates(per_s=2, burst=2, clock=lambda: now)
    waits = [rates.wait_s("a") for _ in range(4)]
    now = 0.5
    again = [rates.wait_s("a") for _ in range(2)]

    assert waits == [0, 0, 0.5, 0.5]
    assert again == [0, 0.5]


def test_the_help_tells_the_limits_that_hold() -> None:
    told = " ".join(chapter("http").split())

    assert f"{door_module.BODY_BYTES_MAX // 1_000_000} MB, within a minute" in told
    assert f"a tool's call {door_module.MCP_BODY_BYTES_MAX // 1_000_000} MB" in told
    assert f"in a body | {bodies.VALUES_MAX:,}; in a tool's call {bodies.MCP_VALUES_MAX:,}" in told
    assert (bodies.BODY_S, limits.SEND_S, limits.HEAD_S) == (60, 60, 10)
    assert f"{serving.CONNECTIONS_MAX:,}, or as many" in told
    assert f"{limits.TOKEN_CONNECTIONS_MAX} of one token; {limits.STRANGERS_MAX} that showed none" in told
    assert f"{door_module.CALLS_PER_S:.0f} a second, {door_module.CALLS_BURST:,} at once" in told
    assert f"{door_module._AT_ONCE} at a time, {door_module._QUEUE} behind" in told
    assert f"{door_module._STREAMS_MAX} requests that are open" in told
    assert f"{serving.IDLE_S} seconds" in told
    questions = f"{open_questions.TOKEN_QUESTIONS_MAX} questions of one token are left open"
    assert f"{questions}, {open_questions.QUESTIONS_MAX:,} in all, each for {OPEN_QUESTION_MS_MAX // 1_000} s" in told


@pytest.mark.parametrize("host", ["nowhere.invalid", "256.1.1.1"])
def test_a_name_of_no_address_is_said(host: str) -> None:
    with pytest.raises(Invalid, match="is no address of this machine"):
        listening(host, 0)
