"""What a token opens, for every method of every service: nothing foreign is told, done, or even known to be there."""

import re
import shutil
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from loomstack_mcp.core.errors import LoomError, NotFound, Unauthorized
from loomstack_mcp.core.permits import HUB_ROLES, PERMITS, HubRole
from loomstack_mcp.core.policy.approvals import Approver
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller, Run
from loomstack_mcp.core.tokens import EVERY_REPO, Principal
from loomstack_mcp.core.wire import argument_kinds, told_json
from loomstack_mcp.loom import Loom
from loomstack_mcp.services.called import named_in
from loomstack_mcp.store.sqlite.migrate import migrating_store
from tests.conftest import Clocks
from tests.factories import ANA, BEA, REPO, SHOP
from tests.services.asking import ADMIN, NOWHERE, ZOO, World, given
from tests.services.support import started

NO_REPO = frozenset(
    {"ledger.key", "undoings.key", "repos.ids", "repos.listed", "runs.boots_alternate", "sightings.bearing_of"}
    | {"sightings.keep_bearing", "tokens.create", "tokens.listed", "tokens.powers", "tokens.revoke", "tokens.whoami"}
    | {"tokens.map_subject", "tokens.opens_still", "tokens.subjects"}
)
"""Calls that name no repo: of lists the foreign ones are left out; keys, bearings and tokens are nobody's."""
NAMES = {
    "run_id",
    "run_ids",
    "claim_id",
    "approval_id",
    "conflict_id",
    "typed",
    "repo_id",
    "claims",
    "alerts",
    "run",
    "deploy_id",
}


def role(name: HubRole, *repos: str, who: str = "ana", run: str = "") -> Principal:
    return Principal(name=who, role=name, repos=repos or EVERY_REPO, run=run, token="loom_00000001")


ACME = role("admin", "github.com/acme/*")


def asked(loom: Loom, principal: Principal, call: str, /, **arguments: Any) -> Any:
    """The answer as somebody with that token is told it."""
    service, method = call.split(".")
    with loom.access.entered(principal, call, arguments) as entered:
        return entered.shown(getattr(getattr(loom, service), method)(**entered.arguments))


def kinds_of(loom: Loom, name: str) -> Mapping[str, Any]:
    service, method = name.split(".")
    return argument_kinds(getattr(type(getattr(loom, service)), method))


@pytest.mark.sqlite("it asks no store")
@pytest.mark.parametrize("name", PERMITS)
def test_each_method_says_what_it_is_about(loom: Loom, name: str) -> None:
    kinds = {argument: kind for argument, kind in kinds_of(loom, name).items() if argument != "return"}
    tells = (
        name in NO_REPO
        or kinds.keys() & NAMES
        or {Caller, Checkout, Checkout | None, Caller | None} & set(kinds.values())
    )
    nested = [kind for kind in kinds.values() if _holds_run(kind)]

    assert tells or nested or name in NO_REPO, f"say of {name} how a hub knows of which repo it is"


def _holds_run(kind: Any) -> bool:
    if any(map(_holds_run, typing.get_args(kind))):
        return True
    return is_dataclass(kind) and kind is not Principal and bool({"run", "run_id"} & {one.name for one in fields(kind)})


@pytest.mark.sqlite("one is enough: what is refused is asked of none")
@pytest.mark.parametrize("name", PERMITS)
def test_a_role_that_is_too_low_is_refused_whatever_is_asked(loom: Loom, name: str) -> None:
    for lower in HUB_ROLES[: HUB_ROLES.index(PERMITS[name].role)]:
        with pytest.raises(Unauthorized, match="ask an admin of the hub"), loom.access.entered(role(lower), name, {}):
            pytest.fail("it came in")


@pytest.fixture
def world(loom: Loom) -> World:
    return World(loom)


def outcome(loom: Loom, name: str, arguments: Mapping[str, Any], *, principal: Principal = ACME) -> Any:
    try:
        return told_json(asked(loom, principal, name, **arguments))
    except LoomError as error:
        return type(error).__name__, str(error)


