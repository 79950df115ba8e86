"""What an agent's runs have to hear is told by the hooks of its client: with a prompt, and before an edit."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loomstack_mcp.adapters.git.worktree import worktree_at
from loomstack_mcp.adapters.pauses import write_pauses
from loomstack_mcp.adapters.settings import load_settings
from loomstack_mcp.core.pauses import Pause
from loomstack_mcp.loom import open_loom
from tests.conftest import environment
from tests.hooks.support import claude_edit, codex_patch, hook, made_store, prompt
from tests.wire import Server

PATCH = "*** Begin Patch\n*** Add File: free.py\n+1\n*** End Patch"


@pytest.fixture
def freed(serve: Callable[..., Server]) -> Callable[..., Server]:
    """A session that was refused a path, which is free by now."""

    def made(meta: dict[str, Any] | None = None, **env: str) -> Server:
        holder = serve(CLAUDE_CODE_SESSION_ID="s-holder")
        holder.answer("start_run", loop="refactor", goal="net")
        holder.answer("claim_paths", paths=["src/a.py"], intent="net")
        waits = serve(**env)
        waits.call("start_run", {"loop": "triage", "goal": "green"}, meta)
        waits.call("claim_paths", {"paths": ["src/a.py"], "intent": "x"}, meta)
        holder.answer("release_paths")
        return waits

    return made


def context(reply: dict[str, Any] | None) -> tuple[str, str]:
    assert reply
    found = reply["hookSpecificOutput"]
    assert set(reply) == {"hookSpecificOutput"}
    assert set(found) == {"hookEventName", "additionalContext"}
    return found["hookEventName"], found["additionalContext"]


def denied(reply: dict[str, Any] | None) -> str:
    assert reply
    assert reply["hookSpecificOutput"]["permissionDecision"] == "deny"
    return str(reply["hookSpecificOutput"]["permissionDecisionReason"])


def test_a_claude_session_hears_with_its_next_prompts_what_is_free_and_then_no_more(
    tmp_path: Path, shop: Path, freed: Callable[..., Server]
) -> None:
    freed(CLAUDE_CODE_SESSION_ID="s-1")
    first, second, third = (hook(tmp_path, "claude", prompt(shop), event="UserPromptSubmit") for _ in range(3))
    other = hook(tmp_path, "claude", prompt(shop, session="s-2"), event="UserPromptSubmit")

    event, words = context(first)
    assert event == "UserPromptSubmit"
    assert words.startswith("LoomStack tells, and asks for no answer:\n- src/a.py is free now: call claim_paths again")
    assert (first, third, other) == (second, None, None)


def test_a_codex_session_hears_it_too(tmp_path: Path, shop: Path, freed: Callable[..., Server]) -> None:
    freed({"threadId": "thread-1", "sessionId": "thread-1"})
    event, words = context(hook(tmp_path, "codex", prompt(shop, session="thread-1"), event="UserPromptSubmit"))

    assert (event, "src/a.py is free now" in words) == ("UserPromptSubmit", True)


def test_after_a_shell_line_it_is_told_too(tmp_path: Path, shop: Path, freed: Callable[..., Server]) -> None:
    freed(CLAUDE_CODE_SESSION_ID="s-1")
    line = {**claude_edit(shop, ""), "tool_name": "Bash", "tool_input": {"command": "ls"}}
    event, words = context(hook(tmp_path, "claude", line, event="PostToolUse"))

    assert (event, "src/a.py is free now" in words) == ("PostToolUse", True)


@pytest.mark.parametrize("client", ["claude", "codex"])
def test_an_edit_that_goes_on_tells_it_even_where_a_glance_would_do(
    tmp_path: Path, shop: Path, freed: Callable[..., Server], client: str
) -> None:
    edit = claude_edit(shop, str(shop / "src" / "b.py")) if client == "claude" else codex_patch(shop, PATCH)
    hook(tmp_path, client, edit)
    if client == "claude":
        freed(CLAUDE_CODE_SESSION_ID="s-1")
    else:
        freed({"threadId": "thread-1", "sessionId": "thread-1"})
    told, again, silent = (hook(tmp_path, client, edit) for _ in range(3))

    event, words = context(told)
    assert (event, "src/a.py is free now" in words) == ("PreToolUse", True)
    assert (again, silent) == (told, None)


def test_nothing_is_told_where_there_is_no_store_no_session_or_a_pause(tmp_path: Path, shop: Path) -> None:
    asked = [prompt(shop), {"cwd": str(shop)}, {"session_id": 7}]

    assert [hook(tmp_path, "claude", each, event="UserPromptSubmit") for each in asked] == [None] * 3
    assert not (tmp_path / "loomstack").exists()


@pytest.mark.parametrize(("of", "is_told"), [("another", True), ("this one", False), ("its session", False)])
def test_a_pause_keeps_quiet_those_that_it_is_of_and_no_others(
    tmp_path: Path, shop: Path, freed: Callable[..., Server], of: str, is_told: bool
) -> None:
    freed(CLAUDE_CODE_SESSION_ID="s-1")
    here = worktree_at(shop)
    assert here
    repo = here.checkout().identity if of == "this one" else "github.com/acme/other"
    session = "claude:s-1" if of == "its session" else ""
    now_ms = round(time.time() * 1000)
    pause = Pause(repo=repo, session=session, who="dana", since_at_ms=now_ms, until_at_ms=now_ms + 600_000)
    write_pauses(str(tmp_path / "loomstack"), [pause])
    line = {**claude_edit(shop, ""), "tool_name": "Bash", "tool_input": {"command": "ls"}}
    told = [
        hook(tmp_path, "claude", prompt(shop), event="UserPromptSubmit"),
        hook(tmp_path, "claude", line, event="PostToolUse"),
    ]

    assert ["src/a.py is free now" in str(each) for each in told] == [is_told, is_told]


def test_a_prompt_that_cannot_be_read_is_remarked_and_goes_on(tmp_path: Path) -> None:
    reply = hook(tmp_path, "claude", None, event="UserPromptSubmit", stdin=b"[1]")

    assert reply
    assert list(reply) == ["systemMessage"]


def test_a_session_that_calls_no_tool_hears_that_what_it_was_refused_is_free(
    tmp_path: Path, shop: Path, serve: Callable[..., Server]
) -> None:
    holder = serve(CLAUDE_CODE_SESSION_ID="s-holder")
    holder.answer("start_run", loop="refactor", goal="net")
    holder.answer("claim_paths", paths=["src"], intent="net")
    edit = claude_edit(shop, str(shop / "src" / "a.py"))
    refused, again = hook(tmp_path, "claude", edit), hook(tmp_path, "claude", edit)
    before = hook(tmp_path, "claude", prompt(shop), event="UserPromptSubmit")
    freed_for = holder.answer("release_paths")["now_free_for"]
    _, words = context(hook(tmp_path, "claude", prompt(shop), event="UserPromptSubmit"))
    edited = hook(tmp_path, "claude", edit)
    after = hook(tmp_path, "claude", prompt(shop), event="UserPromptSubmit")

    assert refused
    assert refused == again
    assert refused["hookSpecificOutput"]["permissionDecision"] == "deny"
    assert (before, len(freed_for)) == (None, 1)
    assert "src/a.py is free now" in words
    assert (edited, after) == (None, None)


def test_a_session_whose_own_run_a_person_stopped_is_told_with_its_next_edit(tmp_path: Path, shop: Path) -> None:
    edit = claude_edit(shop, str(shop / "src" / "a.py"))
    made_store(tmp_path)
    first = hook(tmp_path, "claude", edit)
    with open_loom(load_settings({}, environment=environment(tmp_path))) as loom:
        [repo_id] = loom.repos.ids()
        [run] = loom.runs.latest(repo_id, limit=9)[0]
        loom.levers.stop_run(run.id, who="dana", why="wrong branch")
    _, words = context(hook(tmp_path, "claude", edit))

    assert first is None
    assert run.origin == "session"
    assert f"dana stopped {run.id}" in words
    assert "wrong branch. Leave that work" in words


@pytest.mark.parametrize("is_paused_elsewhere", [False, True])
def test_a_claim_that_a_person_ended_is_not_held_again_before_its_holder_heard_of_it(
    tmp_path: Path, shop: Path, is_paused_elsewhere: bool
) -> None:
    edit, other = claude_edit(shop, str(shop / "src" / "a.py")), claude_edit(shop, str(shop / "src" / "b.py"))
    waits = claude_edit(shop, str(shop / "src" / "a.py"), session="s-2")
    made_store(tmp_path)
    held, refused = hook(tmp_path, "claude", edit), hook(tmp_path, "claude", waits)
    with open_loom(load_settings({}, environment=environment(tmp_path))) as loom:
        [repo_id] = loom.repos.ids()
        [claim] = loom.claims.held(repo_id, limit=9)[0]
        loom.levers.release_claim(claim.id, who="dana", why="bea needs it now")
    elsewhere = Pause(repo="github.com/acme/other", who="dana", since_at_ms=0, until_at_ms=1 << 50)
    write_pauses(str(tmp_path / "loomstack"), [elsewhere] if is_paused_elsewhere else [])
    again, beside = hook(tmp_path, "claude", edit), hook(tmp_path, "claude", other)
    taken, too_late = hook(tmp_path, "claude", waits), hook(tmp_path, "claude", edit)

    assert held is None
    assert "is being edited by" in denied(refused)
    assert denied(again) == (f"dana ended your claim on src/a.py: bea needs it now. Stop editing there ({claim.id}).")
    assert "dana ended your claim" in context(beside)[1]
    assert taken is None
    assert "is being edited by" in denied(too_late)
