"""`pause` and `resume`: all is off, everybody sees it, and no answer is a yes."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.doctors import Doctor
from tests.cli.test_cli import on_terminal
from tests.conftest import Run, commit_all, environment, git
from tests.hooks.support import claude_edit, hook
from tests.processes import SCRIPT
from tests.wire import Server

Typed = Callable[..., str]
CALLS: list[tuple[str, dict[str, object]]] = [
    ("start_run", {"loop": "x", "goal": "y"}),
    ("read_shared_context", {}),
    ("share_context", {"kind": "fact", "text": "x"}),
    ("claim_paths", {"paths": ["docs"], "intent": "x"}),
    ("release_paths", {}),
    ("check_policy", {"action": "edit", "paths": ["src/a.py"]}),
    ("check_conflicts", {}),
    ("record_outcome", {"status": "done", "summary": "x"}),
]


@pytest.fixture
def typed(tmp_path: Path, shop: Path) -> Typed:
    """What the terminal showed once a person typed the command there."""

    def on(*words: str, cwd: Path = shop) -> str:
        status, shown = on_terminal([SCRIPT, *words], cwd=cwd, env=environment(tmp_path))
        assert status == 0, shown
        return shown

    return on


@pytest.fixture
def other(serve: Callable[..., Server]) -> Server:
    """Another session, which holds src/."""
    server = serve(CLAUDE_CODE_SESSION_ID="s-other")
    server.answer("start_run", loop="refactor", goal="split")
    server.answer("claim_paths", paths=["src"], intent="mine")
    return server


def test_while_it_is_paused_no_tool_answers_and_none_says_yes(typed: Typed, serve: Callable[..., Server]) -> None:
    server = serve()
    server.answer("start_run", loop="loop", goal="goal")
    typed("pause", "--why", "the office moves")
    refused = [server.error(tool, **arguments) for tool, arguments in CALLS]
    typed("resume")

    for text in refused:
        assert text.startswith("paused: LoomStack is paused here by ")
        assert "the office moves" in text
        assert "take this for no yes" in text
    assert server.answer("check_policy", action="edit", paths=["src/a.py"])["effect"] == "allow"


def test_the_hook_lets_edits_through_and_says_each_time_that_it_did_not_check(
    typed: Typed, other: Server, tmp_path: Path, shop: Path
) -> None:
    edit = claude_edit(shop, str(shop / "src" / "a.py"))
    typed("pause")
    paused = hook(tmp_path, "claude", edit)
    typed("resume")
    resumed = hook(tmp_path, "claude", edit)

    assert paused is not None
    assert set(paused) == {"systemMessage"}
    assert "did not check this step. paused: LoomStack is paused here by" in paused["systemMessage"]
    assert resumed is not None
    assert resumed["hookSpecificOutput"]["permissionDecision"] == "deny"


def test_one_session_is_paused_by_its_run_and_the_others_are_not(
    typed: Typed, other: Server, serve: Callable[..., Server], tmp_path: Path, shop: Path
) -> None:
    mine = serve(CLAUDE_CODE_SESSION_ID="s-1")
    run = mine.answer("start_run", loop="triage", goal="green")["run"]
    typed("pause", "--run", run)
    paths = str(shop / "src" / "a.py")
    paused = hook(tmp_path, "claude", claude_edit(shop, paths))
    unpaused = hook(tmp_path, "claude", claude_edit(shop, paths, session="s-2"))

    assert mine.error("claim_paths", paths=["docs"], intent="x").startswith("paused: ")
    assert other.answer("claim_paths", paths=["docs"], intent="x")["granted"]
    assert paused is not None
    assert "did not check" in paused["systemMessage"]
    assert unpaused is not None
    assert "hookSpecificOutput" in unpaused


def test_another_worktree_of_the_repository_is_paused_and_another_repository_is_not(
    typed: Typed, tmp_path: Path, shop: Path, serve: Callable[..., Server]
) -> None:
    tree, elsewhere = tmp_path / "tree", tmp_path / "elsewhere"
    git(shop, "worktree", "add", "--quiet", "-b", "other", str(tree))
    elsewhere.mkdir()
    git(elsewhere, "init", "--quiet")
    (elsewhere / "a").write_text("x")
    commit_all(elsewhere)
    typed("pause")

    assert serve(cwd=tree).error("start_run", loop="x", goal="y").startswith("paused: ")
    assert serve(cwd=elsewhere).answer("start_run", loop="x", goal="y")["run"]


def test_a_pause_ends_by_itself(typed: Typed, tmp_path: Path, serve: Callable[..., Server]) -> None:
    shown = typed("pause", "--for", "30m")
    kept = tmp_path / "loomstack" / "paused.json"
    [pause] = json.loads(kept.read_text())
    kept.write_text(json.dumps([{**pause, "until_at_ms": pause["since_at_ms"]}]))

    assert "for 30 min more" in shown
    assert pause["until_at_ms"] - pause["since_at_ms"] == 30 * 60_000
    assert kept.stat().st_mode & 0o777 == 0o600
    assert serve().answer("start_run", loop="x", goal="y")["run"]
    assert "Nothing is paused here" in typed("resume")


def test_runs_and_doctor_show_it(typed: Typed, tmp_path: Path, shop: Path, loomstack: Run) -> None:
    doctor = Doctor(tmp_path, shop)
    typed("pause")
    listed, found = loomstack("runs", "--json"), doctor.found()["paused"]
    typed("resume")

    assert "paused here by" in listed.stderr
    assert json.loads(listed.stdout) == []
    assert (found["status"], "loomstack-mcp resume" in found["mend"]) == ("warn", True)
    assert "paused" not in doctor.found()


@pytest.mark.parametrize("command", ["pause", "resume"])
def test_only_a_person_at_a_terminal_may(tmp_path: Path, shop: Path, loomstack: Run, command: str) -> None:
    env = {**environment(tmp_path), "CLAUDECODE": "1"}
    status, shown = on_terminal([SCRIPT, command], cwd=shop, env=env)

    assert (status, "only a person" in shown) == (1, True)
    assert "only a person" in loomstack(command).stderr
    assert not (tmp_path / "loomstack" / "paused.json").exists()


@pytest.mark.parametrize("words", [("--for", "8d"), ("--for", "soon"), ("--run", "run_NONE")])
def test_what_cannot_be_paused_is_refused(tmp_path: Path, shop: Path, words: tuple[str, str]) -> None:
    status, _ = on_terminal([SCRIPT, "pause", *words], cwd=shop, env=environment(tmp_path))

    assert status != 0
    assert not (tmp_path / "loomstack" / "paused.json").exists()


def test_the_gate_goes_on_judging(typed: Typed, shop: Path, loomstack: Run) -> None:
    (shop / "policies").mkdir()
    rule = "version: 1\npolicy: p\nrules:\n  - id: no\n    why: never touch it\n    effect: deny\n    on: [land]\n"
    (shop / "policies/p.yaml").write_text(rule)
    commit_all(shop)
    git(shop, "switch", "--quiet", "--create", "feature")
    (shop / "new.py").write_text("x = 1\n")
    commit_all(shop)
    typed("pause")

    assert loomstack("gate", "--base", "main", "--git-only").returncode == 2
