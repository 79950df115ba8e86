"""Sessions whose client is gone, with real processes: seen by whoever they block, and back within a minute."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from loomstack_mcp.adapters.system import process_state, session_process
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.loom import Loom
from tests.conftest import Clocks
from tests.factories import ANA, BEA, REPO, SHOP
from tests.services.support import claimed, heard, started

_SERVER = "from loomstack_mcp.adapters.system import session_process; print(session_process('claude:s1'), flush=True)"
_CLIENT = f"""
import os, subprocess, sys
env = {{**os.environ, "CLAUDE_CODE_SESSION_ID": "s1"}}
wrapped = ["sh", "-c", "sh -c '\\"$0\\" -c \\"$1\\"; true' \\"$0\\" \\"$1\\"; true", sys.executable, {_SERVER!r}]
print(os.getpid(), subprocess.run(wrapped, env=env, capture_output=True, text=True).stdout.strip(), flush=True)
sys.stdin.read()
"""
"""A client that starts its server through two shells, and hands it the id of its session as Claude Code does."""


class Client:
    def __init__(self) -> None:
        environment = {**os.environ, "CLAUDE_CODE_SESSION_ID": "of the session around this one"}
        self.running = subprocess.Popen(
            [sys.executable, "-c", _CLIENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        assert self.running.stdout
        pid, _, self.process = self.running.stdout.readline().strip().partition(" ")
        assert int(pid) == self.running.pid

    def of(self, caller: Caller) -> Caller:
        """The caller in this client's process."""
        return replace(caller, process=self.process)

    def kill(self) -> None:
        self.running.kill()
        self.running.communicate()


@pytest.fixture
def clients() -> Iterator[list[Client]]:
    with ExitStack() as stack:
        made = [Client() for _ in range(2)]
        for client in made:
            stack.callback(client.kill)
        yield made


def test_the_client_is_found_above_its_shells_and_is_known_to_be_gone_once_it_is(clients: list[Client]) -> None:
    client = clients[0]
    boot, namespace, pid, start = client.process.split(" ")
    before = process_state(client.process)
    reused = process_state(f"{boot} {namespace} {pid} {int(start) - 1}")
    client.running.kill()
    os.waitid(os.P_PID, client.running.pid, os.WEXITED | os.WNOWAIT)
    dead_but_not_waited_for = process_state(client.process)
    client.running.wait()

    assert int(pid) == client.running.pid
    assert (before, reused) == ("alive", "gone")
    assert (dead_but_not_waited_for, process_state(client.process)) == ("gone", "gone")


def test_what_lies_in_another_namespace_or_boot_is_unknown_and_so_is_what_is_no_process(clients: list[Client]) -> None:
    boot, namespace, pid, start = clients[0].process.split(" ")
    clients[0].kill()

    assert process_state(f"{boot} pid:[1] {pid} {start}") == "unknown"
    assert process_state(f"other {namespace} {pid} {start}") == "unknown"
    assert {process_state(text) for text in ("", "x", "server 1 ab", f"{boot} {namespace} x {start}")} == {"unknown"}


def test_a_client_of_another_kind_has_no_process_that_could_be_judged() -> None:
    assert session_process("process:12-ab") == ""
    assert session_process("codex:t") == ""  # no process above this one is called so


def left_s(loom: Loom, *patterns: str, caller: Caller = BEA) -> float:
    refused = claimed(loom, caller, *patterns)
    [blocker] = refused.blockers
    return (blocker.until_ms - refused.now_ms) / 1000


def test_a_holder_that_is_gone_has_a_minute_and_one_that_lives_its_lease(
    loom: Loom, clocks: Clocks, clients: list[Client]
) -> None:
    started(loom, clients[0].of(ANA))
    claimed(loom, clients[0].of(ANA), "src/", minutes=60)
    started(loom, BEA)
    alive = left_s(loom, "src/a.py")
    clients[0].kill()
    unseen = loom.claims.held(REPO, limit=9)[0][0].expires_at_ms
    gone = left_s(loom, "src/a.py")
    clocks.pass_minutes(0.5)
    later = left_s(loom, "src/a.py")
    clocks.pass_minutes(0.5)

    assert (alive, gone, later) == (3600, 60, 30)
    assert unseen == clocks.wall_ms + 59 * 60_000  # a reader shortens nothing
    assert claimed(loom, BEA, "src/a.py").claim
    assert [event.kind for event in loom.events.since(REPO, since=0, limit=99)[0]].count("run.gone") == 1


