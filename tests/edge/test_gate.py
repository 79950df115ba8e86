"""The final judgement, asked directly: landings, deployments and pushes, with a store and without."""

from pathlib import Path

import pytest

from loomstack_mcp.core.errors import NotFound, PolicyError, StoreUnavailable
from loomstack_mcp.core.policy.violations import Unknown
from loomstack_mcp.edge.gate import Gate, Judgement, Update
from loomstack_mcp.edge.here import unwatched
from loomstack_mcp.loom import open_loom
from tests.adapters.git.support import ZERO, commit
from tests.conftest import commit_all, git
from tests.edge.support import here, landed_rules, named, rules
from tests.factories import SHOP

MAIN = "refs/heads/main"
PEOPLE_MAY = "    who: {kind: [loop, agent]}\n"
STORE_KNOWS = "    check: {claims: held}\n"
SIGNED = "Work\n\nLoom-Run: run_ABCDEFGH"


def gate(folder: Path, *, actor: str = "", git_only: bool = False) -> Gate:
    return Gate(here(folder, folder.parent / "home"), actor=actor, git_only=git_only, progress=unwatched)


def found(judged: Judgement) -> tuple[int, list[str]]:
    return judged.status, named(judged.decision.fired)


@pytest.fixture
def work(shop: Path) -> Path:
    """A branch that touches what a rule of the trunk closes."""
    landed_rules(shop, "closed")
    git(shop, "checkout", "--quiet", "-b", "work")
    commit(shop, {"src/a.py": "work\n"})
    return shop


@pytest.fixture
def hub(shop: Path, tmp_path: Path) -> Path:
    """What is pushed to; its trunk closes `src/`."""
    landed_rules(shop, "closed")
    git(tmp_path, "clone", "--quiet", "--bare", str(shop), "hub.git")
    git(shop, "remote", "add", "hub", str(tmp_path / "hub.git"))
    return tmp_path / "hub.git"


def sent(shop: Path, files: dict[str, str]) -> tuple[str, str]:
    """A new commit whose objects the hub has, though no ref of it: before, after."""
    before = git(shop, "rev-parse", "HEAD")
    after = commit(shop, files)
    git(shop, "push", "--quiet", "hub", "HEAD:refs/incoming/one")
    return before, after


@pytest.mark.parametrize("name", ["work", "main"])
def test_a_landing_is_judged_by_the_rules_of_where_it_lands(work: Path, name: str) -> None:
    landed_rules(work)
    git(work, "tag", name, "HEAD~2")

    assert found(gate(work).landing("main", "work")) == (2, ["closed"])
    assert found(gate(work).landing("work", "main")) == (0, [])


def test_a_landing_of_unrelated_histories_is_judged_by_its_trees_and_says_so(work: Path) -> None:
    git(work, "checkout", "--quiet", "--orphan", "apart")
    commit(work, {"src/b.py": "apart\n"})

    judged = gate(work, git_only=True).landing("main", "apart")

    assert found(judged) == (2, ["closed"])
    assert ["have no commit in common: judged by how their trees differ" in gap for gap in judged.gaps] == [True]


def test_a_landing_with_a_store_asks_the_ledger_and_without_one_or_by_git_alone_does_not(work: Path) -> None:
    without = gate(work).landing("main", "work")
    with open_loom(here(work, work.parent / "home").settings) as loom:
        loom.ledger.key(SHOP)
    by_git = gate(work, git_only=True).landing("main", "work")
    asked = gate(work).landing("main", "work")

    assert (without.conflicts, by_git.conflicts) == (None, None)
    assert asked.conflicts
    assert (asked.conflicts.verdict, found(asked), found(without)) == ("clear", (2, ["closed"]), (2, ["closed"]))


def test_rules_that_ask_the_store_are_refused_without_one_and_listed_by_git_alone(work: Path) -> None:
    git(work, "checkout", "--quiet", "main")
    landed_rules(work, "held", "closed", more=STORE_KNOWS)
    with pytest.raises(StoreUnavailable, match="closed, held ask what only the store knows"):
        gate(work).landing("main", "work")

    judged = gate(work, git_only=True).landing("main", "work")

    assert (found(judged), judged.skipped) == ((0, []), ("closed", "held"))


@pytest.mark.parametrize(("actor", "message", "status"), [("", "Work", 2), ("dana", "Work", 0), ("dana", SIGNED, 2)])
def test_a_person_may_what_a_loop_may_not_but_not_with_a_run_s_commits(
    shop: Path, actor: str, message: str, status: int
) -> None:
    landed_rules(shop, "closed", more=PEOPLE_MAY)
    git(shop, "checkout", "--quiet", "-b", "work")
    (shop / "src/a.py").write_text("work\n")
    commit_all(shop, message)
    commit_all(shop, "Another, by hand")

    assert gate(shop, actor=actor).landing("main", "work").status == status


def test_what_runs_signed_on_the_trunk_already_is_not_held_against_a_person(shop: Path) -> None:
    landed_rules(shop, "closed", more=PEOPLE_MAY)
    commit_all(shop, SIGNED)
    git(shop, "checkout", "--quiet", "-b", "work")
    commit(shop, {"src/a.py": "work\n"})

    assert gate(shop, actor="dana").landing("main", "work").status == 0


@pytest.mark.parametrize(("base", "head"), [("gone", "work"), ("main", "gone"), ("--all", "work"), ("", "work")])
def test_what_is_no_commit_lands_nowhere(work: Path, base: str, head: str) -> None:
    with pytest.raises(NotFound, match="no commit here"):
        gate(work).landing(base, head)


