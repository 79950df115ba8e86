"""Both plugins in the real clients: installed as their READMEs say, used in a session, and removed."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.agents.definitions import CLAUDE as CLAUDE_PLUGIN
from tests.agents.definitions import CODEX as CODEX_PLUGIN
from tests.agents.definitions import ROOT, Definition, agents, skills
from tests.clients.client_run import ClientRun, ran
from tests.clients.drive_claude import CLAUDE, ClaudeRun, run_claude, start_agent
from tests.clients.drive_codex import CODEX, CodexRun, apply_patch, run_codex, spawn_agent
from tests.clients.fake_anthropic import tools_sent
from tests.clients.script import Call, Lane, Script, call
from tests.clients.test_clients import PATH, pytestmark
from tests.conftest import COMMAND
from tests.server.front.definitions import FILE
from tests.wire import Server

__all__ = ["pytestmark"]
OURS = "mcp__loomstack"
TOOLS = [tool["name"] for tool in json.loads(FILE.read_text("utf-8"))["results"]["tools/list"]["tools"]]
HELD = "is claimed by run_"
THEIRS = {"model": "opus", "permissions": {"allow": [OURS]}}
"""What the person's own settings of Claude Code say before the plugin."""


@dataclass
class Home:
    """A person's home folder, and what a client did there from a plugin's coming to its going."""

    folder: Path
    shop: Path
    env: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        clients = os.pathsep.join(str(Path(client).parent) for client in (CLAUDE, CODEX))
        quiet = {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1"}
        self.env = {"HOME": str(self.folder), "PATH": f"{clients}{os.pathsep}{PATH}", **quiet}

    def does(self, readme: Path, number: int) -> None:
        """The lines of that block of a README, in a clone of this repository."""
        for line in re.findall(r"```sh\n(.*?)```", readme.read_text("utf-8"), re.DOTALL)[number].splitlines():
            status, out, err = self.says(*line.split())
            assert status == 0, f"{line}: {out}{err}"

    def says(self, *command: str) -> tuple[int, str, str]:
        return ran(command, cwd=ROOT, env=self.env, quiet_s=60)

    def that_name_us(self) -> set[str]:
        """The files in which our name stands, by the folder that they are in, two levels down from the home."""
        files = (path for path in self.folder.rglob("*") if path.is_file() and b"loomstack" in path.read_bytes())
        return {"/".join(path.relative_to(self.folder).parts[:2]) for path in files}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, _shop: Path) -> Iterator[Home]:
    """A repository in which somebody's run holds `src/`."""
    folder = tmp_path_factory.mktemp("plugins")
    home = Home(folder / "home", Path(shutil.copytree(_shop, folder / "shop")))
    (home.folder / ".claude").mkdir(parents=True)
    (home.folder / ".claude/settings.json").write_text(json.dumps(THEIRS))
    with Server(COMMAND, env=home.env, cwd=home.shop) as holder:
        holder.initialize()
        holder.answer("start_run", loop="refactor", goal="net prices")
        assert holder.answer("claim_paths", paths=["src/"], intent="prices become net")["granted"]
        yield home


@pytest.fixture(scope="module")
def claude(home: Home) -> ClaudeRun:
    """A session with the plugin beside the hook that `init` writes; each agent is started, the maker edits."""
    home.does(CLAUDE_PLUGIN / "README.md", 0)
    (home.shop / ".claude").mkdir()
    shutil.copy(CLAUDE_PLUGIN / "hooks/hooks.json", home.shop / ".claude/settings.json")
    edit = call("Write", {"file_path": "src/new.py", "content": "x = 1\n"})
    lanes = [lane(agent, [edit, "done"] if agent.name == "maker" else ["done"]) for agent in agents()]
    script = Script([call("Skill", {"skill": "loom-run"}), [started(agent) for agent in agents()], "done"], lanes)
    args = ["--permission-mode", "acceptEdits", "--allowedTools", "Skill"]
    done = run_claude(script, cwd=home.shop, home=home.folder, args=args, strict=False, path=PATH)
    assert (done.rc, script.errors, script.overflow) == (0, [], []), done.stderr
    home.does(CLAUDE_PLUGIN / "README.md", 1)
    return done


def lane(agent: Definition, turns: list[Any]) -> Lane:
    return Lane(lambda request: f"PLAY-{agent.name}" in json.dumps(request["messages"][0]), turns, agent.name)


def started(agent: Definition) -> Call:
    return start_agent(f"loomstack:{agent.name}", f"PLAY-{agent.name}")


def sent(done: ClientRun, lane: str = "main", *, at: int = -1) -> str:
    """All that a model read in one request."""
    return json.dumps(done.lane(lane)[at]["body"], ensure_ascii=False)


def as_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def test_claude_code_finds_nothing_wrong_with_plugin_and_marketplace(home: Home) -> None:
    plugin = home.says("claude", "plugin", "validate", "./claude_agents", "--strict", "--profile", "directory")
    market = home.says("claude", "plugin", "validate", "./", "--strict")

    assert (plugin[0], market[0]) == (0, 0), (plugin, market)


