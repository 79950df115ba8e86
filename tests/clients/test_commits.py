"""The real clients' own shells: what an agent commits there names its run, though it never called a tool of ours."""

from loomstack_mcp.adapters.settings import load_settings
from loomstack_mcp.loom import open_loom
from tests.clients.script import call
from tests.clients.test_clients import Team, pytestmark, team
from tests.clients.test_worktrees import agent, lane
from tests.conftest import git

__all__ = ["pytestmark", "team"]
IDENTITY = "-c user.name=test -c user.email=test@localhost"


def commit(name: str) -> str:
    return f"echo 1 > {name} && git add {name} && git {IDENTITY} commit --quiet -m 'Add {name}'"


def test_what_claude_code_and_its_sub_agent_commit_is_their_session_s(team: Team) -> None:
    with open_loom(load_settings({}, environment=team.env)) as loom:
        loom.repos.listed()
    done = team.claude(
        [call("Bash", {"command": commit("one")}), agent("add two", run_in_background=False), "done"],
        lanes=[lane("add two", [call("Bash", {"command": commit("two")}), "done"])],
        args=["--allowedTools", "Bash"],
    )
    named = git(team.shop, "log", "-2", "--format=%s %(trailers:key=Loom-Run,valueonly,separator=%x2C)").splitlines()
    with open_loom(load_settings({}, environment=team.env)) as loom:
        sub, own = loom.runs.latest(loom.repos.ids()[0], limit=9)[0]

    assert [result.is_error for result in done.results()] == [False, False]
    # The shell of a sub-agent that holds nothing of what it commits looks as its session's does.
    assert named == [f"Add two {own.id}", f"Add one {own.id}"]
    assert (own.origin, sub.parent_id) == ("session", own.id)


def test_what_codex_commits_is_its_session_s_in_its_sandbox_too_where_the_store_can_be_written(team: Team) -> None:
    with open_loom(load_settings({}, environment=team.env)) as loom:
        loom.repos.listed()
    team.codex([call("exec_command", {"cmd": commit("one")}), "done"], sandbox="danger-full-access")
    team.codex([call("exec_command", {"cmd": commit("two")}), "done"], args=["--add-dir", str(team.shop / ".git")])
    named = git(team.shop, "log", "-2", "--format=%s %(trailers:key=Loom-Run,valueonly,separator=%x2C)").splitlines()
    with open_loom(load_settings({}, environment=team.env)) as loom:
        runs = loom.runs.latest(loom.repos.ids()[0], limit=9)[0]

    assert [run.session.partition(":")[0] for run in runs] == ["codex", "codex"]
    assert named == [f"Add two {runs[0].id}", f"Add one {runs[1].id}"]
