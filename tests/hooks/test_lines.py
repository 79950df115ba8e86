"""What a shell line changed, held against claims and rules once it ran."""

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

from loomstack_mcp.core.limits import CHARS_PER_TOKEN, HOOK_REPLY_TOKENS_MAX
from tests.conftest import commit_all, git
from tests.hooks.support import hook
from tests.hooks.test_glance import glanced
from tests.hooks.test_guarding import POLICY, line, ruled, said

__all__ = ["ruled"]


def after(
    home: Path, shop: Path, text: str, act: Callable[[], object], *, event: str = "PostToolUse", **more: str
) -> str:
    """What is said once a line ran that did this."""
    sent = {**line(shop, text, **more), "tool_use_id": f"toolu_{text}"}
    assert not said(hook(home, "claude", sent))
    act()
    reply = hook(home, "claude", {**sent, "hook_event_name": event}, event=event)
    assert (reply or {}).get("hookSpecificOutput", {}).get("hookEventName", event) == event
    return str((reply or {}).get("hookSpecificOutput", {}).get("additionalContext", ""))


def test_what_a_line_changed_of_what_another_holds_is_told_at_once(tmp_path: Path, ruled: Path, held: str) -> None:
    deleted = after(tmp_path, ruled, "make clean", (ruled / "src/core/a.py").unlink)
    staged = after(tmp_path, ruled, "./gen", lambda: ((ruled / "src/b.py").write_text("y"), git(ruled, "add", "-A")))

    for told, path in ((deleted, "src/core/a.py"), (staged, "src/b.py")):
        assert f"While your line ran, {path}" in told
        assert f"share_context(to={held})" in told
        assert len(told) <= HOOK_REPLY_TOKENS_MAX * CHARS_PER_TOKEN * 2


def test_a_line_that_cannot_be_followed_is_said_or_refused_as_is_set(tmp_path: Path, ruled: Path, held: str) -> None:
    sent = line(ruled, "make all")
    hook(tmp_path, "claude", sent)
    with contextlib.closing(sqlite3.connect(tmp_path / "loomstack/loom.db", isolation_level=None)) as store:
        store.execute("BEGIN IMMEDIATE")
        opened = hook(tmp_path, "claude", {**sent, "tool_use_id": "toolu_2"})
        closed = hook(tmp_path, "claude", {**sent, "tool_use_id": "toolu_3"}, LOOMSTACK_GUARD="closed")

    assert "did not check this step" in (opened or {})["systemMessage"]
    assert "holds a lock on it" in said(closed)


def test_what_a_line_changed_before_it_failed_is_told_too(tmp_path: Path, ruled: Path, held: str) -> None:
    """Claude Code tells of that by an event of its own."""
    told = after(tmp_path, ruled, "make", (ruled / "src/core/a.py").unlink, event="PostToolUseFailure")

    assert "While your line ran, src/core/a.py" in told


def test_what_a_line_changed_against_a_rule_is_told_at_once(tmp_path: Path, ruled: Path, held: str) -> None:
    (ruled / "db").mkdir()
    told = after(tmp_path, ruled, "python migrate.py", lambda: (ruled / "db/1.sql").write_text("x"))

    assert "schema-needs-lead" in told
    assert "leave it out of your commits" in told


def test_what_a_line_changed_while_the_clock_was_set_back_is_said_to_be_unchecked(
    tmp_path: Path, ruled: Path, held: str
) -> None:
    def back() -> None:
        (ruled / "src/core/a.py").write_text("y\n")
        with sqlite3.connect(tmp_path / "loomstack/loom.db") as store:  # which nobody here can do to the clock itself
            store.execute("UPDATE line SET began_at_ms = began_at_ms + 3600000")

    assert "not checked, because the clock was set back meanwhile" in after(tmp_path, ruled, "make", back)


def test_what_a_line_changed_and_nobody_held_is_held_until_it_is_committed(
    tmp_path: Path, ruled: Path, held: str
) -> None:
    def claims() -> list[str]:
        with sqlite3.connect(tmp_path / "loomstack/loom.db") as store:
            rows = store.execute("SELECT patterns FROM claim WHERE origin = 'auto' AND ended_at_ms IS NULL ORDER BY 1")
            return [patterns for (patterns,) in rows]

    first = after(tmp_path, ruled, "python gen.py", lambda: (ruled / "gen.py").write_text("x"))
    while_dirty = claims()
    second = after(tmp_path, ruled, "git commit -am x", lambda: commit_all(ruled))

    assert (first, second) == ("", "")
    assert while_dirty == ['["gen.py"]']
    assert claims() == []


def test_a_plain_line_that_only_reads_is_settled_at_a_glance_where_no_rule_minds_lines(
    tmp_path: Path, shop: Path, held: str
) -> None:
    first = glanced(tmp_path, shop, line(shop, "git status"))
    then = glanced(tmp_path, shop, line(shop, "cat README.md | head -3"))
    (shop / "policies").mkdir()
    (shop / "policies" / "shop.yaml").write_text(POLICY)
    minded = glanced(tmp_path, shop, line(shop, "cat README.md | head -3"))

    assert [each.printed for each in (first, then, minded)] == [""] * 3
    assert ["loomstack_mcp.edge.guarding" in each.ours for each in (first, then, minded)] == [True, False, True]
