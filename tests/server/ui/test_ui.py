"""`ui` as its person uses it: a real process on loopback, real sessions beside it, and others who may see nothing."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_approvals import PEOPLE, RULES
from tests.conftest import Run, commit_all
from tests.dashboards import OTHER_ACCOUNTS, Page, Ui, first_files, running_ui
from tests.wire import Server


@pytest.fixture
def ruled(shop: Path) -> Path:
    """A repository whose trunk has rules, and says who is who."""
    (shop / "policies").mkdir()
    (shop / "policies/shop.yaml").write_text(RULES)
    (shop / ".loomstack").mkdir()
    (shop / ".loomstack/people.yaml").write_text(PEOPLE)
    commit_all(shop)
    return shop


@pytest.fixture
def agent(ruled: Path, serve: Callable[..., Server]) -> Server:
    server = serve()
    server.answer("start_run", loop="triage", goal="<script>green</script>", paths=["src/**"])
    server.answer("claim_paths", paths=["src/a.py"], intent="because")
    return server


@pytest.fixture
def ui(agent: Server, ruled: Path, tmp_path: Path) -> Iterator[Ui]:
    with running_ui(tmp_path, ruled) as running:
        yield running


def asked(agent: Server) -> str:
    """The question that waits, once the agent has asked."""
    return str(agent.answer("check_policy", action="edit", paths=["billing/a.py"])["approval"])


def test_a_page_shows_what_the_commands_show_and_hears_at_once_what_happens(
    ui: Ui, agent: Server, loomstack: Run
) -> None:
    page = ui.page()
    told = {
        name: json.loads(loomstack(*command, "--json").stdout)
        for name, command in (("claims", ["claims"]), ("events", ["events"]))
    }
    shown = {name: page.get(name).body for name in ("claims", "events", "claims/tree", "live", "inbox", "repos")}
    [lane] = shown["live"]["lanes"]
    [run] = lane["runs"]
    one = page.get(f"runs/{run['run']}")
    with_claim = page.get("claims")
    again = page.get("claims", If_None_Match=with_claim.headers["etag"])
    traced = page.get("trace/src%2Fa.py:1?full=1")
    unknown = page.get("trace/nothing%20here")
    stream = page.stream()
    hello = stream.message()
    agent.answer("share_context", kind="fact", text="a fact")
    news = stream.message()
    stream.close()

    assert {name for row in shown["claims"]["rows"] for name in row} == set(told["claims"][0])
    assert [row["claim"] for row in shown["claims"]["rows"]] == [row["claim"] for row in told["claims"]]
    assert [row["seq"] for row in shown["events"]["rows"]] == [row["seq"] for row in told["events"]]
    assert shown["claims/tree"]["tree"]["below"][0]["path"] == "src"
    assert (run["goal"], lane["loop"]) == ("<script>green</script>", "triage")
    assert one.body["claims"][0]["claim"] == told["claims"][0]["claim"]
    assert one.headers["content-type"] == "application/json"
    assert (again.status, again.text) == (304, "")
    assert (traced.body["kind"], traced.body["unattributed"]) == ("line", True)
    assert (unknown.status, unknown.code) == (404, "not_found")
    assert (hello["event"], hello["seq"]) == ("hello", shown["events"]["cursor"])
    assert (news["event"], news["kinds"], news["runs"]) == ("change", ["note.shared"], [run["run"]])
    assert page.get("claims", If_None_Match=with_claim.headers["etag"]).status == 200
    assert "green" not in ui.stop()


def test_whoever_missed_much_or_comes_from_another_store_reads_everything_anew(ui: Ui, agent: Server) -> None:
    page = ui.page()
    now = page.get("events").body["cursor"]
    told = []
    for seen in (now, now - 1, now + 5, 0):
        stream = page.stream(seen=seen)
        told.append(stream.message()["event"])
        stream.close()

    assert told == ["hello", "change", "reset", "change"]
    assert agent.process.poll() is None


def test_only_the_printed_link_opens_it_and_what_it_opens_is_open_to_all(ui: Ui) -> None:
    stranger = Page(ui.port)
    shells = [stranger.get(path) for path in ("/", "/inbox", "/trace/src%2Fa.py:1", "/runs/run_1")]
    scripts = re.findall(r'"(/static/v-[^"]+)"', shells[0].text)
    files = [stranger.get(path, Accept_Encoding="gzip") for path in scripts]
    paths = ["live", "claims", "claims/tree", "inbox", "events", "repos", "runs/run_1", "events/stream"]
    answers = [stranger.get(path) for path in paths]
    wrong = [stranger.post("session", key="x" * 32) for _ in range(15)]
    page = ui.page()
    stolen = Page(ui.port, cookie=page.cookie[:-2])

    assert sum(size for _, size in first_files(page)) <= 15_000
    assert {(one.status, one.text) for one in shells} == {(200, shells[0].text)}
    assert {one.headers["cache-control"] for one in files} == {"public, max-age=31536000, immutable"}
    assert "frame-ancestors 'none'" in shells[0].headers["content-security-policy"]
    assert {answer.status for answer in answers} == {401}
    assert stranger.get("me").body["repos"] == []
    assert {(one.status, one.headers.get("set-cookie")) for one in wrong} == {(401, None)}
    assert stolen.get("live").status == 401
    assert page.get("live").status == 200
    assert page.post("session/end").status == 200
    assert Page(ui.port, cookie=page.cookie).get("live").status == 401


@pytest.mark.skipif(not OTHER_ACCOUNTS, reason="root alone comes as another account, on Linux")
def test_another_account_that_was_sent_our_cookie_sees_nothing_with_it(ui: Ui) -> None:
    page = ui.page()
    status, said = page.foreign_get("live")

    assert (status, b"another account" in said) == (403, True)
    assert page.get("live").status == 200


def test_who_types_the_terminals_code_decides_once_with_it(ui: Ui, agent: Server) -> None:
    question = asked(agent)
    page = ui.page()
    [waiting] = page.rows("inbox")
    told = {"verdict": "approve", "digest": waiting["digest"], "why": "the prices are right"}
    before = page.post(f"inbox/{question}", told)
    wanted = page.post("session", code="")
    code = ui.code()
    other = ui.page()
    signed = page.post("session", code=code)
    reused = other.post("session", code=code)
    changed = page.post(f"inbox/{question}", {**told, "digest": "0" * 64})
    only_cookie = Page(ui.port, cookie=page.cookie).post(f"inbox/{question}", told)
    answered = page.post(f"inbox/{question}", told)

    assert (waiting["may"], waiting["shown"][0], waiting["rules"][0]["rule"]) == (
        True,
        "edit billing/a.py",
        "billing-asks",
    )
    assert (before.status, wanted.status, signed.status, reused.status) == (401, 401, 200, 401)
    assert page.get("me").body["may_decide"] is True
    assert other.get("me").body["may_decide"] is False
    assert (changed.status, only_cookie.status) == (400, 401)
    assert (answered.status, answered.body) == (200, {"id": question, "state": "granted", "by": "dana"})
    assert agent.answer("check_policy", action="edit", paths=["billing/a.py"])["effect"] == "allow"
    assert page.rows("inbox") == []
    assert page.post(f"inbox/{question}", told).status == 400
    assert code in ui.stop()


def test_a_code_that_was_guessed_at_holds_no_more(ui: Ui) -> None:
    page = ui.page()
    page.post("session", code="")
    code = ui.code()
    wrong = "00000000" if code != "0000-0000" else "11111111"
    tried = [page.post("session", code=wrong) for _ in range(5)]
    late = page.post("session", code=code)
    flood = [page.post("session", code="").status for _ in range(12)]

    assert {answer.status for answer in tried} == {401}
    assert late.status == 401
    assert 429 in flood
    assert page.get("me").body["signed_in"] is False
    assert len(ui.codes()) <= 2


def test_a_terminal_that_stands_still_keeps_no_page_waiting(ui: Ui) -> None:
    page = ui.page()
    ui.type("\x13")  # Ctrl-S
    asked = page.post("session", code="")
    read = page.get("live")
    codes = ui.codes()
    ui.type("\x11")
    astray = page.get("/nowhere", accept="text/html")

    assert (asked.status, read.status, codes) == (401, 200, [])
    assert page.post("session", code=ui.code()).status == 200
    assert (astray.status, "All pages begin at" in astray.text) == (404, True)


@pytest.mark.parametrize(("given", "terminal"), [({"CLAUDECODE": "1"}, True), ({}, False)])
def test_no_code_is_shown_to_an_agent_nor_without_a_terminal(
    agent: Server, ruled: Path, tmp_path: Path, given: dict[str, str], *, terminal: bool
) -> None:
    question = asked(agent)
    with running_ui(tmp_path, ruled, terminal=terminal, **given) as ui:
        page = ui.page()
        refused = page.post("session", code="")
        me = page.get("me").body
        decided = page.post(f"inbox/{question}", {"verdict": "approve"})

        assert (refused.status, decided.status) == (401, 403)
        assert (me["reads"], me["may_decide"]) == (True, False)
        assert "loomstack-mcp approve" in me["why_not"]
        assert ui.stop() == ""


def _forged(page: Page) -> dict[str, Any]:
    """What pages of others have a browser send, each with the status that it gets."""
    end = "session/end"
    evil, near = "http://evil.example", f"http://127.0.0.1:{page.port + 1}"
    return {
        "another site": (page.post(end, headers={"Origin": evil, "Sec-Fetch-Site": "cross-site"}).status, 403),
        "another port": (page.post(end, headers={"Origin": near, "Sec-Fetch-Site": "same-site"}).status, 403),
        "another port, silent": (page.post(end, headers={"Origin": near, "Sec-Fetch-Site": None}).status, 403),
        "no origin at all": (page.post(end, headers={"Origin": None, "Sec-Fetch-Site": None}).status, 403),
        "a null origin": (page.post(end, headers={"Origin": "null", "Sec-Fetch-Site": None}).status, 403),
        "a form": (page.post(end, headers={"Content-Type": "text/plain"}).status, 415),
        "read by another site": (page.get("live", Sec_Fetch_Site="cross-site").status, 403),
        "read by another port": (page.get("live", Sec_Fetch_Site="same-site").status, 403),
        "another name": (Page(page.port, host="evil.example", cookie=page.cookie).get("live").status, 421),
        "odd name": (page.get("live?colour=red").status, 400),
        "a name twice": (page.get("live?limit=1&limit=2").status, 400),
        "a huge limit": (page.get("live?limit=99999999999999999999999").status, 400),
        "too many": (page.get("live?limit=501").status, 400),
        "a negative": (page.get("events?since=-1").status, 400),
        "a long query": (page.get(f"live?repo={'x' * 3_000}").status, 400),
        "no UTF-8": (page.get("live?repo=%ff").status, 400),
        "an unknown row": (page.get("decisions?before=dec_NOBODYKN").status, 404),
        "half a row": (page.get("conflicts?before=1%20OR%201").status, 400),
        "an unknown answer": (page.get("decisions?answer=maybe").status, 400),
        "a year of lanes": (page.get("live?hours=9999").status, 400),
        "an unknown state": (page.get("conflicts?state=odd").status, 400),
        "another repository": (page.get("live?repo=nowhere").status, 404),
        "another list": (page.get("secrets").status, 404),
        "a path upwards": (page.get("/static/../../main.py").status, 404),
        "one that is escaped": (page.get("/static/..%2f..%2fmain.py").status, 404),
        "a zero byte": (page.get("runs/run%00").status, 400),
        "an unknown run": (page.get("runs/run_NOBODYKN").status, 404),
        "another method": (page.get("session").status, 404),
        "a question of another kind": (page.post("inbox/run_1").status, 404),
        "a body that is a list": (page.post("session", ["key"]).status, 400),
        "a page that is posted to": (page.post("/inbox", {}).status, 405),
        "a large body": (page.post("session", {"key": "x" * 20_000}).status, 413),
    }


def test_what_others_have_a_browser_send_is_refused_and_told_why(ui: Ui) -> None:
    page = ui.page()
    found = _forged(page)

    assert {name: status for name, (status, wanted) in found.items() if status != wanted} == {}
    assert page.get("live").status == 200
    headers = page.get("live").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "before, limit, repo, state" in page.get("conflicts?colour=red").message
    assert "Traceback" not in ui.stop()
