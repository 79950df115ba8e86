"""What keeps Codex's agents from writing, and what does not: the reason for the hook, and for `--add-dir .git`."""

from pathlib import Path

from tests.clients.drive_codex import apply_patch, mcp_call, run_codex, spawn_agent, wait_agent
from tests.clients.script import Moment, Script, Turn, call
from tests.clients.stories.codex_hands import Codex
from tests.clients.stories.hands import lane
from tests.clients.test_clients import PATH, Team, codex_json, pytestmark, team
from tests.conftest import git

__all__ = ["pytestmark", "team"]
COMMIT = call("exec_command", {"cmd": "git -c user.name=you -c user.email=you@x commit --allow-empty --message x"})


def patch(name: str) -> Turn:
    return apply_patch(f"*** Begin Patch\n*** Add File: {name}\n+x = 1\n*** End Patch\n")


def commits(shop: Path) -> int:
    return int(git(shop, "rev-list", "--count", "HEAD"))


def test_a_read_only_role_writes_all_the_same_until_the_hook_knows_that_it_checks(team: Team) -> None:
    role = team.shop / ".codex/agents/checker.toml"
    role.write_text(f'sandbox_mode = "read-only"\n{role.read_text()}')
    made = mcp_call("loomstack", "start_run", {"loop": "amounts", "goal": "read them"})

    def check(moment: Moment) -> Turn:
        run = codex_json(moment.all_results[0].text)["run"]
        return spawn_agent(f"check {run}", "checker")

    def started(moment: Moment) -> Turn:
        [run] = [word for word in str(moment.request["input"]).split() if word.startswith("run_")][:1]
        return mcp_call("loomstack", "start_run", {"loop": "check", "goal": "check", "checks_run": run[:12]})

    lead: list[Turn] = [made, check, lambda moment: wait_agent(moment.results[-1].json["agent_id"]), "done"]
    checker: list[Turn] = [patch("before.py"), started, patch("after.py"), "checked"]
    script = Script(lead, [lane(Codex(PATH), "checker", checker)])
    done = run_codex(
        script, cwd=team.shop, home=team.home, env=team.env, trust=True, path=PATH,
        args=["--dangerously-bypass-hook-trust"],
    )  # fmt: skip

    assert (done.rc, script.errors, script.overflow) == (0, [], [])
    assert "who checks changes nothing" in done.results("checker")[-1].text
    assert [(team.shop / name).exists() for name in ("before.py", "after.py")] == [True, False]


def test_codex_commits_where_the_git_folder_is_added(team: Team) -> None:
    before = commits(team.shop)
    shut = team.codex([COMMIT, "done"]).results()[0].text
    between = commits(team.shop)
    team.codex([COMMIT, "done"], args=["--add-dir", ".git"])

    assert "fatal: Unable to create" in shut
    assert (between, commits(team.shop)) == (before, before + 1)
