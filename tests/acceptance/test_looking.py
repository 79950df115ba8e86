"""Looking runs no program that a repository or a person has named, and writes nothing below `.git`."""

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests import processes
from tests.acceptance.traps import Trapped, sprung, trapped
from tests.conftest import COMMAND, commit_all, environment, git
from tests.processes import HOOK, SCRIPT
from tests.wire import Server

pytestmark = pytest.mark.sqlite("about git, whatever the store is")

COMMANDS = (
    *("runs", "claims", "events", "notes", "doctor", "config", "conflicts", "audit", "audit --last 3 --json"),
    *("gate --base main", "gate --base main --head feat --git-only --json", "gate --deploy production"),
    *("policy check", "policy lint", "policy test", "policy replay", "policy explain closed"),
    *("init --yes", "uninstall --yes"),
)
INSTALLING = ("init --yes", "uninstall --yes")
"""They write the clone's own list of ignored files, and nothing else there."""
TOOLS: Mapping[str, Mapping[str, Any]] = {
    "start_run": {"loop": "other", "goal": "g", "paths": ["src/"]},
    "claim_paths": {"paths": ["src/a.py"], "intent": "i"},
    "release_paths": {},
    "read_shared_context": {"paths": ["src/a.py"]},
    "share_context": {"kind": "fact", "text": "x", "paths": ["src/a.py"]},
    "check_conflicts": {},
    "check_conflicts of main": {"base": "main"},
    "check_policy of an edit": {"action": "edit", "paths": ["src/a.py"]},
    "check_policy of a command": {"action": "command", "command": "git commit -am x"},
    "check_policy of a commit": {"action": "commit"},
    "check_policy of a push": {"action": "push", "target": "main"},
    "check_policy of a landing": {"action": "land", "target": "main"},
    "record_outcome": {"status": "done", "summary": "s"},
}
HOOKS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "claude": ("Edit", {"file_path": "src/a.py", "old_string": "a", "new_string": "b"}),
    "codex": ("apply_patch", {"command": "*** Begin Patch\n*** Update File: src/a.py\n@@\n-a\n+b\n*** End Patch"}),
}


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Trapped:
    return trapped(tmp_path_factory.mktemp("trapped"))


@pytest.fixture(scope="module")
def server(there: Trapped) -> Iterator[Server]:
    with Server(COMMAND, env=there.environment(), cwd=there.root) as started:
        started.initialize()
        yield started


@pytest.fixture
def nothing_happens(there: Trapped) -> Iterator[None]:
    before = there.below_git()
    yield
    assert there.marks == set()
    assert there.below_git() == before


def test_the_traps_work(tmp_path: Path) -> None:
    ran = sprung(trapped(tmp_path / "trapped"))

    assert {"clone-core.fsmonitor", "clone-filter.trap.clean", "clone-filter.longer.process", "clone-gpg.program",
            "clone-merge.trap.driver", "clone-diff.trap.textconv", "submodule-core.fsmonitor", "person-ext",
            "hook-post-index-change"} <= ran  # fmt: skip


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in INSTALLING])
@pytest.mark.usefixtures("nothing_happens", "server")
def test_a_command_that_looks_runs_and_writes_nothing(there: Trapped, command: str) -> None:
    done = processes.run([SCRIPT, *command.split()], cwd=there.root, env=there.environment())

    assert (done.returncode in (0, 1, 2, 3, 4), "failed" in done.stderr, "internal" in done.stderr) == (
        True, False, False,
    )  # fmt: skip


@pytest.mark.parametrize("command", INSTALLING)
def test_a_command_that_installs_runs_nothing(there: Trapped, command: str) -> None:
    done = processes.run([SCRIPT, *command.split()], cwd=there.root, env=there.environment())

    assert (done.returncode, there.marks) == (0, set())


