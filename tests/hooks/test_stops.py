"""A turn ends: what the session leaves open is told once."""

import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from loomstack_mcp.core.runs import Caller
from tests.conftest import commit_all, git
from tests.hooks.support import hook, session_event
from tests.hooks.test_sessions import _caller, _checkout, opened, runs, starts
from tests.services.support import claimed, recorded

BEFORE = "def price(item):\n    return item.net * 119 / 100\n\n\ndef total(items):\n    return sum(map(price, items))\n"


def stops(home: Path, folder: Path, *, headless: bool = True, again: bool = False, path: str = "") -> dict[str, Any]:
    event = session_event(folder, stop_hook_active=again)
    at = "sdk-cli" if headless else "cli"
    return hook(home, "claude", event, event="Stop", CLAUDE_CODE_ENTRYPOINT=at, PATH=path or os.environ["PATH"]) or {}


def works(shop: Path, path: str, content: str = "work\n") -> None:
    """The session writes a file, by whatever means."""
    (shop / path).write_text(content)


@pytest.fixture
def begun(tmp_path: Path, shop: Path) -> Path:
    """A session has started in a worktree where somebody left a file an hour ago."""
    works(shop, "older.py")
    an_hour_ago = time.time() - 3600
    os.utime(shop / "older.py", (an_hour_ago, an_hour_ago))
    starts(tmp_path, shop)
    return shop


def test_nothing_is_said_where_nothing_was_done(tmp_path: Path, begun: Path) -> None:
    assert stops(tmp_path, begun) == {}


def test_what_a_session_wrote_and_did_not_commit_is_told_once(tmp_path: Path, begun: Path) -> None:
    works(begun, "src/a.py")
    works(begun, "new.py")
    reply, again = stops(tmp_path, begun), stops(tmp_path, begun)
    works(begun, "new.py", "other work\n")

    assert list(reply) == ["systemMessage"]
    assert "- not committed: src/a.py, new.py" in reply["systemMessage"]
    assert "older.py" not in reply["systemMessage"]
    assert (again, stops(tmp_path, begun)) == ({}, {})


def test_a_turn_that_a_hook_has_prolonged_is_let_go(tmp_path: Path, begun: Path) -> None:
    works(begun, "new.py")

    assert stops(tmp_path, begun, again=True) == {}


def test_each_kind_is_told_once_at_a_screen_too(tmp_path: Path, begun: Path) -> None:
    works(begun, "new.py")
    told = stops(tmp_path, begun, headless=False)
    works(begun, "newer.py")

    assert list(told) == ["systemMessage"]
    assert stops(tmp_path, begun, headless=False) == {}


def test_a_file_that_was_written_back_as_it_was_is_not_open(tmp_path: Path, begun: Path) -> None:
    works(begun, "src/a.py")
    works(begun, "src/a.py", "x\n")

    assert stops(tmp_path, begun) == {}


def test_a_file_that_is_gone_is_open(tmp_path: Path, begun: Path) -> None:
    (begun / "src/a.py").unlink()

    assert "src/a.py" in stops(tmp_path, begun)["systemMessage"]


def test_what_another_session_holds_is_not_this_one_s(tmp_path: Path, begun: Path) -> None:
    starts(tmp_path, begun, session="another")
    [_, other] = runs(tmp_path)
    with opened(tmp_path) as loom:
        loom.claims.claim_paths(
            _caller(other), other.id, patterns=["src/"], intent="its", mode="exclusive", ttl_ms=600_000
        )
    works(begun, "src/a.py")

    assert stops(tmp_path, begun) == {}


def test_commits_that_no_remote_has_are_told_where_there_is_one(tmp_path: Path, begun: Path) -> None:
    works(begun, "new.py")
    commit_all(begun)
    local = stops(tmp_path, begun)
    git(begun, "remote", "add", "origin", "https://localhost/acme/shop.git")
    reply = stops(tmp_path, begun)
    git(begun, "update-ref", "refs/remotes/origin/main", "HEAD")

    assert local == {}
    assert "- not pushed: 1 commit" in reply["systemMessage"]
    assert stops(tmp_path, begun) == {}


def test_a_run_that_was_asked_for_and_has_no_outcome_is_told(tmp_path: Path, begun: Path) -> None:
    [own] = runs(tmp_path)
    with opened(tmp_path) as loom:
        asked = loom.runs.start(_caller(own), _checkout(loom, own), loop="fix", goal="g", budget_tokens=100).run

    assert f"- {asked.id} (fix) has no outcome: record_outcome" in stops(tmp_path, begun)["systemMessage"]


def test_what_would_take_back_another_s_intent_stops_at_a_screen_too(tmp_path: Path, begun: Path) -> None:
    works(begun, "src/tax.py", BEFORE)
    commit_all(begun)
    works(begun, "src/tax.py", BEFORE.replace(" * 119 / 100", ""))
    commit_all(begun)
    [own] = runs(tmp_path)
    with opened(tmp_path) as loom:
        bea = Caller(principal="bea", session="claude:bea")
        other = loom.runs.start(bea, _checkout(loom, own), loop="prices", goal="g", budget_tokens=100).run
        claimed(loom, bea, "src/tax.py", run=other.id, intent="prices are net")
        recorded(loom, bea, other.id, status="done", commits=[git(begun, "rev-parse", "HEAD").strip()])
    works(begun, "src/tax.py", BEFORE)
    reply = stops(tmp_path, begun, headless=False)

    assert reply["decision"] == "block"
    assert "- check_conflicts: stop, over " in reply["reason"]
    assert " in src/tax.py" in reply["reason"]


def test_a_check_that_fails_is_no_clear(tmp_path: Path, begun: Path) -> None:
    git(begun, "update-ref", "-d", "refs/heads/main")
    works(begun, "new.py")
    reason = stops(tmp_path, begun)["systemMessage"]

    assert "- not committed: " in reason
    assert "- conflicts not checked, because " in reason


def test_a_check_that_takes_too_long_is_no_clear_and_leaves_nothing_running(tmp_path: Path, begun: Path) -> None:
    real, slow = shutil.which("git"), tmp_path / "slow"
    slow.mkdir()
    (slow / "git").write_text(
        f'#!/bin/sh\ncase "$*" in *write-tree*) > {slow}/$$.pid; exec sleep 60;; esac\nexec {real} "$@"\n'
    )
    (slow / "git").chmod(0o755)
    works(begun, "new.py")
    reason = stops(tmp_path, begun, path=f"{slow}{os.pathsep}{os.environ['PATH']}")["systemMessage"]

    assert "- not committed: new.py" in reason
    assert "- conflicts not checked, because it takes more than 3 s: call check_conflicts" in reason
    assert [pid.stem for pid in slow.glob("*.pid") if _is_running(pid.stem)] == []


def _is_running(pid: str) -> bool:
    """Not that it waits for somebody to see its end, as in a container whose first process sees none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
