"""What git's hooks stop: commits of what others hold or rules forbid, and pushes that the gate would refuse."""

import time
from pathlib import Path

import pytest

from loomstack_mcp.adapters.git.worktree import worktree_at
from loomstack_mcp.adapters.pauses import write_pauses
from loomstack_mcp.adapters.user import principal
from loomstack_mcp.core.outcomes import CheckCounts
from loomstack_mcp.core.pauses import Pause
from loomstack_mcp.core.runs import Caller
from tests.conftest import git
from tests.hooks.git.clone import Clone

RULES = """\
version: 1
policy: shop
rules:
  - id: no-generated
    why: these files are made by machines
    effect: deny
    on: [commit]
    who: {kind: [loop, agent]}
    where: {paths: [/gen/**]}
    fix: run make gen
  - id: nobody-commits-keys
    why: keys live in the vault
    effect: deny
    on: [commit]
    where: {paths: ["*.pem"]}
  - id: ticket
    why: each change has a ticket
    effect: deny
    on: [commit]
    check: {message: "SHOP-[0-9]+"}
    fix: begin with the ticket
"""
ASKING = """\
version: 1
policy: shop
rules:
  - id: infra-asks
    why: machines cost money
    effect: require_approval
    approve: {by: [role:developer], not_maker: false}
    on: [push]
    where: {paths: [/infra/**]}
"""


@pytest.fixture
def ana(judged: Clone) -> Clone:
    return judged.by(CLAUDE_CODE_SESSION_ID="s-ana", CLAUDECODE="1")


@pytest.fixture
def ruled(judged: Clone) -> Clone:
    """A person's clone whose trunk has rules."""
    (judged.root / "policies").mkdir()
    (judged.root / "policies/shop.yaml").write_text(RULES)
    (judged.root / "gen").mkdir()
    git(judged.root, "add", "--all")
    git(judged.root, "commit", "--quiet", "--no-verify", "-m", "Rules")
    return judged


def held_by_bea(clone: Clone, *paths: str) -> str:
    tree = worktree_at(clone.root)
    assert tree
    with clone.opened() as loom:
        bea = Caller(principal="bea", session="claude:s-bea")
        run = loom.runs.start(bea, tree.checkout(), loop="refactor", goal="split", budget_tokens=100).run
        loom.claims.claim_paths(bea, run.id, patterns=paths, intent="split a.py", mode="exclusive", ttl_ms=900_000)
    return run.id


def made_by_bea(clone: Clone, sha: str) -> None:
    run = held_by_bea(clone, "src/a.py")
    with clone.opened() as loom:
        loom.outcomes.record(
            Caller(principal="bea", session="claude:s-bea"),
            run,
            status="done",
            summary="net",
            role="maker",
            checks=CheckCounts(passed=1),
            commits=[sha],
        )


def test_a_commit_of_what_another_holds_is_stopped_with_who_and_why(ana: Clone, judged: Clone) -> None:
    run = held_by_bea(ana, "src/**")
    before = ana.head
    stopped = ana.commit(status=1, files={"src/a.py": "mine"})
    by_hand = judged.run("commit", "--quiet", "-m", "By hand")

    assert before != judged.head
    assert f"src/a.py is claimed by {run} (refactor@bea: “split a.py”)" in stopped.stderr
    assert "this commit was stopped" in stopped.stderr
    assert len(stopped.stderr) <= 800  # 200 tokens
    assert "src/a.py is claimed by" in by_hand.stderr  # told, for claims bind no person


def test_a_person_is_told_what_an_agent_of_theirs_is_editing_and_not_stopped(judged: Clone) -> None:
    tree = worktree_at(judged.root)
    assert tree
    with judged.opened() as loom:
        agent = Caller(principal=principal(), session="claude:s-ana")
        loom.edits.hold(agent, tree.checkout(), ["src/a.py"])
    done = judged.commit(files={"src/a.py": "by hand"})

    assert "src/a.py is being edited by run_" in done.stderr
    assert "claim_paths" not in done.stderr


def test_rules_bind_agents_and_people_each_by_their_own(ruled: Clone) -> None:
    agent = ruled.by(CLAUDE_CODE_SESSION_ID="s-ana")
    ticket = ("-m", "SHOP-1 Work")
    generated = agent.commit(*ticket, status=1, files={"gen/a.py": "1"})
    ruled.commit(*ticket, files={"gen/a.py": "1"})
    keys = [one.commit(*ticket, status=1, files={"a.pem": "1"}) for one in (agent, ruled)]

    assert (
        "deny no-generated: these files are made by machines [path gen/a.py matches /gen/**] → run make gen"
        in generated.stderr
    )
    assert ["nobody-commits-keys" in done.stderr for done in keys] == [True, True]


def test_a_message_is_judged_as_it_was_written(ruled: Clone) -> None:
    agent = ruled.by(CLAUDE_CODE_SESSION_ID="s-ana")
    stopped = agent.commit("-m", "Work", status=1)
    agent.run("commit", "--quiet", "-m", "SHOP-2 Work")

    assert "ticket: each change has a ticket" in stopped.stderr
    assert "this message was stopped" in stopped.stderr
    assert agent.message.startswith("SHOP-2 Work\n\nLoom-Run: run_")


