"""An idle session of Claude Code is told through its inbox what it waits for: a real socket, real servers."""

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from loomstack_mcp.loom import Loom
from loomstack_mcp.server import push
from loomstack_mcp.server.face import Face
from loomstack_mcp.server.far_waits import FarWaits
from tests.cli.test_approvals import PEOPLE, RULES
from tests.cli.test_cli import on_terminal
from tests.conftest import commit_all, environment
from tests.databases import PostgresServer, fresh_database
from tests.deadlines import wait_until
from tests.factories import ANA, BEA
from tests.processes import SCRIPT
from tests.services.support import claimed, started
from tests.wire import Server


class Inbox:
    """The socket on which Claude Code takes messages for a session."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.lines: list[dict[str, Any]] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(self.path)
        self._socket.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def texts(self) -> list[str]:
        return [line["message"]["content"] for line in self.lines if line["type"] == "user"]

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                opened, _ = self._socket.accept()
                with opened, opened.makefile() as lines:
                    self.lines += map(json.loads, lines)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inbox]:
    made = Inbox(tmp_path_factory.mktemp("i") / "s")  # a socket's path is short
    yield made
    made.close()


@pytest.fixture
def idle(serve: Callable[..., Server], inbox: Inbox) -> Callable[..., Server]:
    def started(**env: str) -> Server:
        names = {"CLAUDE_CODE_MESSAGING_SOCKET": inbox.path, "CLAUDE_CODE_MESSAGING_TOKEN": "t0k3n"}
        return serve(CLAUDE_CODE_SESSION_ID="s-1", **names, **env)

    return started


@pytest.fixture
def holder(serve: Callable[..., Server]) -> Server:
    server = serve(CLAUDE_CODE_SESSION_ID="s-holder")
    server.answer("start_run", loop="refactor", goal="net")
    server.answer("claim_paths", paths=["src"], intent="net")
    return server


def test_a_freed_path_reaches_the_idle_session_that_was_refused_it_once(
    idle: Callable[..., Server], holder: Server, inbox: Inbox
) -> None:
    server = idle()
    server.answer("start_run", loop="triage", goal="green")
    assert not server.answer("claim_paths", paths=["src/a.py"], intent="x")["granted"]
    holder.answer("release_paths")
    wait_until(lambda: len(inbox.lines) == 2, 30)
    holder.answer("claim_paths", paths=["docs"], intent="something else happens")

    assert inbox.lines[0] == {"type": "auth", "token": "t0k3n"}
    assert inbox.texts == [
        "LoomStack tells, and asks for no answer:\n- src/a.py is free now: call claim_paths again "
        + inbox.texts[0].rpartition(" ")[2]
    ]
    answer = server.answer("claim_paths", paths=["src/a.py"], intent="x")
    assert answer["granted"]
    assert "alerts" not in server.answer("read_shared_context")


def test_a_database_tells_an_idle_session_that_called_once(
    idle: Callable[..., Server], serve: Callable[..., Server], inbox: Inbox, postgres_server: PostgresServer
) -> None:
    store = {"LOOMSTACK_STORE": fresh_database(postgres_server)}
    holder, server = serve(CLAUDE_CODE_SESSION_ID="s-holder", **store), idle(**store)
    unopened = opened_sockets(server)
    holder.answer("start_run", loop="refactor", goal="net")
    holder.answer("claim_paths", paths=["src"], intent="net")
    server.answer("start_run", loop="triage", goal="green")
    assert not server.answer("claim_paths", paths=["src/a.py"], intent="x")["granted"]
    holder.answer("release_paths")
    wait_until(lambda: len(inbox.texts) == 1, 10)

    assert "src/a.py is free now" in inbox.texts[0]
    assert unopened == []


def test_a_message_reaches_a_session_that_waits_for_nothing(
    idle: Callable[..., Server], holder: Server, inbox: Inbox
) -> None:
    server = idle()
    run = server.answer("start_run", loop="triage", goal="green")["run"]
    holder.answer("share_context", kind="fact", text="rebase first", to=run)
    wait_until(lambda: len(inbox.texts) == 1, 30)

    assert "wrote (note_" in inbox.texts[0]
    assert "“rebase first”" in inbox.texts[0]


def test_an_answered_approval_reaches_the_session_that_waits_for_it(
    idle: Callable[..., Server], inbox: Inbox, shop: Path, tmp_path: Path
) -> None:
    for name, text in (("policies/shop.yaml", RULES), (".loomstack/people.yaml", PEOPLE)):
        (shop / name).parent.mkdir()
        (shop / name).write_text(text)
    commit_all(shop)
    server = idle()
    server.answer("start_run", loop="triage", goal="green")
    asked = server.answer("check_policy", action="edit", paths=["billing/a.py"])["approval"]
    typed = [SCRIPT, "approve", asked, "--why", "fine"]
    status, shown = on_terminal(typed, cwd=shop, env=environment(tmp_path))
    assert status == 0, shown
    wait_until(lambda: len(inbox.texts) == 1, 30)

    assert "was granted by dana: fine" in inbox.texts[0]
    assert asked in inbox.texts[0]


@pytest.mark.parametrize("how", ["environment", "file", "no inbox"])
def test_nobody_watches_where_a_person_wants_no_push_or_the_client_has_no_inbox(
    idle: Callable[..., Server], serve: Callable[..., Server], tmp_path: Path, how: str
) -> None:
    watching = threads(idle())
    if how == "file":
        (tmp_path / "loomstack" / "config.yaml").write_text("push: off\n")
    server = serve() if how == "no inbox" else idle(**({"LOOMSTACK_PUSH": "off"} if how == "environment" else {}))

    assert (watching, threads(server)) == (3, 2)  # of these one waits for a signal


def test_a_session_to_which_nothing_happens_opens_no_store_and_leaves_no_file(
    idle: Callable[..., Server], tmp_path: Path
) -> None:
    server = idle()

    assert sorted(path.name for path in (tmp_path / "loomstack").iterdir()) == ["loom.db"]
    assert not [name for name in opened(server) if "loom.db" in name]


def threads(server: Server) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/task").iterdir()))


def opened_sockets(server: Server) -> list[str]:
    return [name for name in opened(server) if name.startswith("socket:")]


def opened(server: Server) -> list[str]:
    return [str(each.readlink()) for each in Path(f"/proc/{server.process.pid}/fd").iterdir()]


def test_a_hub_s_bell_rings_where_the_repo_moves_in_which_a_session_waits(
    loom: Loom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push, "_UNTOLD_WAITING_S", 0.3)
    for caller in (ANA, BEA):
        started(loom, caller)
    claimed(loom, ANA, "src/")
    claimed(loom, BEA, "src/a.py")
    waits_in = loom.watches.watched(BEA).waits_in
    bell = push.HubBell(lambda: cast("Face", SimpleNamespace(waits=FarWaits(lambda: loom.events))))
    rings = bell.looked(waits_in)
    before = bell.is_rung(within_s=0.1)
    claimed(loom, ANA, "docs/")
    after = wait_until(lambda: bell.is_rung(within_s=0.1))
    again = bell.is_rung(within_s=0.1)  # whoever heard it could not look: the hub is away, say

    assert (rings, before, after, again) == (True, False, True, False)
    assert bell.looked(loom.watches.watched(ANA).waits_in) is False
    assert bell.looked((*waits_in, ("another", 1))) is False


def test_a_database_s_bell_that_rings_as_nobody_waits_any_more_is_heard_the_next_time() -> None:
    class RingsLate(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            is_rung = super().wait(timeout)
            self.set()
            return is_rung

    bell = push.DatabaseBell(lambda: None, "claude:s-1")
    bell._news = RingsLate()

    assert [bell.is_rung(within_s=0) for _ in range(2)] == [False, True]