@pytest.mark.sqlite("each question has a copy of the file")
@pytest.mark.parametrize("repo", ["another", "own"])
@pytest.mark.parametrize("name", sorted(name for name in PERMITS if name not in NO_REPO))
def test_what_is_foreign_is_answered_as_what_is_unknown(
    loom: Loom, world: World, clocks: Clocks, tmp_path: Path, name: str, repo: str
) -> None:
    kinds = {argument: kind for argument, kind in kinds_of(loom, name).items() if argument != "return"}
    loom.close()
    told = []
    for ids, another in ((world.foreign, ZOO.identity), (world.unknown, NOWHERE)):
        path = Path(shutil.copy(tmp_path / "loom.db", tmp_path / f"{ids['run']}.db"))
        meant = another if repo == "another" else REPO
        with Loom(migrating_store(path, clock=clocks.clock()), rework_max=3) as opened:
            arguments = {one: given(kind, one, ids, meant, ANA) for one, kind in kinds.items()}
            text = repr(outcome(opened, name, arguments))
        for noun, one in (*ids.items(), ("repo", another)):
            text = text.replace(one, f"<{noun}>")
        told.append(re.sub(r"'ms': \d+", "", re.sub(r"\b(dec|apr|evid|note|run|claim)_[0-9A-Z]{8}", "<new>", text)))

    assert told[0] == told[1]
    assert "secret" not in told[0]


@pytest.mark.parametrize(
    "name",
    ["claims.held", "events.since", "levers.about_run", "notes.latest", "outcomes.of_runs", "runs.details",
     "policy.facts_of_change", "why.behind"],
)  # fmt: skip
def test_who_may_read_it_all_is_told_of_it(loom: Loom, world: World, name: str) -> None:
    kinds = {argument: kind for argument, kind in kinds_of(loom, name).items() if argument != "return"}
    arguments = {one: given(kind, one, world.foreign, ZOO.identity, ANA) for one, kind in kinds.items()}
    arguments |= {"query": ""} if "query" in kinds and kinds["query"] is str else {}

    assert re.search("secret|bea", repr(outcome(loom, name, arguments, principal=ADMIN)))


def test_a_list_over_repos_has_those_that_the_token_opens(loom: Loom, world: World) -> None:
    assert asked(loom, ACME, "repos.ids") == (REPO,)
    assert [one.repo_id for one in asked(loom, ACME, "repos.listed")] == [REPO]
    assert set(asked(loom, ADMIN, "repos.ids")) == {REPO, ZOO.identity}


def test_a_note_of_a_foreign_repo_is_found_by_no_search_and_no_cursor(loom: Loom, world: World) -> None:
    for arguments in ({"query": "zebra"}, {}):
        assert asked(loom, ACME, "notes.latest", repo_id=ZOO.identity, limit=9, **arguments) == asked(
            loom, ACME, "notes.latest", repo_id=NOWHERE, limit=9, **arguments
        )
    for since in (0, 1, -1):
        found = asked(loom, ACME, "context.read_context", caller=ANA, run_id="", checkout=SHOP, since=since,
                      query="zebra" if not since else "", budget_tokens=2000)  # fmt: skip
        assert "zebra" not in str(found)
    assert asked(loom, ACME, "events.since", repo_id=ZOO.identity, since=0, limit=9)[0] == ()
    assert asked(loom, ACME, "events.cursor", repo_id=ZOO.identity) == 0


def test_what_an_id_leads_to_in_a_foreign_repo_is_left_out(loom: Loom, world: World) -> None:
    text = f"as {world.foreign['note']} says"
    mine = loom.notes.share(ANA, world.mine.id, kind="fact", text=text).note
    query = {"repo_id": REPO, "limit": 9, "query": world.foreign["note"]}

    assert asked(loom, ACME, "notes.latest", **query)[0] == (mine,)
    assert world.foreign["note"] in [one.id for one in asked(loom, ADMIN, "why.behind", typed=mine.id)]
    assert [one.id for one in asked(loom, ACME, "why.behind", typed=mine.id.lower())] == [mine.id, world.mine.id]


