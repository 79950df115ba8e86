"""Services take and return records that a wire could carry: nothing that is called, asked back, or read to its end."""

import dataclasses
import importlib
import inspect
import pkgutil
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Union

import pytest

import loomstack_mcp.services
from loomstack_mcp.adapters.git.made_work import MadeWork
from loomstack_mcp.adapters.git.named_commits import seen_commits
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.core.changes.hunks import Change, FileChange
from loomstack_mcp.core.limits import DAY_MS
from loomstack_mcp.core.outcomes import CheckCounts
from loomstack_mcp.core.policy.approvals import Approver
from loomstack_mcp.core.policy.digests import bound
from loomstack_mcp.core.policy.rules import Approve, Checks, Rule, Rulebook
from loomstack_mcp.core.policy.situation import Situation, Touched
from loomstack_mcp.core.repos import Bearing
from loomstack_mcp.core.steps import BegunLine, Judging
from loomstack_mcp.core.stranded import StrandedRun, TrunkSeen
from loomstack_mcp.core.tokens import Principal
from loomstack_mcp.core.usage import UsageEntry
from loomstack_mcp.edge.attributing import attributed, attributed_line
from loomstack_mcp.edge.deciding import decided_action, decided_change
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import open_loom
from tests.adapters.git.support import commit, write
from tests.carried import WiredLoom
from tests.conftest import commit_all, git
from tests.edge.support import here
from tests.factories import ANA, BEA, SHOP
from tests.services.wired_traces import wire_traces

PLAIN = (str, int, float, bool, bytes, type(None))
LISTS = (tuple, list, Sequence)
MAPPINGS = (dict, Mapping)


