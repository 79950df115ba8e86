"""`doctor`: each fault is found, and the command it names mends it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_cli import SCRIPT
from tests.conftest import environment, git
from tests.server.test_http import HttpServer
from tests.wire import Server

SCRIPTS = str(Path(SCRIPT).parent)


class Doctor:
    """Runs `doctor` in a repository, with clients that are only names on PATH."""

    def __init__(self, home: Path, shop: Path) -> None:
        self.home, self.shop = home, shop
        (home / "bin").mkdir()
        for name in ("claude", "codex"):
            self.program(name, "")

    def program(self, name: str, printed: str) -> None:
        path = self.home / "bin" / name
        path.write_text(f"#!/bin/sh\necho '{printed}'\n")
        path.chmod(0o755)

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(self.home / "bin"), SCRIPTS, os.environ["PATH"]])
        env = {**environment(self.home), "PATH": path, **env}
        return subprocess.run(
            [SCRIPT, "doctor", *arguments],
            cwd=self.shop,
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def found(self, **env: str) -> dict[str, dict[str, Any]]:
        return {check["check"]: check for check in json.loads(self.run("--json", **env).stdout)}

    def init(self, *arguments: str) -> None:
        subprocess.run(
            [SCRIPT, "init", "--yes", *arguments],
            cwd=self.shop,
            env=environment(self.home),
            capture_output=True,
            check=True,
        )


@pytest.fixture
def doctor(tmp_path: Path, shop: Path) -> Doctor:
    return Doctor(tmp_path, shop)


def test_a_repository_without_us_is_told_the_one_command(doctor: Doctor) -> None:
    found = doctor.found()

    assert found["Claude Code"]["mend"] == found["Codex"]["mend"] == "loomstack-mcp init"
    assert {check["status"] for check in found.values()} == {"ok", "warn"}
    assert doctor.run().returncode == 0


def test_after_init_what_is_left_is_each_clients_own_question(doctor: Doctor) -> None:
    doctor.init()
    found = doctor.found()

    assert "waits for your approval" in found["Claude Code"]["found"]
    assert "not trusted" in found["Codex"]["found"]


def test_an_approved_server_in_a_trusted_folder_is_all_right(doctor: Doctor) -> None:
    doctor.init()
    project = {str(doctor.shop): {"enabledMcpjsonServers": ["loomstack"]}}
    (doctor.home / ".claude.json").write_text(json.dumps({"projects": project}))
    (doctor.home / ".codex").mkdir()
    (doctor.home / ".codex/config.toml").write_text(f'[projects."{doctor.shop}"]\ntrust_level = "trusted"\n')

    assert {check["status"] for check in doctor.found().values()} == {"ok"}


@pytest.mark.parametrize("answer", [{"enabledMcpjsonServers": ["loomstack"]}, {"enableAllProjectMcpServers": True}])
def test_an_approval_counts_wherever_claude_code_keeps_it(doctor: Doctor, answer: dict[str, object]) -> None:
    doctor.init()
    (doctor.home / ".claude").mkdir()
    (doctor.home / ".claude" / "settings.json").write_text(json.dumps(answer))

    assert "may start it" in doctor.found()["Claude Code"]["found"]


def test_a_server_that_is_switched_off_fails(doctor: Doctor) -> None:
    doctor.init()
    project = {str(doctor.shop): {"disabledMcpjsonServers": ["loomstack"]}}
    (doctor.home / ".claude.json").write_text(json.dumps({"projects": project}))

    assert doctor.found()["Claude Code"]["status"] == "fail"
    assert doctor.run().returncode == 1


def test_a_codex_that_would_open_another_store_fails(doctor: Doctor) -> None:
    (doctor.home / ".codex").mkdir()
    (doctor.home / ".codex/config.toml").write_text('[mcp_servers.loomstack]\ncommand = "loomstack-mcp"\n')
    by_hand = doctor.found()["Codex store"]
    doctor.init()

    assert by_hand["status"] == "fail"
    assert "LOOMSTACK_HOME" in by_hand["found"]
    assert by_hand["mend"] == "loomstack-mcp init"
    assert "Codex store" not in doctor.found()


def test_scripts_that_are_not_on_path_fail_with_what_puts_them_there(doctor: Doctor) -> None:
    found = doctor.found(PATH=os.pathsep.join([str(doctor.home / "bin"), "/usr/bin", "/bin"]))

    assert found["loomstack-mcp"]["status"] == "fail"
    assert str(Path(sys.executable).parent) in found["loomstack-mcp"]["mend"]


def test_another_version_on_path_is_seen(doctor: Doctor) -> None:
    doctor.program("loomstack-mcp", "loomstack-mcp, version 0.0.1")

    assert "0.0.1" in doctor.found()["version"]["found"]


@pytest.mark.parametrize(
    ("printed", "status"), [("git version 2.30.9", "fail"), ("git version 2.31.0", "ok"), ("", "fail")]
)
def test_an_old_git_fails(doctor: Doctor, printed: str, status: str) -> None:
    doctor.program("git", printed)

    assert doctor.found()["git"]["status"] == status


def test_a_store_that_does_not_open_fails_with_its_reason(doctor: Doctor) -> None:
    (doctor.home / "loomstack").mkdir()
    (doctor.home / "loomstack" / "loom.db").write_bytes(b"garbage" * 999)
    found = doctor.found()["store"]

    assert found["status"] == "fail"
    assert "no SQLite database" in found["found"]


def test_it_is_readable_on_a_terminal_and_names_the_store(doctor: Doctor) -> None:
    env = environment(doctor.home)
    with Server([sys.executable, "-m", "loomstack_mcp", "serve"], env=env, cwd=doctor.shop) as server:
        server.initialize()
        server.answer("start_run", loop="loop", goal="goal")
    lines = doctor.run().stdout.splitlines()

    assert any(line.startswith("ok    store") and "loom.db" in line for line in lines)
    assert any(line.strip() == "→ loomstack-mcp init" for line in lines)


def test_local_rules_that_git_tracks_do_not_count_and_are_found(doctor: Doctor) -> None:
    doctor.init()
    git(doctor.shop, "add", "--force", ".claude/settings.local.json")

    assert doctor.found()["Claude Code rules"]["mend"] == "git rm --cached .claude/settings.local.json"


def test_a_server_by_url_is_asked_whether_it_lets_the_token_in(doctor: Doctor) -> None:
    server = HttpServer(doctor.home, doctor.shop)
    doctor.init("--url", f"http://127.0.0.1:{server.port}/mcp")
    unset, wrong = doctor.found()["server"], doctor.found(LOOMSTACK_TOKEN="wrong")["server"]
    right = doctor.found(LOOMSTACK_TOKEN=server.token)["server"]
    server.process.kill()
    server.process.wait()
    gone = doctor.found(LOOMSTACK_TOKEN=server.token)["server"]

    assert "is not set" in unset["found"]
    assert "does not accept" in wrong["found"]
    assert "/token" in wrong["mend"]
    assert right["status"] == "ok"
    assert gone["mend"] == "loomstack-mcp serve --http"


def test_clients_that_are_not_installed_are_no_fault(doctor: Doctor) -> None:
    for name in ("claude", "codex"):
        (doctor.home / "bin" / name).unlink()
    found = doctor.found(PATH=os.pathsep.join([SCRIPTS, "/usr/bin", "/bin"]))

    assert found["Claude Code"]["found"] == found["Codex"]["found"] == "not installed"
    assert {check["status"] for check in found.values()} == {"ok"}
