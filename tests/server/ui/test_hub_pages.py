"""The pages of a hub: signed in by a token, each request checked anew, and nothing that the token does not open."""

import hashlib
import hmac
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from loomstack_mcp.adapters.settings import Settings
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.loom import Loom, open_loom
from tests.dashboards import OTHER_ACCOUNTS, Page
from tests.factories import ANA, BEA, REPO, SHOP
from tests.hubs import ADMIN, Hub, made_token, running_hub
from tests.services.asking import ZOO
from tests.services.support import claimed, started
from tests.services.test_approvals import book, edit, rule


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hub")


@pytest.fixture(scope="module")
def hub(home: Path) -> Iterator[Hub]:
    with running_hub(home) as running:
        yield running


@pytest.fixture
def loom(home: Path) -> Iterator[Loom]:
    """The hub's store, as its machine has it."""
    with open_loom(Settings(store=str(home / "loomstack" / "loom.db"))) as opened:
        yield opened


def signed_in(hub: Hub, token: str) -> Page:
    page = Page(hub.port)
    answer = page.post("session", token=token)
    assert answer.status == 200, answer.text
    return page


def test_a_token_sees_its_repos_and_of_others_what_it_would_see_of_none(hub: Hub, home: Path, loom: Loom) -> None:
    mine, foreign = started(loom, ANA, SHOP), started(loom, BEA, ZOO, goal="secret goal")
    claimed(loom, ANA, "src/a.py")
    page = signed_in(hub, made_token(home, "ana", "viewer", (REPO,)))
    everything = signed_in(hub, made_token(home, "root", "viewer"))
    mixed = [page.get(f"runs/{run}") for run in (foreign.id, "run_ZZZZZZZ0")]
    traces = [page.get(f"trace/{run}") for run in (foreign.id, "run_ZZZZZZZ0")]
    own_trace = page.get(f"trace/{mine.id}").body
    asked = [page.get(f"{path}?repo={repo}") for path in ("live", "events/stream") for repo in (ZOO.identity, "no/one")]
    stream = page.stream(f"?repo={REPO}")
    stream.message()
    claimed(loom, ANA, "src/b.py")
    news = stream.message()
    stream.close()

    assert [one["repo"] for one in page.get("me").body["repos"]] == [REPO]
    assert {one["repo"] for one in everything.rows("repos")} >= {REPO, ZOO.identity}
    assert everything.get(f"live?repo={ZOO.identity}").text.count("secret goal") == 1
    assert {answer.status for answer in (*mixed, *asked, *traces)} == {404}
    assert traces[0].text.replace(foreign.id, "ID") == traces[1].text.replace("run_ZZZZZZZ0", "ID")
    assert own_trace["runs"][0]["run"] == mine.id
    assert mixed[0].text.replace(foreign.id, "ID") == mixed[1].text.replace("run_ZZZZZZZ0", "ID")
    assert asked[0].text.replace(ZOO.identity, "R") == asked[1].text.replace("no/one", "R")
    assert (news["kinds"], news["runs"]) == (["claim.granted"], [mine.id])
    assert page.get(f"runs/{mine.id}").body["run"] == mine.id


def test_a_revoked_token_opens_nothing_more_and_signing_out_takes_the_cookie(hub: Hub, home: Path, loom: Loom) -> None:
    started(loom, ANA, SHOP)
    token = made_token(home, "ana", "viewer")
    page, other = signed_in(hub, token), signed_in(hub, made_token(home, "bea", "viewer"))
    before = page.get("live").status
    loom.tokens.revoke(ADMIN, token.rpartition("_")[0][:13])
    out = other.post("session/end")

    assert (before, page.get("live").status, page.get("me").body["reads"]) == (200, 401, False)
    assert out.headers["set-cookie"].endswith("Max-Age=0")
    assert Page(hub.port).post("session", token=token).status == 401
    assert [Page(hub.port).post("session", token=odd).status for odd in ("", "ünï", "a b", "x" * 5_000)] == [400] * 4


def test_a_teams_cookie_in_the_clear_is_no_token_and_decides_nothing_alone(hub: Hub, home: Path, loom: Loom) -> None:
    started(loom, ANA, SHOP)
    token = made_token(home, "ana", "developer")
    page = signed_in(hub, token)
    name, _, value = page.cookie.partition("=")
    stolen = Page(hub.port, cookie=page.cookie, page_key=hmac.new(value.encode(), b"page", "sha256").hexdigest())
    nothing = {"verdict": "deny", "digest": ""}

    assert token not in page.cookie
    assert hub.send("/api/repos/ids", {}, token=value).status == 401
    assert [one.post("inbox/apr_ZZZZZZZ0", nothing).status for one in (page, stolen)] == [404, 401]
    assert (page.get("live").status, Page(hub.port, cookie=f"{name}={token}").get("live").status) == (200, 401)
    page.post("session", token=token)
    assert [one.get("live").status for one in (page, stolen)] == [200, 401]
    leaked = Page(hub.port, cookie=page.cookie)
    page.post("session/end")
    assert leaked.get("live").status == 401


def test_who_signs_in_again_and_again_signs_no_other_out(hub: Hub, home: Path) -> None:
    quiet, token = signed_in(hub, made_token(home, "bea", "viewer")), made_token(home, "eve", "viewer")
    statuses = {Page(hub.port).post("session", token=token).status for _ in range(510)}

    assert statuses == {200}
    assert (quiet.get("me").body["reads"], signed_in(hub, token).get("me").body["reads"]) == (True, True)


