"""What the fork server forks is a process of its own, and nothing outlives who asked for it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import COMMAND, environment
from tests.deadlines import seconds, wait_until
from tests.processes import HOOK, MODULE, ROOT, SCRIPT, Forked, run, start
from tests.wire import Server


@pytest.mark.parametrize("argv", [[SCRIPT, "serve"], COMMAND, [SCRIPT]], ids=["script", "module", "no command"])
def test_a_server_starts_by_exec(tmp_path: Path, shop: Path, argv: list[str]) -> None:
    with Server(argv, env=environment(tmp_path), cwd=shop, fresh=True) as server:
        assert type(server.process) is subprocess.Popen
        assert server.initialize()["result"]["serverInfo"]["name"] == "loomstack"
        assert server.answer("start_run", loop="loop", goal="goal")["run"]


@pytest.mark.parametrize("argv", [[SCRIPT], MODULE], ids=["script", "module"])
def test_a_command_starts_by_exec(tmp_path: Path, shop: Path, argv: list[str]) -> None:
    done = run([*argv, "runs", "--json"], env=environment(tmp_path), cwd=shop, fresh=True)

    assert (done.returncode, json.loads(done.stdout)) == (0, [])


def test_a_hook_starts_by_exec(tmp_path: Path, shop: Path) -> None:
    done = run([HOOK, "claude", "PreToolUse"], env=environment(tmp_path), cwd=shop, given="garbage", fresh=True)

    assert done.returncode == 0
    assert "did not check" in json.loads(done.stdout)["systemMessage"]


def test_a_forked_process_says_the_same_as_one_by_exec(tmp_path: Path, shop: Path) -> None:
    for arguments in (["config", "--json"], ["doctor", "--json"], ["--help"], ["nonsense"], ["db", "check"]):
        forked, fresh = (
            run([SCRIPT, *arguments], env=environment(tmp_path), cwd=shop, fresh=fresh) for fresh in (False, True)
        )
        assert (forked.returncode, forked.stdout, forked.stderr) == (fresh.returncode, fresh.stdout, fresh.stderr)


def test_a_forked_process_has_an_environment_a_folder_and_a_session_of_its_own(
    tmp_path: Path, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOMSTACK_REPO", "of/the-suite")
    (shop / "below").mkdir()
    run([SCRIPT, "config"], env=environment(tmp_path, LOOMSTACK_REPO="of/another"), cwd=shop)
    settings = json.loads(run([SCRIPT, "config", "--json"], env=environment(tmp_path), cwd=shop / "below").stdout)
    with Server(COMMAND, env=environment(tmp_path), cwd=shop / "below") as server:
        server.initialize()
        pid = server.process.pid
        session = os.getsid(pid)

    assert {setting["setting"]: setting["value"] for setting in settings}["repo"] != "of/another"
    assert {setting["setting"]: setting["from"] for setting in settings}["repo"] == "default"
    assert (session, pid != os.getpid()) == (pid, True)


def test_two_forked_servers_are_two_sessions(tmp_path: Path, shop: Path) -> None:
    with (
        Server(COMMAND, env=environment(tmp_path), cwd=shop) as one,
        Server(COMMAND, env=environment(tmp_path), cwd=shop) as other,
    ):
        for server in (one, other):
            server.initialize()
            server.answer("start_run", loop="loop", goal="goal")
        one.answer("claim_paths", paths=["src"], intent="mine")
        refused = other.answer("claim_paths", paths=["src"], intent="mine too")

    assert refused["granted"] is False


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_how_a_forked_process_ended_is_told(tmp_path: Path, shop: Path, number: signal.Signals) -> None:
    process = start(COMMAND, env=environment(tmp_path), cwd=shop, stdin=subprocess.PIPE)
    assert isinstance(process, Forked)
    process.send_signal(number)
    if number == signal.SIGSTOP:
        assert process.poll() is None
        process.kill()

    assert process.wait(seconds(5)) == -signal.SIGKILL
    assert process.poll() == -signal.SIGKILL
    assert process.stdin
    process.stdin.close()


def test_nothing_outlives_the_process_that_started_it(tmp_path: Path, shop: Path) -> None:
    program = (
        "import os, signal, subprocess, sys\n"
        "from tests import processes\n"
        f"servers = [processes.start({COMMAND!r}, cwd={str(shop)!r}, env={environment(tmp_path)!r},\n"
        "            stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)]\n"
        "print(processes._server()._process.pid, *(server.pid for server in servers), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=seconds(30), check=False
    )
    pids = [int(pid) for pid in done.stdout.split()]

    assert (done.returncode, len(pids)) == (-signal.SIGKILL, 3), done.stderr
    wait_until(lambda: not any(alive(pid) for pid in pids))


def alive(pid: int) -> bool:
    """Whether it runs; what has ended may stay in the table where nobody waits for orphans."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state) and not state.startswith("Z")
