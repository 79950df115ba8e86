"""A wheel: its hook, as an installer that compiles nothing leaves it where no cache may be written; what it shares."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import environment
from tests.deadlines import seconds
from tests.hooks.support import claude_edit

ROOT = Path(__file__).parents[2]
HOOK = "import sys; from loomstack_mcp.hooks.main import main; sys.argv = ['hook', 'claude', 'PreToolUse']; main()"
FROM_BYTECODE = re.compile(r"# code object from '[^']+/loomstack_mcp[^']*/__pycache__/(\w+)\.cpython-\d+\.pyc'")
FROM_SOURCE = re.compile(r"# code object from '?[^']+/loomstack_mcp/[^']+\.py'")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made, there = tmp_path_factory.mktemp("made"), tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    alone = ["--no-deps", "--no-index"]
    subprocess.run([*pip, "wheel", *alone, "--no-build-isolation", "-w", made, ROOT], check=True, timeout=seconds(120))
    subprocess.run(
        [*pip, "install", *alone, "--no-compile", "--target", there, *made.glob("*.whl")],
        check=True, timeout=seconds(120),
    )  # fmt: skip
    return there


def hooked(home: Path, installed: Path) -> str:
    """What Python says of its imports while a hook runs that may write no cache."""
    env = environment(home, PYTHONPATH=os.fspath(installed), PYTHONDONTWRITEBYTECODE="1")
    payload = json.dumps(claude_edit(home, str(home / "x")))
    done = subprocess.run(
        [sys.executable, "-v", "-c", HOOK], cwd=home, env=env, input=payload, capture_output=True, text=True, check=True
    )
    return done.stderr


def test_a_hook_of_a_wheel_runs_from_bytecode_until_its_source_is_edited(tmp_path: Path, installed: Path) -> None:
    said = hooked(tmp_path, installed)
    with (installed / "loomstack_mcp/glance.py").open("a") as source:
        source.write("EDITED = 1\n")
    edited = hooked(tmp_path, installed)

    assert {"glance", "main", "hasty", "guarding"} <= set(FROM_BYTECODE.findall(said))
    assert FROM_SOURCE.findall(said) == []
    assert "glance" not in FROM_BYTECODE.findall(edited)


@pytest.mark.parametrize("name", ["claude_agents", "codex_agents", "policies"])
def test_a_wheel_shares_every_file_of(name: str, installed: Path) -> None:
    def files(folder: Path) -> dict[str, bytes]:
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    shared = files(installed / "loomstack_mcp/share" / name)

    assert len(shared) > 5
    assert shared == files(ROOT / name)