@pytest.mark.parametrize("name", TOOLS)
@pytest.mark.usefixtures("nothing_happens")
def test_a_tool_runs_and_writes_nothing(server: Server, name: str) -> None:
    server.answer("start_run", loop="looking", goal="nothing runs")
    server.answer(name.partition(" ")[0], **TOOLS[name])


@pytest.mark.parametrize("client", HOOKS)
@pytest.mark.usefixtures("nothing_happens", "server")
def test_a_hook_runs_and_writes_nothing(there: Trapped, client: str) -> None:
    tool, given = HOOKS[client]
    payload = {"hook_event_name": "PreToolUse", "session_id": "other", "cwd": str(there.root), "tool_name": tool}
    done = processes.run(
        [HOOK, client, "PreToolUse"], cwd=there.root, env=there.environment(),
        given=json.dumps({**payload, "tool_input": given}),
    )  # fmt: skip

    assert (done.returncode, "did not check" in done.stdout) == (0, False)


@pytest.mark.usefixtures("nothing_happens")
def test_the_server_s_gate_runs_and_writes_nothing(there: Trapped) -> None:
    line = f"{git(there.root, 'rev-parse', 'main~1')} {git(there.root, 'rev-parse', 'feat')} refs/heads/feat\n"
    done = processes.run(
        [SCRIPT, "gate", "--pre-receive", "--git-only"], cwd=there.root, env=there.environment(), given=line
    )

    assert (done.returncode, done.stderr) == (3, "")


@pytest.mark.parametrize("folder", [".", "bin", ""])
def test_a_git_of_the_repository_does_not_run(shop: Path, tmp_path: Path, folder: str) -> None:
    (shop / "bin").mkdir()
    for planted in (shop / "git", shop / "bin/git"):
        planted.write_text(f'#!/bin/sh\ntouch {tmp_path}/ran\nexec {shutil.which("git")} "$@"\n')
        planted.chmod(0o755)
    variables = environment(tmp_path)
    variables["PATH"] = f"{folder}:{variables['PATH']}"
    for asked in ("runs", "conflicts", "policy replay"):
        done = processes.run([SCRIPT, *asked.split()], cwd=shop, env=variables)
        assert (done.returncode, (tmp_path / "ran").exists()) == (0, False), done.stderr


_READ_ONLY = 'mount --bind "$PWD" "$PWD" && mount -o remount,ro,bind "$PWD" && cd "$PWD" && exec "$@"'
_MOUNTED = ["unshare", "--mount", "sh", "-c", _READ_ONLY, "sh"]


def _mounts(folder: Path) -> bool:
    """Whether this machine lets a process see a folder read-only, which takes root."""
    if not shutil.which("unshare"):
        return False
    tried = processes.run([*_MOUNTED, "touch", "written"], cwd=folder)
    return "Read-only file system" in tried.stderr


@pytest.mark.parametrize("command", ["conflicts", "audit", "gate --base main --git-only", "policy replay"])
def test_a_repository_that_cannot_be_written_is_looked_at(shop: Path, tmp_path: Path, command: str) -> None:
    if not _mounts(shop):
        pytest.skip("this machine mounts nothing")
    git(shop, "checkout", "--quiet", "-b", "feat")
    (shop / "src/a.py").write_text("changed\n")
    commit_all(shop)
    (shop / "src/new.py").write_text("new\n")
    done = processes.run([*_MOUNTED, SCRIPT, *command.split()], cwd=shop, env=environment(tmp_path))

    assert (done.returncode, done.stderr) == (0, "")


def test_what_passes_through_a_filter_is_named(there: Trapped, server: Server) -> None:
    server.answer("start_run", loop="looking", goal="nothing runs")
    unchecked = " ".join(server.answer("check_conflicts")["unchecked"])

    assert "which is not run: looked at as it lies in the worktree (src/a.py, src/new.py" in unchecked
    assert "which is not run: not looked at (image.bin)" in unchecked
    assert "2 commits could not be read" in unchecked
