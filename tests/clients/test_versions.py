"""What the clients tell a hook, of the pinned version and of the newest: a difference fails with a name."""

from pathlib import Path

import pytest

from tests.clients.drive_claude import CLAUDE
from tests.clients.drive_codex import CODEX
from tests.clients.find import find_newest
from tests.clients.shapes import SHAPES, differences, recorded, version
from tests.clients.test_clients import pytestmark

__all__ = ["pytestmark"]
PINNED = {"Claude Code": CLAUDE, "Codex": CODEX}
NEWEST = {"Claude Code": find_newest("claude"), "Codex": find_newest("codex")}


def checked(client: str, program: str, folder: Path) -> list[str]:
    return differences(f"{client} {version(program)}", recorded()[client], SHAPES[client](folder, program))


@pytest.mark.parametrize("client", SHAPES)
def test_the_pinned_client_tells_a_hook_what_was_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: str
) -> None:
    """Red after a change of the version? `python -m tests.clients.shapes` keeps what it tells now."""
    monkeypatch.setenv("HARNESS_TMP", str(tmp_path))

    assert checked(client, PINNED[client], tmp_path) == []


@pytest.mark.parametrize("client", SHAPES)
def test_the_newest_client_tells_a_hook_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: str) -> None:
    if not NEWEST[client]:
        pytest.skip("`python -m tests.clients.newest` installs it beside the pinned one; that was not done here")
    monkeypatch.setenv("HARNESS_TMP", str(tmp_path))

    assert checked(client, NEWEST[client], tmp_path) == []


def test_a_difference_is_named_by_client_event_and_field() -> None:
    before = {"Stop": ["cwd"], "PreToolUse Edit": ["cwd", "tool_input.file_path"], "tools": ["Edit"]}
    now = {"PreToolUse Edit": ["cwd", "tool_input.path"], "PreToolUse Patch": ["cwd"], "tools": ["Edit", "Patch"]}

    assert differences("Claude Code 9.9.9", before, now) == [
        "Claude Code 9.9.9: PreToolUse Edit lost tool_input.file_path",
        "Claude Code 9.9.9: PreToolUse Edit has a new tool_input.path",
        "Claude Code 9.9.9: PreToolUse Patch is new",
        "Claude Code 9.9.9: Stop is gone",
        "Claude Code 9.9.9: tools has a new Patch",
    ]