def test_pages_that_ask_at_once_hear_each_what_their_token_opens(hub: Hub, home: Path, loom: Loom) -> None:
    started(loom, ANA, SHOP)
    started(loom, BEA, ZOO, goal="secret goal")
    ana = signed_in(hub, made_token(home, "ana", "viewer", (REPO,)))
    bea = signed_in(hub, made_token(home, "bea", "viewer", (ZOO.identity,)))
    asked = [(page, path) for path in ("live", "repos", f"live?repo={REPO}") * 10 for page in (ana, bea)]
    with ThreadPoolExecutor(len(asked)) as pool:
        told = list(pool.map(lambda one: (*one, one[0].get(one[1])), asked))
    hers = [answer for page, path, answer in told if page is ana]
    of_bea = [(path, answer) for page, path, answer in told if page is bea]

    assert {answer.status for answer in hers} == {200}
    assert not any(ZOO.identity in answer.text or "secret goal" in answer.text for answer in hers)
    assert {answer.status for path, answer in of_bea if path.endswith(REPO)} == {404}
    assert not any(REPO in answer.text for path, answer in of_bea if path in ("live", "repos"))


def test_who_opens_nothing_or_came_astray_is_told_so(hub: Hub, home: Path, loom: Loom) -> None:
    started(loom, ANA, SHOP)
    wrong = [Page(hub.port).post("session", token=f"wrong-{number}").status for number in range(15)]
    page = signed_in(hub, made_token(home, "ana", "viewer", ("no/where",)))
    told = [page.get(path) for path in ("live", "trace/x", "events/stream")]
    astray = page.get("/nowhere", accept="text/html,*/*")

    assert wrong == [401] * 15
    assert (page.get("me").body["repos"], page.get("repos").status) == ([], 200)
    assert [(one.status, "your token opens no/where" in one.message) for one in told] == [(404, True)] * 3
    assert (astray.status, "All pages begin at" in astray.text) == (404, True)
    assert "content-security-policy" in astray.headers
    assert page.get("/nowhere").status == 404


def test_the_cookie_of_the_own_token_is_not_the_token_and_opens_pages_alone(hub: Hub, home: Path) -> None:
    own = (home / "loomstack" / "token").read_text()
    page = signed_in(hub, own)
    value = page.cookie.partition("=")[2]
    reckoned = Page(hub.port, cookie=page.cookie, page_key=hmac.new(value.encode(), b"page", "sha256").hexdigest())
    nothing = {"verdict": "deny", "digest": ""}

    assert [one.post("inbox/apr_ZZZZZZZ0", nothing).status for one in (page, reckoned)] == [404, 401]
    assert own not in page.cookie
    assert page.get("me").body["role"] == "admin"
    assert hub.send("/api/repos/ids", {}, token=value).status == 401
    assert hub.send("/api/repos/ids", {}, token=own).status == 200
    assert hub.send("/api/repos/ids", {}, cookie=page.cookie).status == 401


@pytest.mark.skipif(not OTHER_ACCOUNTS, reason="root alone comes as another account, on Linux")
def test_another_account_that_was_sent_the_own_tokens_cookie_is_nobody(hub: Hub, home: Path) -> None:
    page = signed_in(hub, (home / "loomstack" / "token").read_text())

    assert (page.get("repos").status, page.foreign_get("repos")[0]) == (200, 401)


def test_who_has_a_developers_token_answers_and_no_agent_does(hub: Hub, home: Path, loom: Loom) -> None:
    agent = Caller(principal="kim", session="s-kim")
    started(loom, agent, SHOP)
    anybody = edit(loom, book(rule(by="role:developer")), text="one", caller=agent).approval
    leads = edit(loom, book(rule(by="role:lead")), text="two", caller=agent).approval
    pages = {role: signed_in(hub, made_token(home, f"{role}-1", role)) for role in ("viewer", "agent", "developer")}
    rows = {role: {row["id"]: row for row in page.rows(f"inbox?repo={REPO}")} for role, page in pages.items()}
    digest = hashlib.sha256(b"other").hexdigest()
    told = {"verdict": "deny", "digest": rows["developer"][anybody]["digest"], "why": "no"}
    answers = {role: page.post(f"inbox/{anybody}", told) for role, page in pages.items()}
    lead = pages["developer"].post(f"inbox/{leads}", {**told, "digest": rows["developer"][leads]["digest"]})

    assert {role: rows[role][anybody]["may"] for role in pages} == {"viewer": False, "agent": False, "developer": True}
    assert {role: answer.status for role, answer in answers.items()} == {"viewer": 403, "agent": 403, "developer": 200}
    assert answers["developer"].body == {"id": anybody, "state": "denied", "by": "developer-1"}
    assert f"in a clone, `loomstack-mcp approve {leads}`" in rows["developer"][leads]["why_not"]
    assert (lead.status, "knows no roles" in lead.message) == (400, True)
    assert pages["developer"].post(f"inbox/{leads}", {**told, "digest": digest}).status == 400
    assert pages["developer"].post("inbox/apr_ZZZZZZZ0", told).status == 404
    assert "decides nothing" in pages["agent"].get("me").body["why_not"]
