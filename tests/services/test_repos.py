"""One repository under its names: what an earlier version kept, and two that a person says are one."""

from dataclasses import replace

import pytest

from loomstack_mcp.core.deploys import DeployDraft
from loomstack_mcp.core.errors import Invalid, NotFound
from loomstack_mcp.core.policy.digests import bound
from loomstack_mcp.core.policy.rules import Approve, Rule, Rulebook
from loomstack_mcp.core.policy.situation import Situation
from loomstack_mcp.core.repos import Checkout, RepoNames
from loomstack_mcp.edge.deciding import decided_change
from loomstack_mcp.loom import Loom
from loomstack_mcp.services.repos import REPOS
from loomstack_mcp.store.base import Statement
from tests.conftest import Clocks
from tests.factories import ANA, BEA
from tests.services.support import claimed, recorded, started
from tests.services.test_ledger import commit, fill

OLD = Checkout(identity="github.com/Acme/Shop", clone="clone:ana")
NEW = Checkout(identity="github.com/acme/shop", clone="clone:bea", others=("github.com/Acme/Shop", "gh/Acme/Shop"))
FORK = Checkout(identity="github.com/bea/shop", clone="clone:fork")
ASKING = Rulebook(
    rules=(Rule(id="asks", why="why", effect="require_approval", on=("land",), approve=Approve(by=("dana",))),)
)
LANDING = bound(Situation(point="ci", actions=frozenset({"land"}), now_ms=0, touched=(), head="a" * 40))


def test_what_an_earlier_version_kept_is_found_under_the_new_identity(loom: Loom) -> None:
    run = started(loom, ANA, OLD)
    claimed(loom, ANA, "src/a.py")
    same = replace(OLD, identity=NEW.identity, others=NEW.others)

    assert loom.repos.id_of(same) == loom.repos.id_of(NEW) == run.repo_id
    assert started(loom, BEA, NEW).repo_id == run.repo_id
    assert [one.run for one in claimed(loom, BEA, "src/").blockers] == [run.id]


def test_what_a_clone_may_also_be_called_is_known_from_then_on_unless_it_is_taken(loom: Loom) -> None:
    started(loom, ANA, replace(FORK, identity="gh/Acme/Shop"))
    started(loom, BEA, replace(NEW, others=("taken", "gh/Acme/Shop")))
    started(loom, BEA, replace(NEW, others=("github.com/Acme/Shop",), clone="clone:third"))

    assert loom.repos.listed() == (
        RepoNames(repo_id="gh/Acme/Shop", names=(NEW.others[0], NEW.identity, "taken"), clones=3),
    )


def test_a_name_that_somebody_types_is_looked_up_and_not_kept(loom: Loom) -> None:
    started(loom, ANA, FORK)
    loom.notes.add(Checkout(identity="host:1/a", others=("host/1/a",)), who="ana", kind="fact", text="a fact")

    assert [one.repo_id for one in loom.repos.listed()] == [FORK.identity, "host:1/a"]
    assert loom.repos.id_of(Checkout(identity="host/1/a")) == "host/1/a"


def test_a_name_nobody_knows_stands_for_the_repository_here(loom: Loom) -> None:
    found = loom.repos.alias(FORK, "mirror/shop", who="ana")
    again = loom.repos.alias(FORK, "mirror/shop", who="ana")

    assert (found, found.repo_id, found.joined) == (again, FORK.identity, "")
    assert loom.repos.id_of(Checkout(identity="mirror/shop")) == FORK.identity
    assert [event.kind for event in loom.events.latest(FORK.identity, limit=9)[0]] == ["repo.joined"] * 2


def two_repositories(loom: Loom) -> None:
    """Each with a run, a claim, a note and an outcome that is over, evidence and a question to people."""
    for caller, checkout in ((ANA, OLD), (BEA, FORK)):
        started(loom, caller, checkout, key="nightly")
        claimed(loom, caller, "src/a.py")
        claimed(loom, caller, "src/b.py")
        loom.notes.share(caller, "", kind="decision", text=f"decided by {caller.principal}", patterns=["src/"])
        recorded(loom, caller, status="done", commits=["a" * 40])
        loom.evidence.add(checkout, "a" * 40, "build", passed=True, who="ci")
        assert decided_change(loom.policy, checkout, "ci", ASKING, LANDING).approval
        draft = DeployDraft(environment="production", sha="a" * 40, called="1", kind="first", covers=1)
        deploy = loom.deploys.record(checkout, draft, who="ci").deploy
        assert deploy
        loom.deploys.keep_commits(deploy.id, ["a" * 40], place=0, is_last=True)


