"""A call is answered for the worktree that the caller works in, and nothing is clear that was not looked at."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loomstack_mcp.edge.here import Here
from tests.conftest import Run, commit_all, git
from tests.hooks.support import claude_call, claude_edit, hook, refused
from tests.wire import Server

BEFORE = "def price(item):\n    return item.net * 119 / 100\n\n\ndef total(items):\n    return sum(map(price, items))\n"
AFTER = BEFORE.replace("item.net * 119 / 100", "item.net")
TAX = "src/tax.py"


@pytest.fixture
def trunk(shop: Path) -> Path:
    """Bea's change has landed, and two worktrees began after it: one inside of the main one, one beside it."""
    (shop / TAX).write_text(BEFORE)
    commit_all(shop)
    (shop / TAX).write_text(AFTER)
    git(shop, "add", "--all")
    git(shop, "commit", "--quiet", "--author", "Bea <bea@shop>", "-m", "Net prices")
    git(shop, "worktree", "add", "--quiet", "-b", "feat", str(nested(shop)))
    git(shop, "worktree", "add", "--quiet", "-b", "beside", str(beside(shop)))
    return shop


def nested(shop: Path) -> Path:
    return shop / ".claude/worktrees/feat"


def beside(shop: Path) -> Path:
    return shop.parent / "beside"


@pytest.fixture
def server(trunk: Path, serve: Callable[..., Server]) -> Server:
    """Claude Code's server, in the main worktree, with a run of its session."""
    found = serve(CLAUDE_CODE_SESSION_ID="s-1")
    found.answer("start_run", loop="triage", goal="green")
    return found


class Seen:
    """Calls of the session's agents, each of which its hook saw."""

    def __init__(self, home: Path, server: Server) -> None:
        self.home, self.server, self.count = home, server, 0

    def __call__(self, tool: str, folder: Path, agent: str = "", /, **arguments: Any) -> dict[str, Any]:
        self.count += 1
        more = {"agent_id": agent} if agent else {}
        assert hook(self.home, "claude", claude_call(folder, tool, f"toolu_{self.count}", **more)) is None
        result = self.server.call(tool, arguments, meta={"claudecode/toolUseId": f"toolu_{self.count}"})
        if result.get("isError"):
            return {"error": result["content"][0]["text"]}
        answered: dict[str, Any] = result["structuredContent"]
        return answered


@pytest.fixture
def seen(tmp_path: Path, server: Server) -> Seen:
    return Seen(tmp_path, server)


