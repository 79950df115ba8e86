"""The hook as its client runs it: a process, JSON on stdin, a reply on stdout."""

import contextlib
import json
import sqlite3
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from loomstack_mcp.adapters.git.worktree import worktree_at
from loomstack_mcp.adapters.settings import load_settings
from loomstack_mcp.adapters.user import principal
from loomstack_mcp.core.limits import GATE_WAIT_MS
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.loom import open_loom
from loomstack_mcp.store.sqlite import gate
from tests.conftest import Run, environment, git
from tests.factories import BEA
from tests.hooks.support import claude_edit, codex_patch, hook
from tests.processes import HOOK, run
from tests.services.support import claimed, recorded, started
from tests.wire import Server

SLOW = {"anyio", "click", "git", "mcp", "pydantic", "sqlite_utils", "starlette", "yaml"}


@pytest.mark.parametrize("tool", ["Edit", "Write", "MultiEdit", "NotebookEdit"])
def test_an_edit_of_what_another_run_holds_is_refused(tmp_path: Path, shop: Path, held: str, tool: str) -> None:
    reply = hook(tmp_path, "claude", claude_edit(shop, str(shop / "src" / "a.py"), tool=tool))

    assert reply
    assert reply["hookSpecificOutput"]["permissionDecision"] == "deny"
    reason = reply["hookSpecificOutput"]["permissionDecisionReason"]
    for words in ("src/a.py is claimed by", held, "refactor@", "split a.py in two", "min more", "wait_seconds"):
        assert words in reason


def test_an_edit_elsewhere_goes_on_without_a_word(tmp_path: Path, shop: Path, held: str) -> None:
    for path in (shop / "README.md", shop / "docs" / "new.md", tmp_path / "src" / "a.py", shop / ".git" / "info" / "x"):
        assert hook(tmp_path, "claude", claude_edit(shop, str(path))) is None


def test_a_sessions_own_claims_do_not_stand_in_its_way_nor_in_that_of_its_sub_agents(
    tmp_path: Path, shop: Path, held: str
) -> None:
    path = str(shop / "src" / "a.py")

    assert hook(tmp_path, "claude", claude_edit(shop, path, session="s-other")) is None
    assert hook(tmp_path, "claude", claude_edit(shop, path, session="s-other", agent_id="a1", agent_type="x")) is None


@pytest.mark.parametrize(
    ("patch", "refused"),
    [
        ("*** Begin Patch\n*** Update File: src/a.py\n@@\n-x\n+y\n*** End Patch", True),
        ("*** Begin Patch\n*** Add File: README2.md\n+x\n*** Update File: src/b.py\n@@\n-x\n+y\n*** End Patch", True),
        ("*** Begin Patch\n*** Update File: README.md\n*** Move to: src/README.md\n@@\n-x\n+y\n*** End Patch", True),
        ("*** Begin Patch\n*** Delete File: src/a.py\n*** End Patch", True),
        ("*** Begin Patch\n*** Update File: README.md\n@@\n-x\n+*** Update File: src/a.py\n*** End Patch", False),
    ],
)
def test_codex_patches_are_judged_by_every_file_they_write(
    tmp_path: Path, shop: Path, held: str, patch: str, refused: bool
) -> None:
    reply = hook(tmp_path, "codex", codex_patch(shop, patch))

    assert bool(reply) == refused


def test_links_and_folders_on_the_way_are_resolved(tmp_path: Path, shop: Path, held: str) -> None:
    (shop / "also").symlink_to("src")
    (tmp_path / "elsewhere").symlink_to(shop)

    assert hook(tmp_path, "claude", claude_edit(shop, str(shop / "also" / "a.py")))
    assert hook(tmp_path, "claude", claude_edit(tmp_path / "elsewhere", "src/../src/./a.py"))
    assert hook(tmp_path, "claude", claude_edit(shop / "tests", "../src/new.py"))


@pytest.mark.parametrize(
    "stdin", [b"", b"garbage", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"tool_input": 3, "cwd": []}', b"{}"]
)
def test_what_cannot_be_judged_goes_on_and_is_said(tmp_path: Path, stdin: bytes) -> None:
    reply = hook(tmp_path, "claude", None, stdin=stdin)

    assert reply
    assert "did not check" in reply["systemMessage"]
    assert "Traceback" not in reply["systemMessage"]