def test_a_checkout_is_not_taken_for_a_foreign_repo_by_its_other_names(loom: Loom, world: World) -> None:
    claims = Checkout(identity="github.com/acme/new", clone=ZOO.clone, others=(ZOO.identity, "org"))
    run = asked(loom, ACME, "runs.start", caller=ANA, checkout=claims, loop="l", goal="g", budget_tokens=800).run

    assert run.repo_id == "github.com/acme/new"
    assert loom.repos.id_of(Checkout(identity=ZOO.identity)) == ZOO.identity
    names = {one.repo_id: one.names for one in loom.repos.listed()}
    assert names["github.com/acme/new"] == ()


def test_no_name_that_the_token_does_not_open_is_given_to_a_repo(loom: Loom, world: World) -> None:
    for name in (ZOO.identity, NOWHERE, "org"):
        with pytest.raises(NotFound, match="unknown to the token of ana"):
            asked(loom, ACME, "repos.alias", checkout=SHOP, name=name, who="x")
    other = replace(SHOP, others=(NOWHERE,), clone="clone:2")
    asked(loom, ACME, "runs.start", caller=ANA, checkout=other, loop="l", goal="g", budget_tokens=800)

    assert loom.repos.id_of(Checkout(identity=NOWHERE)) == NOWHERE


@pytest.mark.parametrize("name", ["github.com/zoo/cage", "github.com/zoo/none", "org"])
def test_a_run_starts_in_no_repo_that_the_token_does_not_open(loom: Loom, world: World, name: str) -> None:
    with pytest.raises(NotFound, match=f"{name} is unknown to the token of ana, which opens github.com/acme/\\*"):
        asked(loom, ACME, "runs.start", caller=ANA, checkout=Checkout(identity=name), loop="l", goal="g",
              budget_tokens=800)  # fmt: skip


def test_who_calls_is_whom_the_token_stands_for(loom: Loom) -> None:
    liar = Caller(principal="bea", session="s", process="far:left")
    run = asked(
        loom, role("agent"), "runs.start", caller=liar, checkout=SHOP, loop="l", goal="g", budget_tokens=800
    ).run
    note = asked(loom, role("developer"), "notes.add", checkout=SHOP, who="bea", kind="fact", text="t").note
    evidence = asked(loom, role("developer"), "evidence.add", checkout=SHOP, sha="f" * 40, kind="tests", passed=True,
                     who="bea")  # fmt: skip

    assert (run.principal, run.session, run.process) == ("ana", "s", "")
    assert (note.who, evidence[1].by) == ("ana", "ana")


def test_anothers_run_is_refused_as_ever(loom: Loom) -> None:
    run = started(loom, BEA)
    for caller in (BEA, ANA):
        with pytest.raises(Unauthorized, match="belongs to another session"):
            asked(loom, role("agent"), "claims.release_paths", caller=caller, run_id=run.id, claims=())


def test_sessions_of_one_name_are_each_their_owners(loom: Loom) -> None:
    run = started(loom, replace(BEA, session="s"))
    asked(loom, role("agent"), "runs.shorten", caller=Caller(principal="bea", session="s"))
    asked(loom, role("agent"), "sessions.end", caller=Caller(principal="bea", session="s"))

    assert loom.runs.details(run.id).run == run


def test_alerts_of_others_stay_unheard(loom: Loom) -> None:
    run = started(loom, BEA)
    loom.notes.add(SHOP, who="dee", kind="fact", text="t")
    loom.levers.stop_run(run.id, who="dee", why="enough")
    [alert] = loom.alerts.due(BEA)
    for _ in range(2):
        asked(loom, role("agent"), "alerts.heard", alerts=[alert])
    with pytest.raises(LoomError):
        asked(loom, role("agent"), "sessions.remind", run=run, mark="m")

    assert loom.alerts.due(BEA) == (alert,)