def test_a_path_in_any_worktree_is_the_repository_s_path(
    trunk: Path, serve: Callable[..., Server], loomstack: Run, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(beside(trunk))
    spelled = {
        f"{nested(trunk)}/{TAX}": TAX, f".claude/worktrees/feat/{TAX}": TAX, f"{beside(trunk)}/src/": "src/",
        f"../beside/{TAX}": TAX, f"{beside(trunk)}/src/**/*.py": "src/**/*.py", f"{trunk}/app/[id]/page.tsx":
        "app/\\[id\\]/page.tsx", f"{beside(trunk)}/app/[id]/page.tsx": "app/\\[id\\]/page.tsx",
        f"{tmp_path}/link/{TAX}": TAX, f"../{trunk.name}/src/": "src/",
        str(nested(trunk)): "**", ".claude/agents/x.md": ".claude/agents/x.md",
    }  # fmt: skip
    for cwd in (trunk, nested(trunk)):
        server = serve(cwd=cwd)
        named = {path: shown for path, shown in spelled.items() if cwd == trunk or path.startswith("/")}
        for path, shown in named.items():
            server.answer("start_run", loop="triage", goal="green", paths=[path])
            note = server.answer("share_context", kind="fact", text="it is so", paths=[path])["note"]
            claim = server.answer("claim_paths", paths=[path], intent="mine", mode="shared")["claim"]
            claims, notes = (loomstack(what, "--json").stdout for what in ("claims", "notes"))

            assert (path, shown) == (path, _paths(claims, "claim", claim))
            assert (path, shown) == (path, _paths(notes, "note", note))


def _paths(printed: str, name: str, found: str) -> str:

    [row] = [row for row in json.loads(printed) if row[name] == found]
    return ", ".join(row["paths"]) if isinstance(row["paths"], list) else str(row["paths"])


def test_a_path_in_another_repository_is_refused_with_the_repository_that_it_belongs_to(
    trunk: Path, server: Server, tmp_path: Path
) -> None:
    git(tmp_path, "clone", "--quiet", str(trunk), "other")
    (tmp_path / "hostile").mkdir()
    (tmp_path / "hostile/.git").write_text(f"gitdir: {trunk}/.git\n")

    error = server.error("claim_paths", paths=[f"{tmp_path}/other/{TAX}"], intent="mine")
    assert f"{tmp_path}/other is in the repository at {tmp_path}/other, not in that of {trunk}" in error
    assert "git worktree list" in server.error("claim_paths", paths=[f"{tmp_path}/hostile/{TAX}"], intent="mine")
    assert "lies outside the repository" in server.error("claim_paths", paths=[f"{tmp_path}/x.py"], intent="mine")


def test_a_claim_on_a_link_holds_both_of_its_ends(trunk: Path, server: Server, tmp_path: Path) -> None:
    (trunk / "also").symlink_to("src")
    (trunk / "way.py").symlink_to("README.md")
    (trunk / "out").symlink_to(tmp_path)
    for path in ("also/a.py", "also/n*.py", "way.py", "out/x.py", "also"):
        server.answer("claim_paths", paths=[path], intent="mine")
    named = ["also/a.py", "src/a.py", "src/new.py", "way.py", "README.md", "out/x.py", "also/b.py", "src/b.py"]
    edits = (claude_edit(trunk, str(trunk / path), session="s-2") for path in named)

    assert [refused(hook(tmp_path, "claude", edit)) for edit in edits] == [*[True] * 7, False]


@pytest.mark.parametrize("where", [nested, beside])
def test_a_worktree_that_is_named_is_looked_at(trunk: Path, server: Server, where: Callable[[Path], Path]) -> None:
    (where(trunk) / TAX).write_text(BEFORE)

    found = server.answer("check_conflicts", worktree=str(where(trunk)))
    assert [one["kind"] for one in found["conflicts"]] == ["undo"]
    assert found["checked"]["worktree"] == str(where(trunk))
    assert server.answer("check_conflicts")["verdict"] == "clear"


def test_a_relative_worktree_is_meant_from_where_the_caller_stands(trunk: Path, server: Server, seen: Seen) -> None:
    (nested(trunk) / TAX).write_text(BEFORE)
    named = [
        (nested(trunk), "."),
        (nested(trunk) / "src", ".."),
        (trunk.parent, f"{trunk.name}/.claude/worktrees/feat"),
    ]

    for folder, worktree in named:
        found = seen("check_conflicts", folder, worktree=worktree)
        assert [one["kind"] for one in found["conflicts"]] == ["undo"]
        assert found["checked"]["worktree"] == str(nested(trunk))
    assert seen("check_conflicts", nested(trunk), worktree="../../..")["checked"]["worktree"] == str(trunk)
    assert "conflicts" in server.answer("check_conflicts", worktree=".claude/worktrees/feat")


def test_the_worktree_that_a_call_comes_from_is_looked_at(trunk: Path, server: Server, seen: Seen) -> None:
    (nested(trunk) / TAX).write_text(BEFORE)

    assert seen("check_conflicts", trunk)["verdict"] == "clear"
    assert [one["kind"] for one in seen("check_conflicts", nested(trunk) / "src")["conflicts"]] == ["undo"]
    assert [one["kind"] for one in seen("check_conflicts", nested(trunk))["conflicts"]] == ["undo"]
    assert seen("check_conflicts", beside(trunk))["verdict"] == "clear"
    assert seen("check_conflicts", trunk.parent)["verdict"] == "clear"  # a folder in which nothing can land


def test_a_folder_that_is_no_worktree_of_the_repository_is_never_clear(
    trunk: Path, server: Server, seen: Seen, tmp_path: Path
) -> None:
    git(tmp_path, "clone", "--quiet", str(trunk), "other")
    for name, lead in {"main": f"{trunk}/.git", "linked": f"{trunk}/.git/worktrees/feat"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / ".git").write_text(f"gitdir: {lead}\n")
    strange = [tmp_path / name for name in ("other", "main", "linked", "gone", "x" * 300)]

    named = {str(folder): server.answer("check_conflicts", worktree=str(folder)) for folder in strange}
    asked = {str(folder): server.answer("check_policy", action="commit", worktree=str(folder)) for folder in strange}
    stood = {str(folder): seen("check_conflicts", folder) for folder in strange}
    for folder in map(str, strange):
        assert named[folder]["verdict"] == asked[folder]["effect"] == stood[folder]["verdict"] == "warn"
        assert folder in named[folder]["unchecked"][0]
        assert folder in asked[folder]["unchecked"][0]
        assert folder in stood[folder]["unchecked"][0]
    assert server.answer("check_conflicts", worktree=str(tmp_path))["verdict"] == "warn"


def test_edits_that_were_not_looked_at_are_named_until_they_are(
    trunk: Path, server: Server, seen: Seen, tmp_path: Path
) -> None:
    assert hook(tmp_path, "claude", claude_edit(trunk, f"{beside(trunk)}/x.py")) is None
    before = server.answer("check_conflicts")
    commit = server.answer("check_policy", action="commit")
    edit = server.answer("check_policy", action="edit", paths=["src/a.py"])
    there = server.answer("check_conflicts", worktree=str(beside(trunk)))
    after = server.answer("check_conflicts")

    assert (before["verdict"], before["unchecked"]) == (
        "warn", [f"your edits in {beside(trunk)} were not looked at; ask with worktree={beside(trunk)}"]
    )  # fmt: skip
    assert (commit["effect"], commit["unchecked"]) == ("warn", before["unchecked"])
    assert (edit["effect"], "unchecked" in edit) == ("allow", False)
    assert (there["verdict"], after["verdict"]) == ("clear", "clear")
    assert hook(tmp_path, "claude", claude_edit(trunk, f"{beside(trunk)}/x.py")) is None
    assert server.answer("check_conflicts")["verdict"] == "warn"


def test_another_agent_s_and_another_session_s_edits_are_not_the_caller_s(
    trunk: Path, server: Server, seen: Seen, tmp_path: Path
) -> None:
    hook(tmp_path, "claude", claude_edit(trunk, f"{beside(trunk)}/x.py", agent_id="a1"))
    hook(tmp_path, "claude", claude_edit(trunk, f"{beside(trunk)}/x.py", session="s-2"))
    seen("start_run", trunk, "a1", loop="maker", goal="x")

    assert seen("check_conflicts", trunk)["verdict"] == "clear"
    assert seen("check_conflicts", trunk, "a1")["verdict"] == "warn"


def test_rules_are_those_of_the_worktree_that_the_caller_works_in(trunk: Path, server: Server, seen: Seen) -> None:
    (nested(trunk) / "policies").mkdir()
    (nested(trunk) / "policies/mine.yaml").write_text(
        "version: 1\npolicy: mine\nrules:\n  - id: tax-closed\n    why: it is closed here\n    effect: deny\n"
        f"    on: [edit]\n    where: {{paths: [/{TAX}]}}\n    fix: ask\n"
    )
    asked = {"action": "edit", "paths": [f"{nested(trunk)}/{TAX}"]}

    assert seen("check_policy", nested(trunk), **asked)["effect"] == "deny"
    assert server.answer("check_policy", worktree=str(nested(trunk)), **asked)["effect"] == "deny"
    assert seen("check_policy", trunk, **asked)["effect"] == "allow"


def test_a_rule_on_what_a_link_leads_to_holds_for_the_link_in_another_worktree(trunk: Path, server: Server) -> None:
    (trunk / "policies").mkdir()
    (trunk / "policies/mine.yaml").write_text(
        "version: 1\npolicy: mine\nrules:\n  - id: tax-closed\n    why: it is closed here\n    effect: deny\n"
        f"    on: [edit]\n    where: {{paths: [/{TAX}]}}\n    fix: ask\n"
    )
    (beside(trunk) / "rates.py").symlink_to(TAX)
    (beside(trunk) / "also").symlink_to("src")
    asked = [f"{beside(trunk)}/rates.py", f"{beside(trunk)}/also/tax.py", f"{beside(trunk)}/also/a.py"]

    effects = [server.answer("check_policy", action="edit", paths=[path])["effect"] for path in asked]
    assert effects == ["deny", "deny", "allow"]


def test_a_server_whose_worktree_is_gone_says_so(trunk: Path, serve: Callable[..., Server]) -> None:
    server = serve(cwd=beside(trunk))
    server.answer("start_run", loop="triage", goal="green")
    git(trunk, "worktree", "remove", str(beside(trunk)))

    for tool, given in (("check_conflicts", {}), ("check_policy", {"action": "commit"})):
        error = server.error(tool, **given)
        assert re.search(r"beside is gone.*; go to a", error)
    assert server.answer("check_conflicts", worktree=str(trunk))["verdict"] == "clear"


def test_a_run_is_where_its_agent_is(trunk: Path, seen: Seen, loomstack: Run) -> None:
    seen("start_run", nested(trunk), "a1", loop="maker", goal="x")

    assert '"feat"' in loomstack("runs", "--json").stdout


def test_sub_agents_are_told_apart_and_siblings_block_one_another(
    trunk: Path, server: Server, seen: Seen, tmp_path: Path
) -> None:
    def edit(agent: str, path: str) -> bool:
        more = {"agent_id": agent} if agent else {}
        return refused(hook(tmp_path, "claude", claude_edit(trunk, str(trunk / path), **more)))

    server.answer("claim_paths", paths=["docs/"], intent="the lead's")
    for agent in ("a1", "a2"):
        seen("start_run", trunk, agent, loop=agent, goal="make")
    claimed = seen("claim_paths", trunk, "a1", paths=["src/"], intent="the first one's")

    assert claimed["granted"] is True
    assert {agent: (edit(agent, "src/a.py"), edit(agent, f"docs/{agent}.md")) for agent in ("a1", "a2", "a3", "")} == {
        "a1": (False, False), "a2": (True, False), "a3": (True, False), "": (True, False),
    }  # fmt: skip
    second = seen("claim_paths", trunk, "a2", paths=["src/a.py"], intent="mine")
    assert second["granted"] is False
    assert "unauthorized" in seen("release_paths", trunk, "a2", run=second["blockers"][0]["run"])["error"]


@pytest.fixture
def around(trunk: Path) -> Path:
    """A folder that holds a bare repository and its worktrees, and no files of its own."""
    around = trunk.parent / "around"
    around.mkdir()
    git(around, "clone", "--quiet", "--bare", str(trunk), ".bare")
    (around / ".git").write_text("gitdir: ./.bare\n")
    git(around, "worktree", "add", "--quiet", "-b", "other", "tree", "main")
    return around


def test_from_the_folder_around_a_bare_repository_its_worktrees_are_worked_in(
    around: Path, tmp_path: Path, serve: Callable[..., Server], loomstack: Run
) -> None:
    server = serve(cwd=around, CLAUDE_CODE_SESSION_ID="s-around")
    run = server.answer("start_run", loop="feat", goal="x", paths=["tree/src"])["run"]
    claim = server.answer("claim_paths", paths=["tree/src/tax.py"], intent="mine")
    (around / "tree" / TAX).write_text(BEFORE)
    nowhere = server.error("check_conflicts")
    there = server.answer("check_conflicts", worktree="tree")
    held = json.loads(loomstack("claims", "--json", cwd=around).stdout)

    assert claim["granted"]
    assert [(one["run"], one["paths"]) for one in held] == [(run, [TAX])]
    assert refused(hook(tmp_path, "claude", claude_edit(around, str(around / "tree" / TAX), session="s-2")))
    assert "is in no git worktree; those of" in nowhere
    assert "name one: worktree=" in nowhere
    assert ([one["kind"] for one in there["conflicts"]], there["checked"]["worktree"]) == (
        ["undo"],
        str(around / "tree"),
    )


def test_the_folder_around_a_bare_repository_is_called_as_its_trunk_says(around: Path, tmp_path: Path) -> None:
    (around / "tree/.loomstack").mkdir()
    (around / "tree/.loomstack/config.yaml").write_text("repo: acme/shop\n")
    commit_all(around / "tree")
    git(around, "branch", "--quiet", "--force", "main", "other")
    here = Here(around, {"home": str(tmp_path / "loomstack")}, elsewhere="")
    with here.repository():
        identity = here.checkout().identity

    assert identity == "acme/shop"