def test_a_store_that_cannot_be_read_is_said(tmp_path: Path, shop: Path) -> None:
    (tmp_path / "loomstack").mkdir()
    (tmp_path / "loomstack" / "loom.db").write_bytes(b"garbage" * 1000)

    reply = hook(tmp_path, "claude", claude_edit(shop, "src/a.py"))

    assert reply
    assert "store_unavailable" in reply["systemMessage"]


def test_an_older_store_is_said_and_not_upgraded(tmp_path: Path, shop: Path, held: str) -> None:
    store = tmp_path / "loomstack" / "loom.db"
    with contextlib.closing(sqlite3.connect(store, isolation_level=None)) as other:
        other.execute("PRAGMA user_version = 1")
    reply = hook(tmp_path, "claude", claude_edit(shop, "src/a.py"))

    assert reply
    assert "older schema" in reply["systemMessage"]
    assert not list(store.parent.glob("*.backup"))


def test_a_stopped_writer_lets_a_refusal_through_at_once(tmp_path: Path, shop: Path, held: str) -> None:
    store = tmp_path / "loomstack" / "loom.db"
    with gate.passed(gate.gate_beside(store)):
        before = time.monotonic()
        replies = [hook(tmp_path, "claude", claude_edit(shop, "src/a.py")) for _ in range(5)]
        took_s = time.monotonic() - before

    assert [reply and reply["hookSpecificOutput"]["permissionDecision"] for reply in replies] == ["deny"] * 5
    assert took_s < 5 * GATE_WAIT_MS / 1000  # whoever waits for the gate takes longer


def test_a_stopped_writer_lets_readers_answer(
    tmp_path: Path, shop: Path, serve: Callable[..., Server], loomstack: Run, held: str
) -> None:
    reader = serve()
    reader.answer("start_run", loop="triage", goal="green")
    assert loomstack("conflicts").returncode == 0  # which fills the ledger
    with gate.passed(gate.gate_beside(tmp_path / "loomstack" / "loom.db")):
        context = reader.answer("read_shared_context", paths=["src"])
        resource = reader.request("resources/read", {"uri": "loom://claims"})["result"]["contents"][0]["text"]
        commands = [loomstack(*words) for words in (("runs",), ("claims",), ("events",), ("notes",), ("conflicts",))]

    assert [claim["run"] for claim in context["claims"]] == [held, held]
    assert held in resource
    assert [done.returncode for done in commands] == [0] * 5
    assert held in commands[0].stdout


def test_an_edit_in_another_worktree_is_refused_as_in_the_first(tmp_path: Path, shop: Path, held: str) -> None:
    other = tmp_path / "worktree"
    git(shop, "worktree", "add", "--quiet", str(other), "-b", "topic")

    assert hook(tmp_path, "claude", claude_edit(other, "src/a.py"))
    assert hook(tmp_path, "codex", codex_patch(other / "src", "*** Begin Patch\n*** Delete File: a.py\n*** End Patch"))
    assert hook(tmp_path, "claude", claude_edit(other, "README.md")) is None


def test_a_claim_of_a_run_that_is_over_stops_nobody(tmp_path: Path, shop: Path) -> None:
    with open_loom(tmp_path / "loomstack" / "loom.db") as loom:
        found = worktree_at(shop)
        assert found
        started(loom, BEA, found.checkout())
        claimed(loom, BEA, "src/")
        before = hook(tmp_path, "claude", claude_edit(shop, "src/a.py"))
        recorded(loom, BEA, status="done")

    assert before
    assert hook(tmp_path, "claude", claude_edit(shop, "src/a.py")) is None