def test_who_comes_back_within_the_minute_keeps_all(loom: Loom, clocks: Clocks, clients: list[Client]) -> None:
    first = started(loom, clients[0].of(ANA))
    held = [claimed(loom, clients[0].of(ANA), path, minutes=60).claim for path in ("src/", "docs/")]
    started(loom, BEA)
    clients[0].kill()
    assert left_s(loom, "src/a.py") == 60
    clocks.pass_minutes(0.9)
    again = loom.runs.start(clients[1].of(ANA), SHOP, loop="loop", goal="goal", budget_tokens=800)

    assert (again.run.id, again.resumed) == (first.id, True)
    assert "still hold src/, docs/" in again.next
    assert [(claim.id, claim.fence) for claim in reversed(loom.claims.held(REPO, limit=9)[0])] == [
        (claim.id, claim.fence) for claim in held if claim
    ]
    assert left_s(loom, "src/a.py") == 3600


def test_who_comes_back_late_keeps_what_nobody_took_and_is_told_of_the_rest(
    loom: Loom, clocks: Clocks, clients: list[Client]
) -> None:
    first = started(loom, clients[0].of(ANA))
    kept = [claimed(loom, clients[0].of(ANA), path).claim for path in ("src/", "docs/")][1]
    started(loom, BEA)
    clients[0].kill()
    left_s(loom, "src/a.py")
    clocks.pass_minutes(2)
    assert claimed(loom, BEA, "src/a.py").claim
    again = loom.runs.start(clients[1].of(ANA), SHOP, loop="loop", goal="goal", budget_tokens=800)
    held = [claim for claim in loom.claims.held(REPO, limit=9)[0] if claim.run_id == first.id]

    assert again.resumed
    assert "still hold docs/;" in again.next
    assert [(alert.kind, "src/ ended" in alert.text) for alert in again.alerts] == [("expired", True)]
    assert kept
    assert [(claim.id, claim.fence) for claim in held] == [(kept.id, kept.fence)]


def test_a_second_start_in_one_process_is_another_run(loom: Loom, clients: list[Client]) -> None:
    runs = [started(loom, clients[0].of(ANA)).id for _ in range(2)]

    assert len(set(runs)) == 2


def test_another_loop_another_session_and_a_process_that_lives_resume_nothing(
    loom: Loom, clients: list[Client]
) -> None:
    old, new = clients[0].of(ANA), clients[1].of(ANA)
    first = started(loom, old).id
    beside_it = started(loom, new).id
    clients[0].kill()
    others = [
        started(loom, new, loop="another").id,
        started(loom, replace(new, session="s-new")).id,
        started(loom, replace(new, principal="bea")).id,
        started(loom, replace(new, agent="sub")).id,
    ]

    assert first not in [beside_it, *others]
    assert started(loom, new).id == first


def test_a_late_end_of_the_old_server_shortens_nothing_of_the_new_one(loom: Loom, clients: list[Client]) -> None:
    started(loom, clients[0].of(ANA))
    clients[0].kill()
    run = started(loom, clients[1].of(ANA))
    loom.runs.shorten(clients[0].of(ANA))

    assert loom.runs.details(run.id).run.expires_at_ms == run.expires_at_ms
    assert heard(loom, clients[1].of(ANA)) == ()


def test_what_a_session_holds_whose_client_was_killed_is_free_within_a_minute(
    loom: Loom, clocks: Clocks, clients: list[Client]
) -> None:
    killed = clients[0].of(replace(ANA, session="claude:s1"))
    own = loom.sessions.start(killed, SHOP).run
    claimed(loom, killed, "src/a.py", run=own.id)
    clients[0].kill()
    started(loom, BEA)
    refused = claimed(loom, BEA, "src/a.py")
    clocks.pass_minutes(2)

    assert refused.claim is None
    assert claimed(loom, BEA, "src/a.py").claim