def test_a_landing_whose_objects_are_missing_is_not_waved_through(work: Path) -> None:
    gone = git(work, "rev-parse", "work:src")
    (work / ".git/objects" / gone[:2] / gone[2:]).unlink()

    with pytest.raises(Unknown):
        gate(work).landing("main", "work")


def test_rules_of_the_trunk_that_do_not_load_stop_all(work: Path) -> None:
    git(work, "checkout", "--quiet", "main")
    landed_rules(work, "closed", effect="dney")

    with pytest.raises(PolicyError, match=r"closed\.yaml"):
        gate(work).landing("main", "work")


def test_a_deployment_is_judged_by_the_trunk_wherever_one_stands(work: Path) -> None:
    git(work, "checkout", "--quiet", "main")
    landed_rules(work, "frozen")
    text = (work / "policies/frozen.yaml").read_text()
    commit(work, {"policies/frozen.yaml": text.replace('{paths: ["/src/**"]}', "{environment: [prod]}")})
    git(work, "checkout", "--quiet", "work")

    assert found(gate(work).deploy("prod")) == (2, ["frozen"])
    assert found(gate(work).deploy("test")) == (0, [])


def test_a_push_is_judged_by_the_rules_that_it_would_remove(hub: Path, shop: Path) -> None:
    rules(shop)
    before, after = sent(shop, {"src/a.py": "work\n"})

    [judged] = gate(hub).push([Update(old=before, new=after, ref=MAIN)])

    assert found(judged) == (2, ["closed"])


def test_each_ref_of_a_push_is_judged_by_itself(hub: Path, shop: Path) -> None:
    before, after = sent(shop, {"README.md": "fine\n"})
    _, closed = sent(shop, {"src/a.py": "work\n"})
    updates = [
        Update(old=before, new=after, ref=MAIN),
        Update(old=ZERO, new=closed, ref="refs/heads/new"),
        Update(old=before, new=ZERO, ref="refs/heads/old"),
    ]

    judged = list(gate(hub).push(updates))

    assert [one.status for one in judged] == [0, 2, 0]


def test_the_first_push_to_an_empty_repository_has_no_rules_but_those_built_in(shop: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "new.git")
    git(shop, "remote", "add", "hub", str(tmp_path / "new.git"))
    _, after = sent(shop, {"src/b.py": "x\n"})

    [judged] = gate(tmp_path / "new.git").push([Update(old=ZERO, new=after, ref=MAIN)])

    assert found(judged) == (0, [])


@pytest.mark.parametrize("head", ["ref: refs/heads/gone", "1" * 40])
def test_a_repository_whose_head_names_no_branch_judges_no_push(hub: Path, shop: Path, head: str) -> None:
    before, after = sent(shop, {"README.md": "fine\n"})
    (hub / "HEAD").write_text(f"{head}\n")

    with pytest.raises(NotFound, match=r"names (refs/heads/gone|a commit), which is no branch"):
        list(gate(hub).push([Update(old=before, new=after, ref=MAIN)]))


@pytest.mark.parametrize(("actor", "message", "status"), [("dana", "Work", 0), ("dana", SIGNED, 2), ("", "Work", 2)])
def test_a_push_of_a_run_s_commits_is_a_loop_s(hub: Path, shop: Path, actor: str, message: str, status: int) -> None:
    landed_rules(shop, "closed", more=PEOPLE_MAY)
    commit_all(shop, SIGNED)  # which the trunk has already
    git(shop, "push", "--quiet", "hub", "main")
    before = git(shop, "rev-parse", "HEAD")
    (shop / "src/a.py").write_text("work\n")
    commit_all(shop, message)
    _, after = sent(shop, {"README.md": "more\n"})

    [judged] = gate(hub, actor=actor).push([Update(old=before, new=after, ref="refs/heads/work")])

    assert judged.status == status


def test_a_push_of_what_is_not_there_is_unknown(hub: Path) -> None:
    with pytest.raises(Unknown, match="no commit here"):
        list(gate(hub).push([Update(old=ZERO, new="1" * 40, ref=MAIN)]))


PRODUCTION = """  - id: frozen
    why: nothing moves on production
    effect: deny
    on: [push, land]
    where: {branch: [production]}
  - id: small
    why: large changes are read in parts
    effect: deny
    on: [push, land]
    check: {limits: {files_max: 0}}
"""


def test_a_branch_moved_to_what_the_trunk_has_is_judged_as_a_move_and_not_for_its_content(
    hub: Path, shop: Path
) -> None:
    old = landed_rules(shop, "closed", more=PRODUCTION)
    new = commit(shop, {"src/a.py": "landed\n"})
    git(shop, "push", "--quiet", "hub", "main", f"{old}:refs/heads/production", f"{old}:refs/heads/staging")
    moves = [Update(old=old, new=new, ref=f"refs/heads/{name}") for name in ("production", "staging")]
    git(shop, "branch", "--quiet", "production", old)

    assert [found(judged) for judged in gate(hub).push(moves)] == [(2, ["frozen"]), (0, [])]
    assert found(gate(shop).landing("production", "main")) == (2, ["frozen"])
    assert found(gate(shop).landing(old, "main"))[1] == ["closed", "frozen", "small"]


def test_what_a_branch_has_beyond_the_trunk_is_still_judged(hub: Path, shop: Path) -> None:
    old = git(shop, "rev-parse", "HEAD")
    commit(shop, {"src/a.py": "landed\n"})
    git(shop, "push", "--quiet", "hub", "main", f"{old}:refs/heads/production")
    _, new = sent(shop, {"src/b.py": "more\n"})

    [judged] = gate(hub).push([Update(old=old, new=new, ref="refs/heads/production")])

    [reason] = [one for one in judged.decision.reasons if one.rule.id == "closed"]
    assert [one.path for one in reason.violations] == ["src/b.py"]