def test_a_sub_agent_that_checks_another_run_edits_nothing_until_it_starts_work_of_its_own(
    tmp_path: Path, shop: Path
) -> None:
    # As both clients say it: an edit by the sub-agent, by another one, and by the session's own agent.
    whose: tuple[dict[str, str], ...] = ({"agent_id": "a1"}, {"agent_id": "a2"}, {})
    edits = [claude_edit(shop, str(shop / f"{number}.py"), **who) for number, who in enumerate(whose)]
    patch = "*** Begin Patch\n*** Add File: free.py\n+x\n*** End Patch"
    sub = Caller(principal=principal(), session="claude:s-1", agent="a1")
    thread = Caller(principal=principal(), session="codex:thread-1", agent="t-2")
    found = worktree_at(shop)
    assert found
    checkout = found.checkout()
    with open_loom(load_settings({}, environment=environment(tmp_path))) as loom:
        for agent in (sub, thread, replace(sub, agent="")):
            started(loom, agent, checkout)
        before = [hook(tmp_path, "claude", edit) for edit in edits]
        maker = started(loom, replace(sub, agent="a2"), checkout).id
        checkers = [started(loom, agent, checkout, checks_run=maker).id for agent in (sub, thread)]
        own = started(loom, replace(sub, agent=""), checkout, checks_run=maker).id
        checking = [hook(tmp_path, "claude", edit) for edit in edits]
        [patched] = [hook(tmp_path, "codex", codex_patch(shop, patch, agent_id="t-2"))]
        started(loom, sub, checkout)
        after = hook(tmp_path, "claude", edits[0])

    assert [*before, *checking[1:], after] == [None] * 6
    for reply, run_id in ((checking[0], checkers[0]), (patched, checkers[1])):
        assert f"{run_id} checks {maker}" in json.dumps(reply)
    assert own not in json.dumps(checking)


def test_who_checks_its_own_run_or_whose_check_is_lost_goes_on_editing(tmp_path: Path, shop: Path) -> None:
    maker = Caller(principal=principal(), session="claude:s-1", agent="a1")
    other = replace(maker, agent="a2")
    edits = [claude_edit(shop, str(shop / f"{one.agent}.py"), agent_id=one.agent) for one in (maker, other)]
    found = worktree_at(shop)
    assert found
    store = load_settings({}, environment=environment(tmp_path))
    with open_loom(store) as loom:
        made = started(loom, maker, found.checkout()).id
        for agent in (maker, other):
            started(loom, agent, found.checkout(), checks_run=made)
        before = [hook(tmp_path, "claude", edit) for edit in edits]
    with sqlite3.connect(tmp_path / "loomstack/loom.db") as silent:
        silent.execute("UPDATE run SET expires_at_ms = 0, seen_at_ms = 0 WHERE agent = 'a2'")

    assert [reply is None for reply in before] == [True, False]
    assert hook(tmp_path, "claude", edits[1]) is None


def test_who_checks_is_refused_again_once_its_newer_work_is_lost(tmp_path: Path, shop: Path) -> None:
    agent = Caller(principal=principal(), session="claude:s-1", agent="a1")
    edit = claude_edit(shop, str(shop / "free.py"), agent_id="a1")
    found = worktree_at(shop)
    assert found
    with open_loom(load_settings({}, environment=environment(tmp_path))) as loom:
        made = started(loom, replace(agent, agent="a2"), found.checkout()).id
        check = started(loom, agent, found.checkout(), checks_run=made).id
        work = started(loom, agent, found.checkout()).id
        while_working = [hook(tmp_path, "claude", edit) for _ in range(2)]
    with sqlite3.connect(tmp_path / "loomstack/loom.db") as silent:
        silent.execute("UPDATE run SET expires_at_ms = 0, seen_at_ms = 0 WHERE id = ?", [work])

    assert while_working == [None, None]
    assert f"{check} checks {made}" in json.dumps(hook(tmp_path, "claude", edit))


def test_a_home_that_is_no_folder_is_said(tmp_path: Path, shop: Path) -> None:
    (tmp_path / "loomstack").write_text("a file")
    reply = hook(tmp_path, "claude", claude_edit(shop, "src/a.py"))

    assert reply
    assert "did not check this step. store_unavailable: " in reply["systemMessage"]
    assert "is no folder" in reply["systemMessage"]
    assert (tmp_path / "loomstack").read_text() == "a file"


def test_a_hook_without_a_store_leaves_none(tmp_path: Path, shop: Path) -> None:
    assert hook(tmp_path, "claude", claude_edit(shop, "src/a.py")) is None
    assert not (tmp_path / "loomstack").exists()


@pytest.mark.parametrize("arguments", [[], ["claude"], ["nobody", "PreToolUse"], ["claude", "Stopped"]])
def test_wrong_usage_is_said_with_its_own_status(tmp_path: Path, arguments: list[str]) -> None:
    done = run([HOOK, *arguments], cwd=tmp_path)

    assert done.returncode == 64
    assert done.stderr.startswith("usage: loomstack-hook")


def test_no_slow_package_is_imported() -> None:
    program = "import sys, loomstack_mcp.hooks.main; print(*sorted(m.partition('.')[0] for m in sys.modules))"
    loaded = run([sys.executable, "-c", program], check=True).stdout

    assert SLOW.isdisjoint(loaded.split())