def test_claude_code_offers_each_agent_and_skill_of_the_plugin(claude: ClaudeRun) -> None:
    offered = sent(claude, at=0)

    for one in [*agents(), *skills()]:
        assert f"- loomstack:{one.name}: {as_json(one.fields['description'])}" in offered


def test_a_skill_of_the_plugin_is_found_by_its_own_name(claude: ClaudeRun) -> None:
    [run] = [skill for skill in skills() if skill.name == "loom-run"]

    assert as_json(run.body.strip()) in sent(claude)


@pytest.mark.parametrize("agent", agents(), ids=lambda agent: agent.name)
def test_an_agent_has_its_text_and_the_tools_it_names(claude: ClaudeRun, agent: Definition) -> None:
    wanted = {tool for tool in agent.tools if tool != OURS}
    wanted |= {f"{OURS}__{tool}" for tool in TOOLS} if OURS in agent.tools else set()
    body = claude.lane(agent.name)[0]["body"]

    assert as_json(agent.body.strip()) in json.dumps(body["system"], ensure_ascii=False)
    assert {*tools_sent(body)} - {"DeferredToolPlaceholder"} == wanted


def test_two_hooks_refuse_an_edit_of_a_held_path_as_one(home: Home, claude: ClaudeRun) -> None:
    replies = [event["stdout"] for event in claude.events if event.get("subtype") == "hook_response"]
    [refused] = claude.results("maker")

    assert [HELD in reply for reply in replies].count(True) == 2
    assert refused.text.count(HELD) == 1
    assert not (home.shop / "src/new.py").exists()


def test_claude_code_keeps_its_copy_and_its_transcripts_and_nothing_else_of_us(home: Home, claude: ClaudeRun) -> None:
    settings = json.loads((home.folder / ".claude/settings.json").read_text())
    plugins = home.folder / ".claude/plugins"
    transcripts = {".claude/projects", ".cache/claude-cli-nodejs"}
    counts, copy, theirs, store = ".claude.json", ".claude/plugins", ".claude/settings.json", ".local/share"

    assert {key: value for key, value in settings.items() if value} == THEIRS
    assert json.loads((plugins / "installed_plugins.json").read_text())["plugins"] == {}
    assert [*plugins.glob("cache/loomstack/loomstack/*/.orphaned_at")] != []
    # Claude Code keeps backups of its settings now and then.
    assert {path for path in home.that_name_us() if not path.startswith(".codex")} - {".claude/backups"} == {
        *transcripts, counts, copy, theirs, store,
    }  # fmt: skip


@pytest.fixture(scope="module")
def codex(home: Home) -> CodexRun:
    home.does(CODEX_PLUGIN / "README.md", 0)
    written = home.folder / ".codex/config.toml"
    config = written.read_text()
    patch = apply_patch("*** Begin Patch\n*** Add File: src/new.py\n+x = 1\n*** End Patch\n")
    script = Script([patch, spawn_agent("make", "maker"), "done"])
    done = run_codex(
        script, "$loomstack:loom-run go", cwd=home.shop, home=home.folder, config=config, path=PATH,
        args=["--dangerously-bypass-hook-trust"],
    )  # fmt: skip
    assert (done.rc, script.errors, script.overflow) == (0, [], []), done.stderr
    written.write_text(config)
    home.does(CODEX_PLUGIN / "README.md", 1)
    return done


def test_codex_offers_each_skill_of_the_plugin_and_our_server(codex: CodexRun) -> None:
    offered = sent(codex, at=0)

    for skill in skills():
        assert f"- loomstack:{skill.name}: {as_json(skill.fields['description'])}" in offered
    assert f"- {OURS}: " in offered


def test_a_skill_that_a_person_names_is_handed_to_codex_s_model(codex: CodexRun) -> None:
    [run] = [skill for skill in skills() if skill.name == "loom-run"]

    assert as_json(run.body.strip()) in sent(codex, at=0)


def test_codex_s_hook_of_the_plugin_refuses_an_edit_of_a_held_path(home: Home, codex: CodexRun) -> None:
    assert HELD in codex.results()[0].text
    assert not (home.shop / "src/new.py").exists()


def test_codex_takes_no_agents_from_a_plugin(codex: CodexRun) -> None:
    """Green no more? Then the plugin's README, the help's chapter and `init` say too little of what Codex can."""
    assert codex.results()[1].text == "unknown agent_type 'maker'"


def test_codex_s_settings_are_as_before(home: Home, codex: CodexRun) -> None:
    left = {path for path in home.that_name_us() if path.startswith(".codex")}

    assert (home.folder / ".codex/config.toml").read_text() == ""
    assert [path for path in (home.folder / ".codex/plugins").rglob("*") if path.is_file()] == []
    assert {path for path in left if ".sqlite" not in path} == {".codex/sessions"}
