"""An edit that would take back what landed on purpose is told so before it is written, once."""

from collections.abc import Callable
from pathlib import Path

from loomstack_mcp.core.limits import CHARS_PER_TOKEN, HOOK_REPLY_TOKENS_MAX
from tests.acceptance.test_conflicts import BEFORE, bea_lands, conflicts, trunk, worktree
from tests.hooks.support import claude_edit, codex_patch, hook
from tests.wire import Server

__all__ = ["trunk"]

NEW, OLD = "    return net\n\n\ndef", "    return net + price * 20\n\n\ndef"
PATCH = "*** Begin Patch\n*** Update File: src/a.py\n@@\n-    return net\n+    return net + price * 20\n*** End Patch"


def reason(reply: object) -> str:
    assert reply is None or isinstance(reply, dict)
    return str((reply or {}).get("hookSpecificOutput", {}).get("permissionDecisionReason", ""))


def test_an_edit_that_takes_back_a_change_on_purpose_is_told_so_once(
    tmp_path: Path, trunk: Path, serve: Callable[..., Server]
) -> None:
    sha = bea_lands(trunk, serve)
    branch = worktree(trunk, "ana")
    conflicts(branch, tmp_path)  # which fills the ledger, as every session's start does
    edit = claude_edit(branch, "src/a.py")
    undoing = {**edit, "tool_input": {"file_path": "src/a.py", "old_string": NEW, "new_string": OLD}}
    beside = {**edit, "tool_input": {"file_path": "src/a.py", "old_string": "'shop'", "new_string": "'store'"}}
    whole = {**edit, "tool_name": "Write", "tool_input": {"file_path": "src/a.py", "content": BEFORE}}
    first = hook(tmp_path, "claude", beside)
    told = [hook(tmp_path, "claude", step) for step in (undoing, undoing)]
    other = hook(tmp_path, "claude", {**whole, "session_id": "s-2"})

    assert first is None
    assert "being edited by" in reason(other)  # what was let through is held from then on
    for words in ("takes back", sha[:10], "prices become net", "Net prices", "if you make it again"):
        assert words in reason(told[0])
    assert len(reason(told[0])) <= HOOK_REPLY_TOKENS_MAX * CHARS_PER_TOKEN
    assert told[1] is None


def test_new_work_beside_it_is_told_nothing(tmp_path: Path, trunk: Path, serve: Callable[..., Server]) -> None:
    bea_lands(trunk, serve)
    branch = worktree(trunk, "ana")
    conflicts(branch, tmp_path)
    patch = "*** Begin Patch\n*** Update File: src/a.py\n@@\n-    return 'shop'\n+    return 'store'\n*** End Patch"

    assert hook(tmp_path, "codex", codex_patch(branch, patch)) is None


def test_a_patch_that_takes_back_a_change_on_purpose_is_told_so(
    tmp_path: Path, trunk: Path, serve: Callable[..., Server]
) -> None:
    bea_lands(trunk, serve)
    branch = worktree(trunk, "ana")
    conflicts(branch, tmp_path)
    told = [hook(tmp_path, "codex", codex_patch(branch, PATCH)) for _ in range(2)]

    assert "takes back" in reason(told[0])
    assert told[1] is None
