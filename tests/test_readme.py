"""The README is true: everything it must name is named, its figures are ours, and its examples run."""

import importlib
import json
import re
import shlex
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from loomstack_mcp.adapters import settings
from loomstack_mcp.cli.main import _COMMANDS, cli
from loomstack_mcp.core import limits
from loomstack_mcp.core.errors import LoomError
from loomstack_mcp.server.app import INSTRUCTIONS
from tests.conftest import environment
from tests.processes import MODULE, run
from tests.wire import Server

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def cells(first: str) -> list[list[str]]:
    """The rows of the table whose heading begins with `first`."""
    table = README[README.index(f"\n| {first} |") + 1 :].split("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[2:]]


def test_every_tool_stands_there_with_what_it_costs(serve: Callable[..., Server]) -> None:
    tools = serve().request("tools/list")["result"]["tools"]
    sent = [{name: tool[name] for name in ("name", "description", "inputSchema")} for tool in tools]
    costs = {tool["name"]: -(-len(json.dumps(tool, ensure_ascii=False, separators=(",", ":"))) // 4) for tool in sent}
    total = -(-len(json.dumps(sent, ensure_ascii=False, separators=(",", ":"))) // 4)

    assert {row[0].strip("`"): int(row[1]) for row in cells("tool")} == costs
    assert f"Eight, {total} tokens in all" in README
    assert len(INSTRUCTIONS) <= 600


def test_every_command_stands_there() -> None:
    named = " ".join(row[0] for row in cells("command"))
    for name in _COMMANDS:
        command = importlib.import_module(f"loomstack_mcp.cli.{_COMMANDS[name]}")
        group = getattr(getattr(command, name), "commands", {})
        for full in [f"{name} {sub}" for sub in group] or [name]:
            assert full in named
    assert [option.name for option in cli.params if option.name != "version"] == ["home", "store", "repo"]


def test_every_setting_and_error_code_stands_there() -> None:
    assert [row[0].strip("`") for row in cells("setting")] == list(settings._NAMES)
    codes = {row[0].strip("`") for row in cells("code")}

    assert codes == {error.code for error in LoomError.__subclasses__()} | {"internal"}


def test_the_views_have_the_columns_it_lists(tmp_path: Path, serve: Callable[..., Server]) -> None:
    serve().answer("start_run", loop="loop", goal="goal")
    with sqlite3.connect(tmp_path / "loomstack" / "loom.db") as connection:
        views = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'view'")}
        listed = {row[0].strip("`"): row[1].split(", ") for row in cells("view")}

        assert listed.keys() == views
        for view, columns in listed.items():
            assert [column[1] for column in connection.execute(f"PRAGMA table_info({view})")] == columns


def test_the_limits_are_those_of_the_code() -> None:
    text = " ".join(limit for _, limit in cells("what"))

    for limit in (limits.PATHS_MAX, limits.PATTERN_CHARS_MAX, limits.CANDIDATES_MAX, limits.TEXT_CHARS_MAX):
        assert f"{limit:,}" in text
    assert f"{limits.LEASE_MINUTES_MAX // 60} h; {limits.WAIT_SECONDS_MAX} s" in text
    assert f"{limits.BUDGET_TOKENS_MIN} to {limits.BUDGET_TOKENS_MAX:,}" in text


def test_the_demo_tells_what_the_readme_shows(tmp_path: Path) -> None:
    def told(text: str) -> list[str]:
        """Without what differs from run to run."""
        return re.sub(r"\b(run|claim)_\w{8}|\b[0-9a-f]{10}\b|refactor@\w+", "…", text).strip().splitlines()

    [transcript] = [block for block in blocks("text") if block.startswith("Yesterday")]
    done = run([*MODULE, "demo"], cwd=tmp_path, env=environment(tmp_path), check=True, quiet_s=60)

    assert told(done.stdout)[: len(told(transcript))] == told(transcript)


def test_the_queries_it_shows_run(tmp_path: Path, shop: Path, serve: Callable[..., Server]) -> None:
    serve().answer("start_run", loop="loop", goal="goal")
    shown = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("loomstack-mcp db ")]

    assert shown
    for line in shown:
        command = [*MODULE, *shlex.split(line)[1:]]
        done = run(command, cwd=shop, env=environment(tmp_path), check=True)
        assert "loop" in done.stdout


@pytest.mark.parametrize("name", ["ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_what_it_points_to_is_there(name: str) -> None:
    assert f"]({name})" in README
    assert (ROOT / name).is_file()


def test_the_architecture_names_every_file() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    files = {
        path.name for path in (ROOT / "loomstack_mcp").rglob("*.py") if path.name not in ("__init__.py", "__main__.py")
    }
    commands = {f"{module}.py" for module in _COMMANDS.values()} | {"runs.py", "claude.py", "codex.py", "action.py"}

    families = tuple(re.findall(r"(\w+_)\*\.py", text))

    assert {name for name in files - commands if name not in text and not name.startswith(families)} == set()


def test_ci_runs_the_command_that_the_readme_shows() -> None:
    wanted = "pip install --quiet -e '.[test]'"

    assert README.count(wanted) == 1
    assert wanted in (ROOT / ".ci" / "run").read_text()