def services() -> Iterator[type]:
    for module in pkgutil.iter_modules(loomstack_mcp.services.__path__, "loomstack_mcp.services."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if inspect.isclass(value) and name.endswith("Service") and value.__module__ == module.name:
                yield value


def methods(service: type) -> Iterator[tuple[str, Any]]:
    for name, method in inspect.getmembers(service, inspect.isroutine):
        if not name.startswith("_"):
            yield f"{service.__name__}.{name}", method


def unfit(kind: Any, *, seen: frozenset[Any] = frozenset()) -> Iterator[str]:
    """What of an annotation no wire can carry."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if kind in PLAIN or kind in seen or origin is Literal or kind is Ellipsis:
        return
    if origin in (Union, types.UnionType) or origin in LISTS:
        for one in inner:
            yield from unfit(one, seen=seen)
    elif origin in MAPPINGS:
        key, value = inner
        yield from unfit(key, seen=seen)
        yield from unfit(value, seen=seen) if value not in (Any, object) else ()  # a payload that is JSON already
    elif isinstance(kind, type) and is_frozen(kind):
        for name, hint in typing.get_type_hints(kind).items():
            yield from (f"{kind.__name__}.{name}: {why}" for why in unfit(hint, seen=seen | {kind}))
    else:
        yield str(kind)


def is_frozen(kind: type) -> bool:
    return dataclasses.is_dataclass(kind) and bool(getattr(kind, "__dataclass_params__").frozen)  # noqa: B009


@pytest.mark.parametrize(("name", "method"), [one for service in services() for one in methods(service)])
def test_a_service_speaks_records_only(name: str, method: Any) -> None:
    hints = typing.get_type_hints(method)

    assert set(inspect.signature(method).parameters) - {"self"} == set(hints) - {"return"}
    assert [f"{name}({argument}): {why}" for argument, hint in hints.items() for why in unfit(hint)] == []


def test_what_no_wire_can_carry_is_seen_wherever_it_is_nested() -> None:
    found = [next(unfit(kind), "") for kind in (Situation, Repository, Iterator[str], frozenset[str], Any, type[int])]
    found += [next(unfit(tuple[Mapping[str, Callable[[], int]], ...]), ""), next(unfit(Unfrozen | None), "")]

    assert all(found)
    assert list(unfit(Mapping[str, Any])) == list(unfit(Change | None)) == []


@pytest.fixture
def wired(tmp_path: Path) -> Iterator[Any]:
    with open_loom(tmp_path / "loom.db") as loom:
        yield WiredLoom(loom)


def test_a_played_session_could_be_led_over_a_wire(shop: Path, tmp_path: Path, wired: Any) -> None:
    found = here(shop, tmp_path / "home")
    git(shop, "config", "user.name", "test")
    git(shop, "config", "user.email", "test@localhost")
    before = commit(shop, {"src/a.py": PRICES})
    landed = bea_lands(found, wired)
    conflict = ana_takes_it_back(found, wired, before)
    whose(found, wired, landed)
    decisions(found, wired, landed)
    approvals(found, wired)
    evidence(found, wired, landed)
    looks(found, wired, conflict)
    wire_traces(found, wired, landed)
    endings(found, wired)
    usage(wired)
    tokens(wired)

    assert wired.called == {name for service in services() for name, _ in methods(service)}


PRICES = "".join(f"price_{at} = net({at}) + tax({at})\n" for at in range(9))


def bea_lands(found: Here, wired: Any) -> str:
    """Bea lands on purpose what she claimed: the ledger sees it signed, and then recorded."""
    checkout = found.checkout()
    run = wired.runs.start(BEA, checkout, loop="prices", goal="gross", key="k", budget_tokens=800).run
    wired.claims.claim_paths(BEA, "", patterns=["src/"], intent="gross prices", mode="exclusive", ttl_ms=60_000)
    write(found.root, {"src/a.py": PRICES.replace("net", "gross")})
    commit_all(found.root, f"Gross\n\nLoom-Run: {run.id}")
    sha = git(found.root, "rev-parse", "HEAD")
    with found.repository() as repo:
        found.landing(repo, wired.ledger, checkout)
        assert wired.repos.filled(checkout) == found.filling_mark(repo)
        seen = seen_commits(repo, wired.repos.id_of(checkout), [sha])
    checks = CheckCounts(passed=8)
    wired.outcomes.record(
        BEA,
        "",
        status="passed",
        summary="gross",
        role="maker",
        checks=checks,
        commits=[sha],
        seen=seen,
        links={"a": "b"},
    )
    with found.repository() as repo:
        found.imprint(repo, wired.ledger, checkout)
    return sha


def ana_takes_it_back(found: Here, wired: Any, before: str) -> str:
    checkout = found.checkout()
    wired.runs.start(ANA, checkout, loop="triage", goal="green", rules=RULES, patterns=["src/"], budget_tokens=800)
    wired.claims.claim_paths(ANA, "", patterns=["src/"], intent="green", mode="exclusive", ttl_ms=60_000)
    git(found.root, "checkout", "--quiet", "-b", "work")
    git(found.root, "checkout", "--quiet", before, "--", "src/a.py")
    with found.repository() as repo:
        proposal = found.landing(repo, wired.ledger, checkout).proposal()
    assert wired.conflicts.check(checkout, proposal).verdict == "stop"
    assert wired.conflicts.undoing(checkout, replace(proposal, changes=proposal.changes[:1]))
    return str(wired.conflicts.check_run(ANA, "", proposal).conflicts[0].id)


def whose(found: Here, wired: Any, landed: str) -> None:
    repo_id = wired.repos.id_of(found.checkout())
    with found.repository() as repo:
        told = attributed(found.checkout(), wired, repo, landed)
        line = attributed_line(found.checkout(), wired, repo, "src/a.py", 3, rev=landed)
    assert line.commit == told
    assert (told.bound_by, told.confidence) == ("sha", 1.0)
    assert wired.attributions.of_prefix(repo_id, landed[:9]) == wired.attributions.of_run(told.run_id) == (told,)
    assert wired.attributions.of_lines(repo_id, landed, [1]) is None
    assert wired.attributions.unattributed(repo_id)[0].sha != landed
    assert wired.attributions.reversals_of(repo_id, landed) == wired.attributions.of_pull(repo_id, 7) == ()


def decisions(found: Here, wired: Any, landed: str) -> None:
    checkout, book = found.checkout(), Rulebook(rules=RULES, hash="sha256:0")
    edit = Situation(point="mcp", actions=frozenset({"edit"}), now_ms=0, touched=(Touched(path="src/a.py"),))
    land = replace(edit, point="ci", actions=frozenset({"land"}), head=landed, undoing=lambda: ())
    other = replace(land, head="f" * 40)

    def made() -> list[Change]:
        with found.repository() as repo:
            return list(MadeWork(repo, key=wired.ledger.key(found.checkout())).named_changes([landed]))

    assert decided_action(wired.policy, ANA, "", book, edit).decision.fired == ("mine",)
    assert decided_change(wired.policy, checkout, "ci", book, land).decision.answer == "allow"
    assert decided_change(wired.policy, checkout, "ci", book, other, made=made).decision.answer == "allow"


def approvals(found: Here, wired: Any) -> None:
    asking = Rule(id="asking", why="why", effect="require_approval", on=("edit",), approve=Approve(by=("dana",)))
    touched = (Touched(path="src/a.py"),)
    edit = bound(Situation(point="mcp", actions=frozenset({"edit"}), now_ms=0, touched=touched), "text", shown=("a",))
    book = Rulebook(rules=(asking,), hash="sha256:1")
    asked = decided_action(wired.policy, ANA, "", book, edit).approval
    [waiting] = wired.approvals.waiting(wired.repos.id_of(found.checkout()), limit=9)[0]
    assert waiting == wired.approvals.approval(asked)[0]
    assert wired.approvals.answer(asked, Approver(name="dana"), "granted", why="once").state == "granted"
    assert decided_action(wired.policy, ANA, "", book, edit).decision.answer == "allow"


def tokens(wired: Any) -> None:
    by = Principal(name="dee", role="admin")
    made = wired.tokens.create(by, owner="ana", role="agent")
    assert wired.tokens.checked(made.text).name == "ana"
    assert wired.tokens.listed(by)[0][0].id == wired.tokens.revoke(by, made.token.id).id
    wired.tokens.settle()
    assert wired.tokens.whoami(by) == by
    assert wired.tokens.opens_still(by)
    assert wired.tokens.map_subject(by, "iss|sub", owner="ana").principal == wired.tokens.subjects(by)[0].principal
    assert wired.tokens.powers(by, limit=5)
    wired.tokens.close()


def evidence(found: Here, wired: Any, landed: str) -> None:
    drawn, fact = wired.evidence.add(found.checkout(), landed, "build", passed=True, who="ci", link="")
    assert wired.why.behind(drawn)[0].fields["kind"] == fact.kind == "build"


def usage(wired: Any) -> None:
    run = wired.runs.start(BEA, SHOP, loop="paid", goal="gross", budget_tokens=800).run
    entry = UsageEntry(key="k", kind="request", session=BEA.session, age_ms=0, model="opus", cost_micro_usd=9)
    assert wired.usage.take_in(BEA, [entry]).kept == 1
    assert wired.usage.of_runs([run.id])[0].models[0].cost_micro_usd == 9


def looks(found: Here, wired: Any, conflict: str) -> None:
    checkout = found.checkout()
    repo_id = wired.repos.id_of(checkout)
    wired.notes.share(BEA, "", kind="fact", text="gross it is", patterns=["src/"], to="triage")
    wired.notes.add(checkout, who="dana", kind="decision", text="gross", patterns=["src/"])
    assert wired.context.read_context(ANA, "", checkout, rules=RULES, budget_tokens=800).alerts
    assert wired.why.behind(conflict)
    assert wired.events.since(repo_id, since=0, limit=99)[0][-1].seq == wired.events.cursor(repo_id)
    assert wired.events.gap(repo_id) == 0
    assert wired.events.moved(repo_id, seen=0, wait_ms=9) == wired.events.cursors()[repo_id]
    for service in (wired.events, wired.notes, wired.runs):
        assert service.latest(repo_id, limit=9)[0]
    assert wired.conflicts.open(repo_id, limit=9)[0] == wired.conflicts.latest(repo_id, limit=9)[0]
    assert wired.decisions.latest(repo_id, limit=9)[0][0].answer
    assert wired.live.live(repo_id).lanes[0].runs
    assert wired.loops.health(repo_id, limit=9).loops[0].last_run.startswith("run_")
    assert wired.claims.held(repo_id, limit=9)[0]
    bea = wired.runs.latest(repo_id, limit=9)[0][-1].id
    assert [outcome.summary for outcome in wired.outcomes.of_runs([bea])] == ["gross"]
    assert wired.runs.details(bea).claims
    assert wired.runs.boots_alternate() is False
    landed = wired.runs.details(bea).outcomes[0].commits[0]
    assert wired.conflicts.intent_on(checkout, landed, ["src/a.py"]).who == "prices@bea"
    assert wired.conflicts.settle(checkout, conflict, who="dana").id == conflict
    assert wired.repos.ids() == tuple(one.repo_id for one in wired.repos.listed()) == (repo_id,)
    assert wired.repos.alias(checkout, "host/other", who="dana").repo_id == repo_id


def endings(found: Here, wired: Any) -> None:
    checkout = found.checkout()
    repo_id = wired.repos.id_of(checkout)
    chen = replace(ANA, principal="chen", session="s-chen")
    wired.sightings.saw_edits(chen, checkout, {"/w": "stamp"})
    bearing = Bearing(stamp="stamp", system="/etc/gitconfig", settings="", identity="host/shop", others=("clone:1",))
    wired.sightings.keep_bearing("/w", bearing)
    assert wired.sightings.bearing_of("/w") == bearing
    assert wired.sightings.edited(chen, checkout) == ("/w",)
    wired.sightings.looked_at(chen, "/w")
    wired.sightings.saw_call(replace(chen, agent="sub"), "use-1")
    assert wired.sightings.known_caller(chen, "use-1").agent == "sub"
    assert wired.blockers.blockers(chen, checkout, ["src/a.py"])[0][0].loop == "prices"
    wired.refusals.keep(chen, checkout, ["src/a.py"], wired.blockers.blockers(chen, checkout, ["src/a.py"])[0][0])
    assert wired.blockers.check_of(replace(chen, agent="sub")) is None
    wired.claims.withdraw(ANA, "", patterns=["src/"], mode="exclusive")
    wired.claims.release_paths(BEA, "")
    run = wired.runs.latest(repo_id, limit=9)[0][-1]
    left = StrandedRun(run=run, commits=("e" * 40,))
    assert wired.stranded.of_loops(BEA, checkout) == wired.stranded.of_runs(repo_id, [run.id]) == ()
    assert wired.stranded.confirmed([left], {run.id: [Change(sha="e" * 40)]}, trunk=TrunkSeen(tip="", at_ms=0)) == ()
    wired.runs.shorten(BEA)
    assert wired.sessions.start(chen, checkout, changed=["src/a.py"]).is_near(["src/"])
    own, _ = wired.sessions.run_of(chen, checkout)
    assert wired.sessions.open_work(chen, own, files=["src/a.py"], commits=1).commits == 1
    assert [wired.sessions.remind(own, "mark") for _ in range(2)] == [True, False]
    assert wired.sessions.end(chen) == (own.id,)
    levers(wired)
    commits(found, wired)
    steps(found, wired)


def levers(wired: Any) -> None:
    due = wired.alerts.due(ANA)
    wired.alerts.heard(due)
    assert wired.watches.watched(ANA).alerts == ()
    run = wired.runs.start(BEA, SHOP, loop="held", goal="gross", budget_tokens=800).run
    claim = wired.claims.claim_paths(BEA, "", patterns=["a"], intent="x", mode="exclusive", ttl_ms=60_000).claim
    assert wired.levers.about_claim(claim.id).runs[0].id == wired.levers.about_run(run.id).runs[0].id == run.id
    assert wired.levers.release_claim(claim.id, who="dana", why="x").claims[0].id == claim.id
    assert wired.levers.stop_run(run.id, who="dana", why="x").runs[0].id == run.id
    notice = wired.notices.take()
    assert (notice.about, wired.notices.is_due()) == (run.id, False)
    wired.notices.failed(notice, answered="answered 500")
    assert (wired.notices.due_in_ms() > 0, wired.notices.unsent()) == (True, (1, "answered 500"))
    wired.notices.arrived(notice)


def commits(found: Here, wired: Any) -> None:
    checkout, dee = found.checkout(), replace(ANA, principal="dee", session="claude:s-dee", certain=False)
    assert wired.commits.has_several_agents(dee, checkout) is False
    run = wired.commits.committing_run(dee, checkout, ("src/a.py",))
    assert wired.commits.bind_commit(dee, checkout, "d" * 40, named=(run,), paths=()) == (run,)
    wired.commits.rebind_commits(checkout, [("d" * 40, "c" * 40)])
    assert wired.commits.held_by_others(dee, checkout, ("z.py",))[0] == ()


def steps(found: Here, wired: Any) -> None:
    checkout, eli = found.checkout(), replace(ANA, principal="eli", session="claude:s-eli")
    assert wired.policy.session_run(eli, checkout).startswith("run_")
    wired.guards.allow(eli, Judging(folder="/w", stamp="stamp", patterns=("a",)), ["edit a"])
    assert wired.guards.judging(eli, "/w").patterns == ("a",)
    assert wired.blockers.held_in(eli, checkout) == ()
    assert wired.glances.is_unalerted(eli)
    assert not wired.glances.hold_clear(eli, checkout, ["src/a.py"])
    assert not wired.glances.is_clear(eli, checkout, ["src/a.py"], claim_edits="auto")
    assert wired.glances.closer_look(eli, checkout, ["src/a.py"], files=["src/a.py"]).meant == ("src/a.py",)
    assert [wired.guards.tell_once(eli, "/w", "told a") for _ in range(2)] == [True, False]
    line = BegunLine(folder="/w", began_at_ms=1, head="a" * 40)
    wired.guards.begin_line(eli, "use-9", line)
    assert wired.guards.end_line(eli, "use-9") == line
    file = FileChange(path="src/a.py", old_path="src/a.py", before="a" * 40, after="b" * 40)
    asked = {"window_ms": DAY_MS, "target": "refs/heads/main"}
    assert wired.undoings.key(checkout)
    assert wired.undoings.undone_by(eli, checkout, file, [("f" * 40, ())], **asked)[0] == ()


RULES = (
    Rule(id="mine", why="why", effect="deny", on=("edit",), check=Checks(claims="held")),
    Rule(id="free", why="why", effect="deny", on=("land",), check=Checks(claims="held", intents="no_undo")),
)


@dataclasses.dataclass
class Unfrozen:
    """A record that changes."""