def test_two_that_were_kept_apart_are_one_with_all_they_held(loom: Loom) -> None:
    two_repositories(loom)
    found = loom.repos.alias(OLD, FORK.identity, who="ana")
    events, _ = loom.events.since(OLD.identity, since=0, limit=99)
    notes, _ = loom.notes.latest(OLD.identity, limit=9)
    next_run = started(loom, BEA, FORK)

    assert (found.joined, loom.repos.id_of(FORK)) == (FORK.identity, OLD.identity)
    assert [note.text for note in notes] == ["decided by bea", "decided by ana"]
    assert [event.seq for event in events] == sorted({event.seq for event in events})
    assert next_run.seq > events[-1].seq
    assert [run.principal for run in loom.runs.latest(OLD.identity, limit=9)[0]] == ["bea", "bea", "ana"]
    assert rows_of(loom, FORK.identity) == {}
    assert rows_of(loom, OLD.identity) != {}
    assert claimed(loom, BEA, "src/a.py").claim


def rows_of(loom: Loom, repo_id: str) -> dict[str, int]:
    """How many rows of each table are of a repo."""
    counts = {}
    with loom.store.read() as tx:
        for name in tables_of_repos(loom):
            asked = Statement("test.rows", f"SELECT COUNT(*) AS rows FROM {name} WHERE repo_id = :repo_id")
            counts[name] = tx.all(asked, repo_id=repo_id)[0]["rows"]
    return {name: count for name, count in counts.items() if count}


def tables_of_repos(loom: Loom) -> set[str]:
    with loom.store.read() as tx:
        return {row["name"] for row in tx.all(TABLES_OF_REPOS)}


TABLES_OF_REPOS = Statement(
    "test.tables",
    "SELECT t.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c "
    "WHERE t.type = 'table' AND c.name = 'repo_id'",
    postgres="SELECT c.table_name AS name FROM information_schema.columns AS c JOIN information_schema.tables AS t "
    "ON t.table_schema = c.table_schema AND t.table_name = c.table_name "
    "WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' AND c.column_name = 'repo_id'",
)


def test_every_table_of_a_repository_is_moved(loom: Loom) -> None:
    """A table that is added later has to be moved too: it has to be told to `RepoService.alias`, and here."""
    loom.repos.listed()

    assert tables_of_repos(loom) == {
        *("run", "claim", "waiter", "path_key", "note", "outcome", "event", "repo_alias"),
        *("landed", "landed_file", "binding", "conflict", "decision", "sighting", "note_expiry", "imprint"),
        *("approval", "evidence", "notice", "attribution", "pull", "deploy", "deploy_commit"),
    }


def test_a_repository_with_a_live_run_is_not_joined(loom: Loom, clocks: Clocks) -> None:
    started(loom, ANA, OLD)
    run = started(loom, BEA, FORK)
    with pytest.raises(Invalid, match=f"{run.id} is live in {FORK.identity}; let it end"):
        loom.repos.alias(OLD, FORK.identity, who="ana")
    clocks.pass_minutes(600)

    assert loom.repos.alias(OLD, FORK.identity, who="ana").joined == FORK.identity


def test_a_repository_that_nobody_knows_takes_no_name(loom: Loom) -> None:
    with pytest.raises(NotFound, match="no repo host/typo is known here; see `loomstack-mcp repo list`"):
        loom.repos.alias(Checkout(identity="host/typo"), "mirror/shop", who="ana")

    assert loom.repos.listed() == ()


def test_what_both_had_as_landed_is_of_the_run_of_either_once_they_are_one(loom: Loom, clocks: Clocks) -> None:
    change = commit(7, "src/a.py", at_ms=clocks.wall_ms)
    started(loom, BEA, FORK)
    claimed(loom, BEA, "src/a.py", intent="gross prices")
    started(loom, ANA, OLD)
    recorded(loom, ANA, status="done")
    for checkout in (FORK, OLD):
        fill(loom, change, checkout=checkout)
    loom.ledger.keep_filled(OLD, [change.sha], "mark")
    recorded(loom, BEA, status="done", commits=[change.sha])
    loom.repos.alias(OLD, FORK.identity, who="ana")
    with loom.store.read() as tx:
        [left] = tx.all(REPOS["filled"], repo_id=OLD.identity)
    fill(loom, change, checkout=OLD)
    started(loom, ANA, OLD)

    assert left["filled"] == ""
    assert [one.text for one in claimed(loom, ANA, "src/").warnings] == ["gross prices"]
