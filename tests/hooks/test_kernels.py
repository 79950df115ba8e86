"""Hooks and servers under two kernels on one store: a container with its own boot, a machine with the same home."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.doctors import Doctor
from tests.conftest import COMMAND, environment
from tests.hooks.support import claude_edit
from tests.processes import HOOK
from tests.wire import Server

_BOOT_ID = "/proc/sys/kernel/random/boot_id"


@pytest.fixture
def elsewhere(tmp_path: Path) -> list[str]:
    """What runs a command under another boot id: a mount namespace of its own."""
    (tmp_path / "boot_id").write_text("00000000-0000-4000-8000-000000000002\n")
    shell = f'mount --bind {tmp_path}/boot_id {_BOOT_ID} && exec "$@"'
    command = ["unshare", "--mount", "--map-root-user", "sh", "-c", shell, "sh"]
    if not shutil.which("unshare") or subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no mount namespaces here")
    return command


def hooked(home: Path, shop: Path, *under: str) -> str:
    """What a hook says to an edit of what may be held."""
    given = json.dumps(claude_edit(shop, str(shop / "src" / "a.py"), session="s-hooked"))
    command = [*under, HOOK, "claude", "PreToolUse"]
    done = subprocess.run(
        command, cwd=shop, env=environment(home), input=given, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_a_hook_of_another_kernel_refuses_what_is_held_here_and_ends_nothing(
    tmp_path: Path, shop: Path, serve: Callable[..., Server], elsewhere: list[str]
) -> None:
    holder = serve()
    run = holder.answer("start_run", loop="refactor", goal="split")["run"]
    held = holder.answer("claim_paths", paths=["src"], intent="split a.py")
    first, second = hooked(tmp_path, shop, *elsewhere), hooked(tmp_path, shop)
    again = holder.answer("claim_paths", paths=["src"], intent="split a.py")
    with Server([*elsewhere, *COMMAND], env=environment(tmp_path), cwd=shop, fresh=True) as other:
        other.initialize()
        other.answer("start_run", loop="triage", goal="green")
        refused = other.answer("claim_paths", paths=["src/a.py"], intent="fix")
        there = other.answer("claim_paths", paths=["docs"], intent="document")
        newcomer = serve()
        newcomer.answer("start_run", loop="docs", goal="docs")
        here = newcomer.answer("claim_paths", paths=["docs/a.md"], intent="write")

    assert f"src/a.py is claimed by {run}" in first
    assert f"src/a.py is claimed by {run}" in second
    assert (again["claim"], again["fence"]) == (held["claim"], held["fence"])
    assert [blocker["claim"] for blocker in refused["blockers"]] == [held["claim"]]
    assert there["granted"] is True
    assert [blocker["claim"] for blocker in here["blockers"]] == [there["claim"]]


def test_doctor_says_that_two_kernels_take_turns(tmp_path: Path, shop: Path, elsewhere: list[str]) -> None:
    doctor = Doctor(tmp_path, shop)

    def started(*under: str) -> None:
        with Server([*under, *COMMAND], env=environment(tmp_path), cwd=shop, fresh=True) as server:
            server.initialize()
            server.answer("start_run", loop="triage", goal="green")

    started()
    started(*elsewhere)
    before = doctor.found().get("kernels")
    started()
    found: Any = doctor.found()["kernels"]

    assert before is None
    assert found["status"] == "warn"
    assert "NTP" in found["mend"]
