"""A new worktree is told of what it lacks; and of a session's agents, the one that works there commits."""

from pathlib import Path

from loomstack_mcp.adapters.git.worktree import worktree_at
from loomstack_mcp.adapters.user import principal
from loomstack_mcp.core.runs import Caller
from tests.hooks.git.clone import Clone


def sub_agent(clone: Clone, root: Path, *paths: str) -> str:
    """A run that a sub-agent of the session started there, with what it holds."""
    tree = worktree_at(root)
    assert tree
    caller = Caller(principal=principal(), session="claude:s-ana", agent="sub")
    with clone.opened() as loom:
        run = loom.runs.start(caller, tree.checkout(), loop="tests", goal="write them", budget_tokens=100).run
        if paths:
            loom.claims.claim_paths(caller, run.id, patterns=paths, intent="tests", mode="exclusive", ttl_ms=900_000)
    return run.id


def test_a_worktree_without_the_clients_files_is_told_so_and_gets_none(clone: Clone, tmp_path: Path) -> None:
    (clone.root / ".mcp.json").write_text('{"mcpServers": {"loomstack": {"command": "loomstack-mcp"}}}')
    done = clone.run("worktree", "add", "--quiet", "../tree")
    clone.run("add", ".mcp.json")
    clone.run("commit", "--quiet", "-m", "Together")
    again = clone.run("worktree", "add", "--quiet", "../other")
    there = clone.run("checkout", "--quiet", "-b", "side")

    assert "it has no .mcp.json of ours" in done.stderr
    assert not (tmp_path / "tree/.mcp.json").exists()
    assert (again.stderr, there.stderr) == ("", "")


def test_a_sub_agent_commits_in_the_worktree_where_it_alone_works(ana: Clone, tmp_path: Path) -> None:
    ana.commit()
    ana.run("worktree", "add", "--quiet", "../tree")
    run = sub_agent(ana, tmp_path / "tree")
    there = ana.at(tmp_path / "tree")
    there.commit()
    ana.commit()

    assert (there.runs_named(), there.makers()) == ([run], [run])
    assert ana.runs_named() == [ana.runs()["claude:s-ana/"].id]


def test_beside_its_session_a_sub_agent_commits_what_it_alone_holds(ana: Clone) -> None:
    ana.commit()
    run = sub_agent(ana, ana.root, "src/a.py")
    ana.commit(files={"src/a.py": "1"})
    its = ana.runs_named()
    ana.commit(files={"src/b.py": "1"})

    assert its == [run]
    assert ana.runs_named() == [ana.runs()["claude:s-ana/"].id]


def test_a_session_commits_what_its_sub_agents_hold(judged: Clone) -> None:
    ana = judged.by(CLAUDE_CODE_SESSION_ID="s-ana")
    ana.commit()
    sub_agent(ana, ana.root, "src/a.py")
    done = ana.commit(files={"src/a.py": "1", "src/b.py": "1"})

    assert done.stderr == ""