def test_a_runs_own_token_is_good_for_that_run(loom: Loom) -> None:
    run, other = started(loom, ANA), started(loom, replace(ANA, agent="two"))
    own = role("agent", REPO, run=run.id)
    stranger = Caller(principal="x", session="x", agent="x")
    claim = {"patterns": ["src/a.py"], "intent": "i", "mode": "exclusive", "ttl_ms": 60_000}

    assert asked(loom, own, "claims.claim_paths", caller=stranger, run_id="", **claim).run == run.id
    with pytest.raises(Unauthorized, match="belongs to another session"):
        asked(loom, own, "claims.claim_paths", caller=stranger, run_id=other.id, **claim)
    with pytest.raises(Unauthorized, match="not for one run to do"):
        asked(loom, own, "runs.start", caller=ANA, checkout=SHOP, loop="l", goal="g", budget_tokens=800)
    with pytest.raises(Unauthorized, match="not for one run to do"):
        asked(loom, own, "sessions.end", caller=ANA)
    assert asked(loom, own, "runs.latest", repo_id=ZOO.identity, limit=5)[0] == ()


def test_a_session_with_runs_elsewhere_is_no_way_there(loom: Loom) -> None:
    started(loom, ANA, ZOO)
    for name, arguments in (("context.read_context", {"run_id": "", "checkout": SHOP, "budget_tokens": 800}),
                            ("claims.release_paths", {"run_id": ""}), ("watches.watched", {})):  # fmt: skip
        with pytest.raises(Unauthorized, match="in a repository that this token does not open"):
            asked(loom, ACME, name, caller=ANA, **arguments)


def test_where_no_client_names_a_session_each_tokens_repos_are_apart(loom: Loom) -> None:
    nobody = Caller(principal="", certain=False)
    begun = {"loop": "l", "goal": "g", "budget_tokens": 800}
    zoo = role("agent", "github.com/zoo/*")
    for token, checkout in ((ACME, SHOP), (zoo, ZOO)):
        run = asked(loom, token, "runs.start", caller=nobody, checkout=checkout, **begun).run
        assert asked(loom, token, "claims.release_paths", caller=nobody, run_id="", claims=()).run == run.id
        assert asked(loom, token, "claims.release_paths", caller=nobody, run_id=run.id, claims=()).run == run.id


def test_alerts_of_runs_elsewhere_are_not_told(loom: Loom) -> None:
    run = started(loom, ANA, ZOO)
    loom.levers.stop_run(run.id, who="dee", why="secret")

    assert loom.alerts.due(ANA)
    assert asked(loom, ACME, "alerts.due", caller=ANA) == ()
    assert asked(loom, ACME, "watches.watched", caller=ANA).alerts == ()


def test_notes_for_every_repo_are_an_admins_and_anybody_reads_them(loom: Loom) -> None:
    with pytest.raises(Unauthorized, match="are an admin's"):
        asked(loom, role("developer"), "notes.add", checkout=None, who="x", kind="fact", text="t")
    note = asked(loom, ADMIN, "notes.add", checkout=None, who="x", kind="fact", text="t").note
    with pytest.raises(Unauthorized, match="are an admin's"):
        asked(loom, role("developer"), "notes.add", checkout=SHOP, who="x", kind="fact", text="t", supersedes=note.id)

    assert asked(loom, role("viewer", "nothing"), "notes.latest", repo_id="org", limit=5)[0] == (note,)


def test_who_approves_is_the_tokens_owner(loom: Loom) -> None:
    told: list[Approver] = []
    for sent in (Approver(name="dana", names=("dana", "ana"), roles=("lead",)), Approver(name="bea", roles=("lead",))):
        with loom.access.entered(role("developer"), "approvals.answer", {"approver": sent}) as entered:
            told.append(entered.arguments["approver"])

    assert told == [
        Approver(name="ana", names=("ana", "dana", "token:loom_00000001"), roles=("lead",)),
        Approver(name="ana", names=("token:loom_00000001",), roles=("developer",)),
    ]


def test_ids_are_found_however_deep_they_lie() -> None:
    run = Run(id="run_AAAAAAAA", repo_id="r", loop="claim_AAAAAAAA", goal="", principal="", session="", seq=1, ttl_ms=1,
              expires_at_ms=1, started_at_ms=1, seen_at_ms=1, parent_id="run_BBBBBBBB")  # fmt: skip

    assert {one.text for one in named_in({"found": [{"k": (run,)}], "made": {"run_CCCCCCCC": [1]}})} == {
        *("run_AAAAAAAA", "run_BBBBBBBB", "run_CCCCCCCC", "r")
    }
