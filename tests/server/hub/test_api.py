"""The calls of edges: each service's methods by name, and what becomes of a call that makes no sense."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loomstack_mcp import __version__
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.permits import PERMITS
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.loom import Loom
from loomstack_mcp.server.hub.api import Api, ApiCall
from loomstack_mcp.server.hub.replies import error_reply
from loomstack_mcp.server.hub.versions import version_problem
from tests.hubs import ADMIN, Hub, made_token, mcp_call, running_hub

SHOP = Checkout(identity="github.com/acme/shop")
ANA = Caller(principal="somebody else", session="claude:s1", process="this:1:2:3")


@pytest.fixture(scope="module")
def ana(home: Path, hub: Hub) -> str:
    return made_token(home, "ana")


@pytest.fixture(scope="module")
def run(hub: Hub, ana: str) -> str:
    return started(hub, ana, ANA)


def started(hub: Hub, token: str, caller: Caller) -> str:
    told = hub.ask(token, "runs.start", caller=caller, checkout=SHOP, loop="loop", goal="goal", budget_tokens=800)
    assert told.status == 200, told.text
    return str(told.body["answer"]["run"]["id"])


def test_a_call_is_answered_as_the_service_does(hub: Hub, ana: str, run: str) -> None:
    wanted = {"patterns": ["src/"], "intent": "mine", "mode": "exclusive", "ttl_ms": 60_000}
    claimed = hub.ask(ana, "claims.claim_paths", caller=ANA, run_id=run, **wanted)
    held = hub.ask(ana, "claims.held", repo_id="github.com/acme/shop", limit=10)

    assert claimed.body["answer"]["claim"]["patterns"] == ["src/"]
    assert [claim["id"] for claim in held.body["answer"][0]] == [claimed.body["answer"]["claim"]["id"]]


def test_the_caller_is_the_tokens_owner_whatever_is_said(hub: Hub, ana: str, run: str) -> None:
    about = hub.ask(ana, "runs.details", run_id=run).body["answer"]["run"]

    assert (about["principal"], about["process"]) == ("ana", "")


def test_a_persons_word_is_the_tokens_owners_whatever_is_said(hub: Hub, ana: str, run: str) -> None:
    told = hub.ask(ana, "notes.add", checkout=SHOP, who="root", kind="fact", text="told", patterns=[], expires_hours=1)

    found = hub.ask(ana, "notes.latest", repo_id="github.com/acme/shop", limit=1, query="")

    assert told.status == 200
    assert "ana" in json.dumps(found.body)
    assert "root" not in json.dumps(found.body)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/nothing/here", 404, "not_found"),
        ("/api/claims/nothing", 404, "not_found"),
        ("/api/claims/__init__", 404, "not_found"),
        ("/api/notices/due", 404, "not_found"),
        ("/api/store/close", 404, "not_found"),
        ("/api/claims", 404, "not_found"),
        ("/api/claims/held/more", 404, "not_found"),
        ("/api/Claims/held", 404, "not_found"),
    ],
)
def test_what_is_no_call_is_not_found(hub: Hub, ana: str, path: str, status: int, code: str) -> None:
    answer = hub.send(path, {}, token=ana)

    assert (answer.status, answer.code) == (status, code)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "lacks limit, repo_id"),
        (b"[]", "no JSON object"),
        (b"{", "no JSON object"),
        (b'{"repo_id": NaN, "limit": 1}', "no JSON object"),
        (b"\xff\xfe", "no JSON object"),
        (b"[" * 100_000, "no JSON object"),
        (b'{"repo_id": "x", "repo_id": "y", "limit": 1}', "no JSON object"),
        (b'{"": "x", "limit": 1}', "takes no a name like that here"),
        (b'{"repo_id": "\\ud800", "limit": 1}', "repo_id: expected a text"),
        (b'{"repo_id": "x", "limit": "1"}', "limit: expected a whole number"),
        (b'{"repo_id": "x", "limit": true}', "limit: expected a whole number"),
        (b'{"repo_id": "x", "limit": 1, "self": 1}', "takes no self here"),
        (b'{"repo_id": "x", "limit": 1, "later": 1}', "takes no later here: the hub"),
        (b'{"repo_id": "x", "limit": 1, "<script>": 1}', "takes no a name like that here"),
        (b'{"repo_id": "x", "limit": 18446744073709551615}', "out of all bounds"),
        (b'{"repo_id": "x", "limit": ' + b"9" * 5_000 + b"}", "no JSON object"),
    ],
)
def test_a_call_that_makes_no_sense_is_invalid_and_says_why(hub: Hub, ana: str, body: bytes, said: str) -> None:
    answer = hub.send("/api/claims/held", body, method="POST", token=ana)

    assert (answer.status, answer.code) == (400, "invalid")
    assert said in answer.message


@pytest.mark.parametrize(
    ("name", "arguments", "status", "code"),
    [
        ("runs.details", {"run_id": "run_unknown"}, 404, "not_found"),
        ("claims.claim_paths", {"patterns": [], "intent": "x", "mode": "exclusive", "ttl_ms": 1}, 400, "invalid"),
        ("claims.claim_paths", {"patterns": ["x"] * 101, "intent": "x", "mode": "shared", "ttl_ms": 1}, 400,
         "limit_exceeded"),
        ("edits.hold", {"caller": ANA, "checkout": SHOP, "patterns": ["x"] * 100_001}, 400, "limit_exceeded"),
        ("claims.release_paths", {"claims": ["clm_unknown"]}, 404, "not_found"),
        ("repos.alias", {"checkout": SHOP, "name": "x"}, 403, "unauthorized"),
    ],
)  # fmt: skip
def test_an_error_keeps_its_code(
    hub: Hub, ana: str, run: str, name: str, arguments: dict[str, Any], status: int, code: str
) -> None:
    more = {"caller": ANA, "run_id": run} if name.startswith("claims.") else {}
    answer = hub.ask(ana, name, **more, **arguments)

    assert (answer.status, answer.code) == (status, code)


def test_an_answer_is_told_again_to_no_other_token(home: Path, hub: Hub, ana: str) -> None:
    run = started(hub, ana, replace(ANA, session="claude:s2"))  # which is stopped
    narrow, once = made_token(home, "ana", repos=("github.com/other/*",)), {"LoomStack_Request": "once-" + "x" * 20}
    told = [
        hub.send("/api/levers/stop_run", {"run_id": run, "why": "enough"}, token=token, **once)
        for token in (ana, ana, narrow)
    ]

    assert [one.status for one in told] == [200, 200, 400]
    assert told[1].body == told[0].body
    assert "goal" not in told[2].text


def test_a_session_of_unbounded_length_is_refused(hub: Hub, ana: str) -> None:
    answer = hub.ask(ana, "alerts.due", caller=Caller(principal="", session="s" * 5_000))

    assert (answer.status, answer.code) == (400, "limit_exceeded")


@pytest.mark.parametrize(
    ("checkout", "code"),
    [
        (Checkout(identity="github.com/acme/shop\n\x1b]0;x\x07"), "invalid"),
        (Checkout(identity="x" * 100_000), "invalid"),
        (Checkout(identity=""), "invalid"),
        (Checkout(identity="github.com/acme/shop", clone="clone:\x1b[2J"), "invalid"),
        (Checkout(identity="github.com/acme/shop", others=("a b",)), "invalid"),
        (Checkout(identity="github.com/acme/shop", others=("a",) * 5_000), "limit_exceeded"),
        (Checkout(identity="github.com/acme/shop", branch="b" * 20_000), "limit_exceeded"),
        (Checkout(identity="github.com/acme/shop", worktree="/w" * 20_000), "limit_exceeded"),
    ],
)
def test_a_checkout_that_no_worktree_is_is_refused(hub: Hub, ana: str, checkout: Checkout, code: str) -> None:
    answer = hub.ask(ana, "runs.start", caller=ANA, checkout=checkout, loop="l", goal="g", budget_tokens=800)

    assert (answer.status, answer.code) == (400, code)


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1])
def test_a_number_that_no_column_holds_is_invalid(loom: Loom, number: int) -> None:
    body = json.dumps({"repo_id": "x", "since": number, "limit": 1}).encode()
    with pytest.raises(Invalid, match="out of all bounds"):
        Api(loom).answer(ADMIN, ApiCall(name="events.since", body=body))


@pytest.mark.parametrize("limit", [-1, 10_001, 2**62])
def test_nobody_lists_all_that_there_is(hub: Hub, ana: str, limit: int) -> None:
    answer = hub.ask(ana, "events.latest", repo_id=SHOP.identity, limit=limit)

    assert (answer.status, "limit" in answer.message) == (400, True)


class Broken:
    def ids(self) -> tuple[str, ...]:
        raise KeyError("a secret")


class BrokenLoom(Loom):
    repos = Broken()  # type: ignore[assignment]


def test_what_nobody_foresaw_tells_nothing(loom: Loom) -> None:
    with pytest.raises(KeyError) as found:
        Api(BrokenLoom(loom.store, rework_max=3)).answer(ADMIN, ApiCall(name="repos.ids", body=b""))
    reply = error_reply(found.value)

    assert reply.status == 500
    assert json.loads(reply.body) == {
        "error": {"code": "internal", "message": "the call failed on the hub, whose log names the cause (KeyError)"}
    }


def test_a_token_sees_its_repos_alone(home: Path, hub: Hub, run: str) -> None:
    other = made_token(home, "bea", repos=("github.com/other/*",))
    ids = hub.ask(other, "repos.ids").body["answer"]
    details, unknown = (hub.ask(other, "runs.details", run_id=one) for one in (run, "run_zzzzzzzzzzzz"))

    assert ids == []
    assert (details.status, details.message) == (404, unknown.message.replace("run_zzzzzzzzzzzz", run))


def test_an_admin_makes_tokens_from_afar(home: Path, hub: Hub) -> None:
    admin = made_token(home, "root", "admin")
    made = hub.ask(admin, "tokens.create", owner="bea", role="agent").body["answer"]
    kept = (home / "loomstack").glob("loom*.db*")
    files = b"".join(file.read_bytes() for file in kept if file.is_file())

    assert hub.send("/api/hello", token=made["text"]).body["answer"]["principal"] == "bea"
    assert made["text"].encode() not in files


def test_hello_says_who_one_is(hub: Hub, ana: str) -> None:
    told = hub.send("/api/hello", token=ana).body["answer"]

    assert (told["version"], told["principal"], told["role"]) == (__version__, "ana", "developer")
    assert told["repos"] == ["**"]
    assert told["token"] in ana


def test_without_tokens_the_one_person_of_the_machine_is_served(home: Path, hub: Hub) -> None:
    own = (home / "loomstack" / "token").read_text()

    assert hub.send("/api/hello", token=own).body["answer"]["role"] == "admin"


@pytest.mark.parametrize("version", ["0.90.0", "9.0.0", "3.0"])
def test_a_version_too_far_away_hears_the_command_that_helps(hub: Hub, ana: str, version: str) -> None:
    answer = hub.send("/api/repos/ids", {}, token=ana, LoomStack_Version=version)

    assert answer.status == 426
    assert "pip install -U loomstack-mcp" in answer.message


def test_a_version_must_be_said(hub: Hub, ana: str) -> None:
    answer = hub.send("/api/repos/ids", {}, token=ana, LoomStack_Version=None)

    assert (answer.status, "LoomStack-Version" in answer.message) == (400, True)


def test_one_minor_version_apart_works_and_no_more() -> None:
    near = [version_problem(theirs, "0.8.2") for theirs in ("0.7.9", "0.8.0", "0.9.1", "0.9.0rc1")]
    behind, ahead, other = (version_problem(theirs, "0.8.2") for theirs in ("0.6.9", "0.10.0", "1.8.0"))

    assert near == ["", "", "", ""]
    assert "where you are" in behind
    assert "ask its admin" in ahead
    assert "ask its admin" in other


def test_every_permitted_method_is_there_and_can_be_told(loom: Loom) -> None:
    """Each is called with nothing: what comes back is a refusal of the call's arguments, or an answer."""
    api = Api(loom)
    said: dict[str, str] = {}
    for name in PERMITS:
        try:
            said[name] = api.answer(ADMIN, ApiCall(name=name, body=b"{}", request="x" * 36)).body.decode()
        except Exception as error:  # noqa: BLE001 told below
            said[name] = f"{type(error).__name__}: {error}"

    assert [name for name, text in said.items() if text.startswith(("KeyError", "TypeError", "AttributeError"))] == []


