"""Services over a hub answer as over a store, and say why where they cannot."""

import re
import socket
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loomstack_mcp.adapters.hub_tokens import named_token
from loomstack_mcp.adapters.machine import Machine
from loomstack_mcp.adapters.settings import Settings, hub_of, load_settings
from loomstack_mcp.adapters.user import hub_origin
from loomstack_mcp.core.errors import NotFound, StoreUnavailable, Unauthorized
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.loom import Loom, open_loom
from tests.remote.hubs import OTHER, TOKEN, Hub, a_hub, joined, opened

ME = Caller(principal="whoever", session="claude:s-1", process="boot pid:[1] 4711 99", folder="/home/ana/shop")
_PROCESS = re.compile(rb"(?<![0-9a-f])471[12](?![0-9a-f])")
"""A process's number as such: as a part of a hash it tells nothing."""
SHOP = Checkout(identity="host/shop", clone="clone:0123", branch="main", worktree="/home/ana/shop")


def names_a_process(hub: Hub) -> bool:
    return any(_PROCESS.search(body) for _, body in hub.sent)


def test_two_people_on_two_machines_meet_in_a_hub(tmp_path: Path, hub: Hub, edge: Loom) -> None:
    with opened(joined(tmp_path / "bea", hub, token=OTHER)) as bea:
        run = edge.runs.start(ME, SHOP, loop="prices", goal="gross", budget_tokens=800).run
        held = edge.claims.claim_paths(ME, run.id, patterns=["src/"], intent="x", mode="exclusive", ttl_ms=60_000)
        theirs = bea.runs.start(replace(ME, session="s-2"), SHOP, loop="other", goal="net", budget_tokens=800).run
        found = bea.claims.claim_paths(
            replace(ME, session="s-2"), theirs.id, patterns=["src/a.py"], intent="y", mode="exclusive", ttl_ms=60_000
        )

    assert held.claim
    assert (run.principal, theirs.principal) == ("ana", "bea")
    assert [(blocker.loop, blocker.who) for blocker in found.blockers] == [("prices", "ana")]


def test_what_goes_on_is_told_at_an_edge_as_at_the_hub(hub: Hub, edge: Loom) -> None:
    run = edge.runs.start(ME, SHOP, loop="prices", goal="gross", budget_tokens=800).run
    edge.claims.claim_paths(ME, run.id, patterns=["src/"], intent="x", mode="exclusive", ttl_ms=60_000)
    repo_id = edge.repos.id_of(SHOP)
    here, there = edge.live.live(repo_id), hub.loom.live.live(repo_id)
    [mine], [own] = ([one for lane in live.lanes for one in lane.runs] for live in (here, there))
    health = edge.loops.health(repo_id, limit=9)

    assert replace(mine, run=own.run, claims=own.claims) == own
    assert ([claim.patterns for claim in mine.claims], here.cursor) == ([("src/",)], there.cursor)
    assert health.loops[0].last_run == run.id
    assert edge.decisions.latest(repo_id, limit=9)[0] == ()
    assert edge.conflicts.latest(repo_id, limit=9)[0] == ()


def test_an_error_comes_back_as_it_was(edge: Loom) -> None:
    with pytest.raises(NotFound, match="claim clm_nope is unknown") as found:
        edge.levers.about_claim("clm_nope")

    assert found.value.code == "not_found"