def test_rules_that_do_not_load_and_a_store_that_cannot_be_read_stop_nobody_and_are_said(ana: Clone) -> None:
    (ana.home / "loomstack/loom.db").write_bytes(b"not a database")
    unreadable = ana.commit()
    (ana.root / "policies").mkdir()
    (ana.root / "policies/shop.yaml").write_text("version: 1\nrules: nonsense\n")
    broken = ana.commit()

    assert "pre-commit did not check this: policy_error" in broken.stderr
    assert "pre-commit did not check this: store_unavailable" in unreadable.stderr
    assert ana.message == "Work"


def test_while_a_person_has_paused_nothing_is_stopped_and_that_is_said(ana: Clone) -> None:
    held_by_bea(ana, "src/**")
    now_ms = round(time.time() * 1_000)
    pause = Pause(repo="", session="claude:s-ana", who="dana", since_at_ms=now_ms, until_at_ms=now_ms + 60_000)
    write_pauses(str(ana.home / "loomstack"), [pause])
    done = ana.commit(files={"src/a.py": "mine"})

    assert "pre-commit did not check this: paused" in done.stderr
    assert ana.message == "Work"


def test_in_another_git_folder_than_the_files_tell_nothing_is_said_to_be_checked(ana: Clone, tmp_path: Path) -> None:
    other = tmp_path / "other.git"
    (ana.root / ".git").rename(other)
    place = ["--git-dir", str(other), "--work-tree", str(ana.root)]
    ana.run(*place, "config", "core.bare", "false")
    (ana.root / "new").write_text("1")
    ana.run(*place, "add", "new")
    done = ana.run(*place, "commit", "--quiet", "-m", "Work")

    assert "did not check this" in done.stderr


def test_a_push_to_the_trunk_that_takes_back_what_was_meant_is_stopped(judged: Clone, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "origin.git")
    git(judged.root, "remote", "add", "origin", str(tmp_path / "origin.git"))
    text = "".join(f"def price_{number}(item):\n    return item.net * {number} / 100\n\n" for number in range(5))
    judged.commit(files={"src/a.py": text})
    judged.run("push", "--quiet", "--no-verify", "--set-upstream", "origin", "main")
    judged.write({"src/a.py": text.replace(" / 100", "")})
    judged.run("commit", "--quiet", "--no-verify", "-m", "Net prices")
    judged.run("push", "--quiet", "--no-verify", "origin", "main")
    made_by_bea(judged, judged.head)
    judged.write({"src/a.py": text})
    ana = judged.by(CLAUDE_CODE_SESSION_ID="s-ana", CLAUDECODE="1")
    ana.run("commit", "--quiet", "--no-verify", "-m", "Fix the test")
    before = git(tmp_path / "origin.git", "rev-parse", "main")
    stopped = ana.run("push", "--quiet", "origin", "main", status=1)
    forced = ana.run("push", "--quiet", "--force", str(tmp_path / "origin.git"), "main", status=1)
    branch = ana.run("push", "--quiet", "origin", "HEAD:refs/heads/fix")

    assert git(tmp_path / "origin.git", "rev-parse", "main") == before
    assert ["Net prices" in done.stderr for done in (stopped, forced, branch)] == [True, True, True]
    assert "this push was stopped" in stopped.stderr
    assert "was stopped" not in branch.stderr


def test_a_push_of_many_refs_says_the_same_once_and_asks_people_few_questions(judged: Clone, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "origin.git")
    git(judged.root, "remote", "add", "origin", str(tmp_path / "origin.git"))
    (judged.root / "policies").mkdir()
    judged.write({"policies/shop.yaml": ASKING})
    judged.run("commit", "--quiet", "--no-verify", "-m", "Rules")
    judged.run("push", "--quiet", "--no-verify", "--set-upstream", "origin", "main")
    (judged.root / "infra").mkdir()
    judged.write({"infra/a.tf": "x"})
    judged.run("commit", "--quiet", "--no-verify", "-m", "Infra")
    for number in range(6):
        judged.run("branch", f"b{number}")
    agent = judged.by(CLAUDE_CODE_SESSION_ID="s-ana", CLAUDECODE="1")
    said = agent.run("push", "--quiet", "origin", "refs/heads/b*:refs/heads/b*", status=1).stderr

    assert "refs/heads/b0, refs/heads/b1 and 4 refs more: require_approval infra-asks" in said
    assert said.count("infra-asks") == 1
    assert said.count("loomstack-mcp approve apr_") == 3
    assert "refs/heads/b3, refs/heads/b4 and 1 ref more: was not asked" in said


def test_without_a_branch_of_the_remote_a_push_is_said_to_be_unchecked(judged: Clone, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "origin.git")
    done = judged.run("push", "--quiet", str(tmp_path / "origin.git"), "main")

    assert "pre-push did not check this" in done.stderr
    assert (tmp_path / "origin.git/refs/heads/main").exists()
