"""`doctor` tries what the clients would run, and what it prints to mend a fault does."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from loomstack_mcp import __version__
from tests.cli.doctors import APPROVED, SCRIPTS, Doctor
from tests.conftest import commit_all, environment, git
from tests.hooks.support import made_store
from tests.processes import SCRIPT, run


@pytest.fixture
def doctor(tmp_path: Path, shop: Path) -> Doctor:
    made = Doctor(tmp_path, shop)
    made.all_set()
    return made


def wrapper(doctor: Doctor, says: str) -> str:
    """A script that starts a server which says it is of that version."""
    path = doctor.home / "bin" / "our-loomstack"
    answer = json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"serverInfo": {"name": "loomstack", "version": says}}})
    path.write_text(f"#!/bin/sh\ntouch {doctor.home}/started\nread line\necho '{answer}'\n")
    path.chmod(0o755)
    return str(path)


def entry(doctor: Doctor, command: str, *args: str) -> None:
    doctor.write("shop/.mcp.json", {"mcpServers": {"loomstack": {"command": command, "args": list(args)}}})


def test_an_older_server_behind_a_wrapper_is_found(doctor: Doctor) -> None:
    entry(doctor, wrapper(doctor, "0.0.1"), "loomstack-mcp")
    found = doctor.found()["Claude Code version"]

    assert found["status"] == "warn"
    assert f"a server of version 0.0.1, this is {__version__}" in found["found"]


def test_a_wrapper_that_starts_this_version_is_right(doctor: Doctor) -> None:
    path = doctor.home / "bin" / "wraps"
    path.write_text(f'#!/bin/sh\nexec {SCRIPTS}/loomstack-mcp "$@"\n')
    path.chmod(0o755)
    entry(doctor, str(path), "serve")
    found = doctor.found()["Claude Code version"]

    assert (found["status"], found["found"]) == ("ok", f"{__version__}, started by {path}")


def test_a_hook_that_was_tried_keeps_nothing_by_which_it_would_answer_at_a_glance_the_next_time(
    doctor: Doctor, tmp_path: Path
) -> None:
    made_store(tmp_path)
    tried = doctor.found()["Claude Code hook"]
    with closing(sqlite3.connect(tmp_path / "loomstack/loom.db")) as store:
        kept = [store.execute(f"SELECT count(*) FROM {table}").fetchone() for table in ("sighting", "run", "claim")]

    assert (tried["status"], kept) == ("ok", [(0,)] * 3)


def test_a_program_that_is_no_server_of_ours_is_said_to_be_none(doctor: Doctor) -> None:
    entry(doctor, "true", "loomstack-mcp")

    assert "no server of ours" in doctor.found()["Claude Code version"]["found"]


def test_what_came_with_a_repository_is_not_started_before_a_person_approved_it(doctor: Doctor) -> None:
    entry(doctor, wrapper(doctor, "0.0.1"), "loomstack-mcp")
    doctor.claude_keeps()
    unasked = doctor.found()["Claude Code version"]
    was_started = (doctor.home / "started").exists()
    doctor.claude_keeps(**APPROVED)
    doctor.found()

    assert (unasked["status"], was_started) == ("warn", False)
    assert "not asked" in unasked["found"]
    assert (doctor.home / "started").exists()


def test_our_own_command_is_not_started_to_be_asked_again(doctor: Doctor) -> None:
    assert [name for name in doctor.found() if name.endswith(" version")] == []


def test_a_hook_that_works_is_ok_and_was_tried(doctor: Doctor) -> None:
    found = doctor.found()

    for client in ("Claude Code", "Codex"):
        assert found[f"{client} hook"]["status"] == "ok"
        assert "tried just now" in found[f"{client} hook"]["found"]


def test_a_hook_that_cannot_check_fails_with_what_it_says(doctor: Doctor) -> None:
    (doctor.home / "loomstack").mkdir(exist_ok=True)
    (doctor.home / "loomstack" / "loom.db").write_bytes(b"garbage" * 999)
    found = doctor.found()

    assert found["Claude Code hook"]["status"] == found["Codex hook"]["status"] == "fail"
    assert "no SQLite database" in found["Codex hook"]["found"]


def test_a_hook_that_is_not_our_program_is_not_run(doctor: Doctor) -> None:
    theirs = doctor.shop / "loomstack-hook"
    theirs.write_text(f"#!/bin/sh\ntouch {doctor.home}/started\n")
    theirs.chmod(0o755)
    group = {"matcher": "Edit", "hooks": [{"type": "command", "command": "./loomstack-hook claude PreToolUse"}]}
    doctor.write("shop/.claude/settings.json", {"hooks": {"PreToolUse": [group]}})
    found = doctor.found()["Claude Code hook"]

    assert "not tried" in found["found"]
    assert not (doctor.home / "started").exists()


def without_permission(doctor: Doctor) -> None:
    (doctor.shop / ".claude/settings.local.json").unlink()
    (doctor.shop / ".claude/settings.json").unlink()


def without_servers(doctor: Doctor) -> None:
    (doctor.shop / ".mcp.json").unlink()
    (doctor.shop / ".codex/config.toml").unlink()


def with_local_rules_in_git(doctor: Doctor) -> None:
    git(doctor.shop, "add", "--force", ".claude/settings.local.json")


def with_an_old_program_first(doctor: Doctor) -> None:
    doctor.program("loomstack-mcp", "loomstack-mcp, version 0.0.1")


def without_a_hook(doctor: Doctor) -> None:
    commit_all(doctor.shop)
    git(doctor.shop, "rm", "--quiet", ".codex/hooks.json")


@pytest.mark.parametrize(
    "break_it",
    [without_permission, without_servers, with_local_rules_in_git, with_an_old_program_first, without_a_hook],
)
def test_the_command_that_is_printed_mends_it(doctor: Doctor, break_it: Callable[[Doctor], None]) -> None:
    break_it(doctor)
    broken = [check for check in doctor.found().values() if check["status"] != "ok"]
    mended = doctor.after([check["mend"] for check in broken])

    assert broken != []
    assert [check for check in mended if check["status"] != "ok"] == []


def test_a_command_that_is_printed_takes_a_folder_with_a_space(doctor: Doctor) -> None:
    tree = Path(shutil.copytree(doctor.shop, doctor.home / "a tree"))
    git(tree, "add", "--force", ".claude/settings.local.json")
    mends = [check["mend"] for check in doctor.found(cwd=tree).values()]

    assert f"git -C '{tree}' rm --cached .claude/settings.local.json" in mends


def test_who_uses_print_mode_is_told_how_it_waits(doctor: Doctor) -> None:
    words = "claude -p --mcp-config .mcp.json"
    path = f"{doctor.home / 'bin'}:{SCRIPTS}:/usr/bin:/bin"
    run([SCRIPT, "uninstall", "--yes"], cwd=doctor.shop, env=environment(doctor.home), check=True)
    done = run([SCRIPT, "init", "--yes"], cwd=doctor.shop, env={**environment(doctor.home), "PATH": path})

    assert words in done.stdout
    assert words in doctor.found()["claude -p"]["found"]