def test_what_nobody_foresaw_is_told_to_the_log_alone(tmp_path: Path) -> None:
    token = made_token(tmp_path, "ana")
    with running_hub(tmp_path) as hub:
        hub.ask(token, "runs.start", caller=ANA, checkout=SHOP, loop="loop", goal="goal", budget_tokens=800)
        with closing(sqlite3.connect(tmp_path / "loomstack" / "loom.db")) as store, store:
            store.execute("UPDATE run SET paths = '{'")
        over_api = hub.ask(token, "runs.latest", repo_id="github.com/acme/shop", limit=1)
        over_mcp = mcp_call(hub, token, "start_run", session="s", loop="loop", goal="g", repo="github.com/acme/shop")
        told = json.dumps(over_mcp)
        said = hub.stop()

    named = "the call failed on the hub, whose log names the cause (JSONDecodeError)"
    assert (over_api.code, over_api.message) == ("internal", named)
    assert "internal: the call failed and nothing was written; the server's log names the cause" in told, told
    assert said.count("JSONDecodeError") >= 2
    assert "JSONDecodeError" not in told


@pytest.mark.parametrize(
    ("name", "more", "most"),
    [
        ("edits.hold", {"patterns": 5_001}, "5000"),
        ("blockers.blockers", {"patterns": 50_001}, "50000"),
        ("commits.held_by_others", {"paths": 50_001}, "50000"),
        ("edits.settle", {"paths": 50_001}, "50000"),
        ("glances.closer_look", {"patterns": 1, "files": 50_001}, "50000"),
    ],
)
def test_no_call_names_so_many_files_that_others_wait(
    hub: Hub, ana: str, name: str, more: dict[str, int], most: str
) -> None:
    listed = {one: ["a"] * count for one, count in more.items()}
    refused = hub.ask(ana, name, caller=ANA, checkout=SHOP, **listed)

    assert (refused.code, most in refused.message) == ("limit_exceeded", True), refused.text


def test_no_call_names_so_many_rewritten_commits_that_others_wait(hub: Hub, ana: str) -> None:
    refused = hub.ask(ana, "commits.rebind_commits", checkout=SHOP, rewritten=[["a", "b"]] * 50_001)

    assert (refused.code, "the number of rewritten is 50001" in refused.message) == ("limit_exceeded", True)
