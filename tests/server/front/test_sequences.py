"""What lasts: calls that wait, are taken back and are cut off, subscriptions, and every end of a session."""

import json
import signal
from pathlib import Path

import pytest

from tests.deadlines import seconds
from tests.server.front.made import METHODS
from tests.server.front.sides import META, SDK, Json, Pair
from tests.wire import Server

OTHER: Json = {"threadId": "other", "sessionId": "other"}
"""Names another session on the same pipe, as Codex does."""
WAITING: Json = {
    "name": "claim_paths",
    "arguments": {"paths": ["src/a.py"], "intent": "mine next", "wait_seconds": 40},
    "_meta": {**OTHER, "progressToken": "t"},
}


UNKNOWN: tuple[object, ...] = (43, None, True, 41.0, [41], {})
"""No id of a request that waits."""


def held(pair: Pair) -> Pair:
    """A file is held, and another run is there to want it."""
    pair.initialize()
    pair.call("start_run", loop="holder", goal="hold")
    started: Json = {"name": "start_run", "arguments": {"loop": "waiter", "goal": "wait"}, "_meta": OTHER}
    pair.request("tools/call", started)
    pair.call("claim_paths", paths=["src/a.py"], intent="mine")
    return pair


def cancelled(request: object) -> Json:
    return {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": request, "reason": "gone"}}


def test_a_cancelled_call_leaves_the_queue_and_is_never_answered(tmp_path: Path, shop: Path) -> None:
    with held(Pair(tmp_path, shop)) as pair:
        ids: list[tuple[str | int, str | int]] = [(41, 41), (42, "42"), ("w", "w")]
        for count, (number, named) in enumerate(ids, start=1):
            pair.start("tools/call", WAITING, number)
            pair.happened("claim.refused", count)
            for other in UNKNOWN:
                pair.send(cancelled(other))
            pair.send(cancelled(named))
            pair.happened("claim.withdrawn", count)

        assert "now_free_for" not in pair.call("release_paths")
        assert pair.ended() == []


def test_an_id_in_use_twice_is_answered_twice(tmp_path: Path, shop: Path) -> None:
    with held(Pair(tmp_path, shop)) as pair:
        pair.start("tools/call", WAITING, 7)
        pair.happened("claim.refused")
        assert [answer["id"] for answer in pair.line(b'{"jsonrpc":"2.0","id":7,"method":"ping"}\n')] == [7]

        assert [answer["result"]["structuredContent"]["granted"] for answer in pair.ended()] == [False]


def test_what_is_owed_at_the_end_of_stdin_is_answered(tmp_path: Path, shop: Path) -> None:
    with held(Pair(tmp_path, shop)) as pair:
        pair.start("tools/call", WAITING, 7)
        pair.happened("claim.refused")
        answers = pair.ended()

    assert [answer["result"]["structuredContent"]["granted"] for answer in answers] == [False]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_cuts_calls_off(tmp_path: Path, shop: Path, number: signal.Signals) -> None:
    with held(Pair(tmp_path, shop)) as pair:
        pair.start("tools/call", WAITING, 7)
        pair.happened("claim.refused")
        for side in pair.sides:
            side.server.process.send_signal(number)
            side.server.process.wait(30)

        assert pair.ended() == []


def test_subscribers_hear_of_changes_by_other_processes(tmp_path: Path, shop: Path) -> None:
    wanted: Json = {"_meta": META, "notifications": {"resourceSubscriptions": ["loom://claims", "loom://nope"]}}
    with Pair(tmp_path, shop, modern=True) as pair:
        pair.request("resources/list", {"_meta": META})
        pair.start("subscriptions/listen", wanted, "first")
        acknowledged, newcomer = pair.updates("first", 2)
        for side in pair.sides:
            claimed_elsewhere(pair, side.home)
        [changed] = pair.updates("first", 1)
        pair.send(cancelled("first"))
        pair.start("subscriptions/listen", wanted, 2)
        again = pair.updates(2, 2)
        ends = pair.ended()

    assert acknowledged["method"] == "notifications/subscriptions/acknowledged"
    assert newcomer == changed == {**again[1], "params": newcomer["params"]}
    assert [end["error"]["code"] for end in ends] == [-32000]


def claimed_elsewhere(pair: Pair, home: Path) -> None:
    """A process of its own claims a file of a side's repository."""
    with Server(list(SDK), env=pair.env(home), cwd=home / "shop") as server:
        server.initialize()
        server.answer("start_run", loop="elsewhere", goal="claim")
        server.answer("claim_paths", paths=["src/b.py"], intent="mine")


def test_two_that_listen_under_one_id_are_both_answered(tmp_path: Path, shop: Path) -> None:
    with Pair(tmp_path, shop, modern=True) as pair:
        for _ in range(2):
            pair.start("subscriptions/listen", {"_meta": META, "notifications": {}}, 5)

        assert [end["id"] for end in pair.ended() if "error" in end] == [5, 5]


@pytest.mark.parametrize("flags", [
    {}, {"toolsListChanged": True, "promptsListChanged": False, "resourcesListChanged": True}, {"foo": 1},
    {"toolsListChanged": "yes"}, {"toolsListChanged": 1}, {"toolsListChanged": "maybe"}, {"toolsListChanged": 2},
    {"resourceSubscriptions": []}, {"resourceSubscriptions": "loom://runs"}, {"resourceSubscriptions": [7]},
    {"resourceSubscriptions": None}, None, 7,
])  # fmt: skip
def test_what_a_subscription_wants_is_read_alike(tmp_path: Path, shop: Path, flags: object) -> None:
    with Pair(tmp_path, shop, modern=True) as pair:
        pair.request("resources/list", {"_meta": META})
        pair.start("subscriptions/listen", {"_meta": META, "notifications": flags}, 5)
        pair.line(b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
        pair.start("subscriptions/listen", {"_meta": META}, 6)

        assert pair.ended()


def test_what_is_unknown_disturbs_no_call_that_waits(tmp_path: Path, shop: Path) -> None:
    with held(Pair(tmp_path, shop)) as pair:
        pair.start("tools/call", WAITING, 7)
        pair.happened("claim.refused")
        for method in ("foo/bar", "tasks/list", "resources/subscribe"):
            assert pair.request(method, {"uri": "loom://runs"})["error"]["code"] == -32601
        pair.start("tools/call", {"name": "release_paths", "arguments": {}}, 8)
        pair.happened("claim.granted", 2)
        answers = {answer["id"]: answer["result"]["structuredContent"] for answer in pair.ended()}

    assert answers[7]["granted"]
    assert answers[8]["now_free_for"] == ["run_00000001"]


def test_what_is_unknown_disturbs_no_subscription(tmp_path: Path, shop: Path) -> None:
    wanted: Json = {"_meta": META, "notifications": {"resourceSubscriptions": ["loom://claims"]}}
    with Pair(tmp_path, shop, modern=True) as pair:
        pair.request("resources/list", {"_meta": META})
        pair.start("subscriptions/listen", wanted, 1)
        pair.updates(1, 2)
        pair.request("foo/bar", {"_meta": META})
        for side in pair.sides:
            claimed_elsewhere(pair, side.home)

        assert pair.updates(1, 1)[0]["method"] == "notifications/resources/updated"


@pytest.mark.parametrize("how", ["eof", signal.SIGTERM])
def test_an_end_right_after_what_is_unknown(tmp_path: Path, shop: Path, how: str | signal.Signals) -> None:
    with held(Pair(tmp_path, shop)) as pair:
        pair.start("tools/call", WAITING, 7)
        pair.happened("claim.refused")
        pair.start("foo/bar", {}, 8)
        if isinstance(how, signal.Signals):
            pair.request("ping")
            for side in pair.sides:
                side.server.process.send_signal(how)
                side.server.process.wait(seconds(5))  # it is the signal that ends it, not the end of its stdin

        assert {answer["id"] for answer in pair.ended()} == ({7, 8} if how == "eof" else set())


def test_a_request_without_an_id_is_not_done(tmp_path: Path, shop: Path) -> None:
    with held(Pair(tmp_path, shop)) as pair:
        for method in METHODS:
            for params in (
                None,
                WAITING,
                {"uri": "loom://runs"},
                {"requestId": 1},
                {"progressToken": 1, "progress": 1},
            ):
                pair.line(json.dumps({"jsonrpc": "2.0", "method": method, "params": params}).encode() + b"\n")
        seen = pair.request("resources/read", {"uri": "loom://activity"})["result"]["contents"][0]["text"]

    assert "claim.refused" not in seen


def test_all_in_one_write_is_answered_whatever_the_order(tmp_path: Path, shop: Path) -> None:
    with Pair(tmp_path, shop) as pair:
        info = {"name": "test", "version": "1"}
        opening = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": info}
        started = {"name": "start_run", "arguments": {"loop": "triage", "goal": "green"}}
        pair.start("initialize", opening, "i")
        pair.start("tools/call", started, "s")
        pair.start("resources/list", {}, "l")

        assert {answer["id"]: "result" in answer for answer in pair.ended()} == {"i": True, "s": True, "l": True}


def test_a_difference_is_told(tmp_path: Path, shop: Path) -> None:
    with Pair(tmp_path, shop) as pair:
        pair.initialize()
        pair.sides[0].send(b'{"jsonrpc":"2.0","id":7,"method":"ping"}\n')

        with pytest.raises(AssertionError, match="answers otherwise"):
            pair.request("ping")
