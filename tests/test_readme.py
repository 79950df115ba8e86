"""The README and its chapters are true: what they must name is named, their figures are ours, their examples run."""

import importlib
import json
import re
import shlex
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from loomstack_mcp.adapters import settings
from loomstack_mcp.cli.conflicts import CONFLICT
from loomstack_mcp.cli.main import _COMMANDS, FAILED, USAGE, cli
from loomstack_mcp.core import limits
from loomstack_mcp.core.errors import LoomError
from loomstack_mcp.edge.gate import APPROVAL, DENIED
from loomstack_mcp.server.sdk.app import INSTRUCTIONS
from tests.conftest import environment, git
from tests.house.rooms import PLAN, plan_with_rooms
from tests.processes import MODULE, SCRIPT, run
from tests.wire import Server

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
README_LINES_MAX = 250
HELP = ROOT / "loomstack_mcp" / "help"
CHAPTERS = {path.stem: path.read_text() for path in sorted(HELP.glob("*.md"))}
PAGES = {ROOT / "README.md": README, **{HELP / f"{topic}.md": text for topic, text in CHAPTERS.items()}}


def blocks(language: str, text: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def cells(first: str, text: str) -> list[list[str]]:
    """The rows of the table whose heading begins with `first`."""
    table = text[text.index(f"\n| {first} |") + 1 :].split("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[2:]]


def test_every_tool_stands_there_with_what_it_costs(serve: Callable[..., Server]) -> None:
    tools = serve().request("tools/list")["result"]["tools"]
    sent = [{name: tool[name] for name in ("name", "description", "inputSchema")} for tool in tools]
    costs = {tool["name"]: -(-len(json.dumps(tool, ensure_ascii=False, separators=(",", ":"))) // 4) for tool in sent}
    for_models = [tool for tool in sent if tool["name"] != "guard"]
    total = -(-len(json.dumps(for_models, ensure_ascii=False, separators=(",", ":"))) // 4)

    assert {row[0].strip("`"): int(row[1]) for row in cells("tool", README)} == costs
    assert f"Nine, {total} tokens in all" in README
    assert len(INSTRUCTIONS) <= 600


def test_every_command_stands_there() -> None:
    named = " ".join(row[0] for row in cells("command", README))
    for name in _COMMANDS:
        command = importlib.import_module(f"loomstack_mcp.cli.{_COMMANDS[name]}")
        group = getattr(getattr(command, name), "commands", {})
        for full in [f"{name} {sub}" for sub in group] or [name]:
            assert full in named
    assert [option.name for option in cli.params if option.name != "version"] == ["home", "store", "repo"]


def test_every_setting_and_error_code_stands_there() -> None:
    assert [row[0].strip("`") for row in cells("setting", CHAPTERS["settings"])] == list(settings._NAMES)
    for name in settings._NAMES:
        assert f"`LOOMSTACK_{name.upper()}`" in CHAPTERS["settings"]
    codes = {row[0].strip("`") for row in cells("code", CHAPTERS["errors"])}

    assert codes == {error.code for error in LoomError.__subclasses__()} | {"internal"}


def test_every_exit_status_stands_there() -> None:
    statuses = {0, FAILED, DENIED, APPROVAL, CONFLICT, USAGE}

    assert {int(row[0]) for row in cells("status", CHAPTERS["errors"])} == statuses
    [summary] = re.findall(r"Exit status: ([^.]+)\.", README)
    assert {int(status) for status in re.findall(r"\d+", summary)} == statuses


def test_the_views_have_the_columns_it_lists(tmp_path: Path, serve: Callable[..., Server]) -> None:
    serve().answer("start_run", loop="loop", goal="goal")
    with sqlite3.connect(tmp_path / "loomstack" / "loom.db") as connection:
        views = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'view'")}
        listed = {row[0].strip("`"): row[1].split(", ") for row in cells("view", CHAPTERS["views"])}

        assert listed.keys() == views
        for view, columns in listed.items():
            assert [column[1] for column in connection.execute(f"PRAGMA table_info({view})")] == columns


def test_the_limits_are_those_of_the_code() -> None:
    text = " ".join(limit for _, limit in cells("what", CHAPTERS["limits"]))

    for limit in (limits.PATHS_MAX, limits.PATTERN_CHARS_MAX, limits.CANDIDATES_MAX, limits.TEXT_CHARS_MAX):
        assert f"{limit:,}" in text
    assert f"{limits.LEASE_MINUTES_MAX // 60} h; {limits.WAIT_SECONDS_MAX} s" in text
    assert f"{limits.BUDGET_TOKENS_MIN} to {limits.BUDGET_TOKENS_MAX:,}" in text


def test_the_demo_tells_what_the_readme_shows(tmp_path: Path) -> None:
    def told(text: str) -> list[str]:
        """Its lines, without what differs from run to run."""
        return re.sub(r"\b(run|claim|conf)_\w{8}|\b[0-9a-f]{10}\b|refactor@\w+", "…", text).strip().splitlines()

    [transcript] = [block for block in blocks("text", README) if block.startswith("Yesterday")]
    # By the hub: without one it is played in tests/cli/test_demo.py.
    done = run([*MODULE, "demo", "--hub"], cwd=tmp_path, env=environment(tmp_path), check=True, quiet_s=60)

    played = iter(told(done.stdout))

    assert [line for line in told(transcript) if line not in played] == []  # all of it, in the order of the demo


def test_the_queries_it_shows_run(tmp_path: Path, shop: Path, serve: Callable[..., Server]) -> None:
    serve().answer("start_run", loop="loop", goal="goal")
    scripts = [block for text in PAGES.values() for block in blocks("sh", text)]
    shown = [line for block in scripts for line in block.splitlines() if line.startswith("loomstack-mcp db query ")]

    assert shown
    for line in shown:
        command = [*MODULE, *shlex.split(line)[1:]]
        done = run(command, cwd=shop, env=environment(tmp_path), check=True)
        assert "loop" in done.stdout


def test_the_rule_it_shows_stops_what_it_says(tmp_path: Path, shop: Path) -> None:
    [rule] = blocks("yaml", CHAPTERS["rules"])
    [script] = blocks("sh", CHAPTERS["rules"])
    told, _ = blocks("text", CHAPTERS["rules"])
    (shop / "policies").mkdir()
    (shop / "policies" / "core.yaml").write_text(rule)
    git(shop, "config", "user.name", "test")
    git(shop, "config", "user.email", "test@localhost")
    env = environment(tmp_path)
    env["PATH"] = f"{Path(SCRIPT).parent}:{env['PATH']}"
    done = subprocess.run(["bash", "-c", script], cwd=shop, env=env, capture_output=True, text=True, check=False)

    assert done.returncode == DENIED, done.stderr
    assert re.sub(r"sha256:\w+…", "…", done.stdout).endswith(re.sub(r"sha256:\w+…", "…", told))


def test_one_reads_it_to_the_end() -> None:
    assert len(README.splitlines()) <= README_LINES_MAX


def test_every_chapter_is_linked_from_it() -> None:
    listed = README[README.index("\n## The chapters") :]

    assert sorted(re.findall(r"\[(\w+)\]\(loomstack_mcp/help/\1\.md\)", listed)) == sorted(CHAPTERS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    headings = {heading.lower().replace(" ", "-") for heading in re.findall(r"^#+ (.*)$", PAGES[page], re.MULTILINE)}
    targets = re.findall(r"\]\(([^)\s]+)\)", PAGES[page])

    for target in targets:
        assert (target[1:] in headings) if target.startswith("#") else (page.parent / target).is_file()


def test_the_registry_finds_its_name_in_it() -> None:
    assert re.findall(r"^<!-- mcp-name: (\S+) -->$", README, re.MULTILINE) == ["io.github.loomstack/loomstack-mcp"]


@pytest.mark.parametrize("name", ["ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_what_it_points_to_is_there(name: str) -> None:
    assert f"]({name})" in README
    assert (ROOT / name).is_file()


def test_the_architecture_names_every_file_in_its_room() -> None:
    """Red? `python -m tests.house --rooms` writes them anew."""
    plan = PLAN.read_text("utf-8")

    assert plan == plan_with_rooms(plan)
    assert "edge/" in plan
    assert "here.py" in plan


def test_the_architecture_points_at_files_that_are_there() -> None:
    plan = PLAN.read_text("utf-8")
    named = re.findall(r"`((?:core|adapters|edge|services|store|server|hooks|cli|help)/[\w/{},.*]+)`", plan)

    assert len(named) > 20
    assert [name for name in named if not any(ROOT.glob(f"loomstack_mcp/{one}") for one in _spelled_out(name))] == []


def _spelled_out(name: str) -> list[str]:
    """`a/{b,c}.py` is two files."""
    before, _, rest = name.partition("{")
    inner, _, after = rest.partition("}")
    return [f"{before}{part}{after}" for part in inner.split(",")]


def test_ci_runs_the_command_that_the_readme_shows() -> None:
    wanted = "pip install --quiet -e '.[test]'"

    assert README.count(wanted) == 1
    assert wanted in (ROOT / ".ci" / "run").read_text()
