"""The shape of the code: layers, sizes, and traps of the SDK that no type checker sees."""

import ast
import dataclasses
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import loomstack_mcp
import loomstack_mcp.core
from tests.house.bounds import FILE_LINES_MAX

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "loomstack_mcp").rglob("*.py")) + sorted((ROOT / "tests").rglob("*.py"))
FUNCTION_LINES_MAX = 60
TOP_LEVEL = {"loomstack_mcp", "policies", "tests", "claude_agents", "codex_agents"}


def test_imports_keep_the_contracts() -> None:
    linter = str(Path(sys.executable).with_name("lint-imports"))
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


def test_files_and_functions_stay_small() -> None:
    long = [str(path) for path in SOURCES if len(path.read_text().splitlines()) > FILE_LINES_MAX]
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                long += [f"{path}:{node.name} ({lines})"] if lines > FUNCTION_LINES_MAX else []

    assert long == []


def test_every_module_says_what_it_is_for() -> None:
    texts = {path: path.read_text() for path in SOURCES}
    silent = [str(path) for path, text in texts.items() if text.strip() and not ast.get_docstring(ast.parse(text))]

    assert silent == []


def test_records_have_no_slots() -> None:
    """mcp 2.3 drops the output schema of a tool that returns a record with slots, without a word."""
    modules = pkgutil.walk_packages(loomstack_mcp.core.__path__, "loomstack_mcp.core.")
    records = {
        value
        for module in modules
        for value in vars(importlib.import_module(module.name)).values()
        if isinstance(value, type) and dataclasses.is_dataclass(value)
    }

    assert len(records) > 15
    assert [record.__name__ for record in records if "__slots__" in vars(record)] == []


def test_no_folder_joined_the_root() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    folders = {name.split("/")[0] for name in tracked.splitlines() if "/" in name}

    assert {name for name in folders if not name.startswith(".")} <= TOP_LEVEL