@pytest.mark.parametrize(
    ("status", "headers", "body", "said"),
    [
        (
            200,
            {"Content-Type": "text/html"},
            b"<html>Accept the terms</html>",
            "no hub: it answered 200 with text/html",
        ),
        (302, {"Location": "https://evil.example/"}, b"", "is no hub: it leads to https://evil.example/"),
        (200, {}, b"[]", "JSON that is no object"),
        (200, {}, b"{}", "answered repos.ids with what is none: it says nothing"),
        (200, {}, b'{"answer": {"a": 1}}', "answered repos.ids with what is none: expected a list"),
        (200, {}, b'{"answer": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "not JSON"),
        (200, {}, b'{"answer": ' + b"[" * 700 + b"]" * 700 + b"}", "answered repos.ids with what is none"),
        (500, {}, b'{"error": "x"}', "it answered 500"),
        (200, {"Transfer-Encoding": "gibberish"}, b"", "not JSON"),
        (
            426,
            {},
            b'{"error": {"code": "too_old", "message": "run `pip install -U loomstack-mcp`"}}',
            "run `pip",
        ),
        (503, {}, b'{"error": {"code": "store_unavailable", "message": "stopping"}}', "stopping"),
    ],
)
def test_what_is_no_answer_of_a_hub_is_none(
    hub: Hub, edge: Loom, status: int, headers: dict[str, str], body: bytes, said: str
) -> None:
    hub.told = [(status, headers, body)]

    with pytest.raises(StoreUnavailable) as found:
        edge.repos.ids()

    assert said in str(found.value)
    assert TOKEN not in str(found.value)


def test_a_proxy_without_a_hub_behind_it_says_that_the_hub_is_away(hub: Hub, edge: Loom, tmp_path: Path) -> None:
    hub.told = [(502, {"Content-Type": "text/html"}, b"<html>Bad Gateway</html>")] * 2

    with pytest.raises(StoreUnavailable, match=r"is away \(what stands before it answers 502\); nothing was kept"):
        edge.repos.ids()


def test_a_token_that_is_dead_is_said_with_the_command_that_helps(hub: Hub, edge: Loom) -> None:
    hub.people = {}

    with pytest.raises(Unauthorized, match="no such token; `loomstack-mcp init --hub http://127"):
        edge.repos.ids()


def test_an_answer_that_was_lost_is_asked_for_again_and_done_once(hub: Hub, edge: Loom) -> None:
    run = edge.runs.start(ME, SHOP, loop="prices", goal="gross", budget_tokens=800).run
    hub.sent.clear()
    hub.drops = 1

    note = edge.notes.share(ME, run.id, text="meant", kind="decision")
    hub.drops = 1
    seen = edge.repos.ids()

    assert [path for path, _ in hub.sent] == ["/api/notes/share"] * 2 + ["/api/repos/ids"] * 2
    assert hub.requests[-4] == hub.requests[-3] != ""
    assert len(hub.loom.notes.latest(run.repo_id, limit=9)[0]) == 1
    assert (bool(note), seen) == (True, (run.repo_id,))


def test_an_answer_that_never_came_is_told_as_unknown_where_it_matters(hub: Hub, edge: Loom) -> None:
    run = edge.runs.start(ME, SHOP, loop="prices", goal="gross", budget_tokens=800).run
    hub.drops = 2
    with pytest.raises(StoreUnavailable, match="may have been done: look before you ask for it anew"):
        edge.notes.share(ME, run.id, text="meant", kind="decision")
    hub.drops = 2
    with pytest.raises(StoreUnavailable, match="Ask again"):
        edge.repos.ids()


def test_a_connection_that_was_idle_for_long_is_not_asked_any_more(
    hub: Hub, edge: Loom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its end may be unheard: the machine slept, or whoever stood between forgot it."""
    asleep_s = 0.0
    wall = time.time
    monkeypatch.setattr(time, "time", lambda: wall() + asleep_s)
    edge.repos.ids()
    edge.repos.ids()
    before = hub.connections
    asleep_s = 3_600.0
    edge.repos.ids()

    assert (before, hub.connections) == (1, 2)


def test_a_hub_that_is_away_is_said_so_and_the_session_goes_on_when_it_is_back(tmp_path: Path) -> None:
    with a_hub(tmp_path) as hub:
        home = joined(tmp_path / "home", hub)
        edge = opened(home)
        run = edge.runs.start(ME, SHOP, loop="prices", goal="gross", budget_tokens=800).run
        port = int(hub.url.rpartition(":")[2])
    with pytest.raises(StoreUnavailable, match="nothing was kept elsewhere instead"):
        edge.claims.claim_paths(ME, run.id, patterns=["src/"], intent="x", mode="exclusive", ttl_ms=60_000)
    with a_hub(tmp_path, port=port):
        held = edge.claims.claim_paths(ME, run.id, patterns=["src/"], intent="x", mode="exclusive", ttl_ms=60_000)
        edge.close()

    assert held.run == run.id
    assert sorted(path.name for path in home.iterdir() if path.suffix == ".db") == ["edge.db"]


def test_a_hub_that_takes_calls_and_never_answers_is_away_in_time(tmp_path: Path, hub: Hub) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        home = joined(tmp_path / "home", replace(hub, url=f"http://127.0.0.1:{silent.getsockname()[1]}"))
        with opened(home) as edge, pytest.raises(StoreUnavailable, match="is away"):
            edge.repos.ids()


def test_a_token_goes_to_no_other_origin(tmp_path: Path, hub: Hub) -> None:
    home = joined(tmp_path / "home", hub)
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(0.2)
        elsewhere = f"http://127.0.0.1:{other.getsockname()[1]}"
        named = load_settings({}, environment={"LOOMSTACK_HOME": str(home), "LOOMSTACK_STORE": elsewhere})
        with open_loom(named) as edge, pytest.raises(Unauthorized, match=f"no token for {elsewhere} is kept here"):
            edge.repos.ids()
        with pytest.raises(TimeoutError):
            other.accept()


@pytest.mark.parametrize("mode", [0o644, 0o640])
def test_a_file_of_tokens_that_others_may_read_is_none(tmp_path: Path, hub: Hub, mode: int) -> None:
    home = joined(tmp_path / "home", hub)
    (home / "hub-tokens.json").chmod(mode)

    with opened(home) as edge, pytest.raises(Unauthorized, match="no token"):
        edge.repos.ids()


def test_the_environment_names_a_token_only_with_its_store_and_outside_of_clients() -> None:
    both = {"LOOMSTACK_STORE": "https://hub.example", "LOOMSTACK_TOKEN": TOKEN}

    assert named_token(both, "https://hub.example") == TOKEN
    assert named_token(both, "https://other.example") == ""
    assert named_token({"LOOMSTACK_TOKEN": TOKEN}, "https://hub.example") == ""
    assert named_token({**both, "CLAUDECODE": "1"}, "https://hub.example") == ""
    assert named_token({**both, "CODEX_THREAD_ID": ""}, "https://hub.example") == ""


@pytest.mark.parametrize(
    ("store", "origin"),
    [
        ("https://Hub.Example/", "https://hub.example"),
        ("https://hub.example:443", "https://hub.example"),
        ("https://hub.example:8443", "https://hub.example:8443"),
        ("https://[::1]:8443", "https://[::1]:8443"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("http://localhost:1", "http://localhost:1"),
        ("http://hub.example", ""),
        ("http://127.0.0.1.evil.example", ""),
        ("https://user:password@hub.example", ""),
        ("https://hub.example/path", ""),
        ("https://hub.example?x", ""),
        ("https://hub.example:port", ""),
        ("https://", ""),
        ("sqlite:////x", ""),
        ("/x", ""),
    ],
)
def test_a_hub_is_an_origin_and_nothing_more(store: str, origin: str) -> None:
    assert hub_origin(store) == origin


def test_a_url_that_is_no_hub_s_is_refused_without_its_password() -> None:
    with pytest.raises(StoreUnavailable, match="is no hub's: write https") as found:
        hub_of(Settings(store="https://ana:secret@hub.example/x"))

    assert "secret" not in str(found.value)


def test_the_same_path_on_two_machines_is_two_worktrees_and_two_clones(tmp_path: Path) -> None:
    folder = replace(SHOP, identity="folder:0123456789abcdef", others=("clone:9", "host/old"))
    one, same, two = (Machine(str(tmp_path / name)).outward(folder) for name in ("a", "a", "b"))

    assert one == same
    assert not {one.identity, one.clone, one.worktree, one.others[0]} & {
        two.identity,
        two.clone,
        two.worktree,
        two.others[0],
    }
    assert one.others[1] == "host/old"
    assert "/home" not in repr(one)
    assert Machine(str(tmp_path / "a")).inward({"runs": [{"worktree": one.worktree}]}) == {
        "runs": [{"worktree": SHOP.worktree}]
    }
    assert Machine(str(tmp_path / "a")).inward([{"worktree": "/dev"}, {"worktree": SHOP.worktree}]) == [
        {"worktree": "elsewhere:/dev"},
        {"worktree": SHOP.worktree},
    ]


def test_a_session_that_only_its_process_names_goes_by_a_hash_of_it(hub: Hub, edge: Loom) -> None:
    unnamed = replace(ME, session="process:4711-0a1b2c3d")
    runs = [edge.runs.start(unnamed, SHOP, loop=loop, goal="g", budget_tokens=800).run for loop in ("a", "b")]

    assert len({run.session for run in runs}) == 1
    assert not names_a_process(hub)


def test_a_client_that_ended_and_is_started_anew_goes_on_with_its_run(hub: Hub, edge: Loom) -> None:
    asked: dict[str, Any] = {"loop": "a", "goal": "g", "budget_tokens": 800}
    first = edge.runs.start(ME, SHOP, **asked).run
    anew = replace(ME, process="boot pid:[1] 4712 100")
    beside_it = edge.runs.start(anew, SHOP, **asked)
    edge.runs.shorten(ME)
    untouched = edge.runs.details(beside_it.run.id).run
    again = edge.runs.start(anew, SHOP, **asked)
    once_more = edge.runs.start(anew, SHOP, **asked)

    assert (beside_it.resumed, untouched) == (False, beside_it.run)
    assert (again.resumed, again.run.id) == (True, first.id)
    assert once_more.resumed is False
    assert not names_a_process(hub)


def test_what_a_hub_keeps_to_itself_is_said_so(edge: Loom) -> None:
    with pytest.raises(StoreUnavailable, match=r"notices\.take is not for edges"):
        edge.notices.take()


def test_a_session_that_goes_on_under_another_id_is_known_by_its_call(edge: Loom) -> None:
    cleared = replace(ME, session="claude:s-2", agent="a1")
    edge.sightings.saw_call(cleared, "toolu_1")

    assert edge.sightings.known_caller(replace(ME, folder=""), "toolu_1") == replace(cleared, process=ME.process)
    assert edge.sightings.known_caller(ME, "toolu_2") == ME
