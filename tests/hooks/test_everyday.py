"""A working day beside a hook: what nobody and no rule minds is met with silence, and costs little."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import commit_all, git
from tests.hooks.support import claude_edit, hook, made_store
from tests.hooks.test_glance import glanced
from tests.hooks.test_guarding import call, line, ruled, said
from tests.hooks.test_lines import after

__all__ = ["ruled"]
RULE = """
version: 1
policy: shop
rules:
  - id: core-closed
    why: the core is owned by the platform team
    effect: deny
    on: [edit, land]
    where: {paths: [/src/core/**]}
"""
LOADED = "loomstack_mcp.core.policy.rules"


@pytest.mark.parametrize(
    "text",
    [
        "git checkout .",
        "git restore .",
        "git clean -fd",
        "git apply a.patch",
        "cp -r assets/ .",
        "sed -i s/a/b/ *.md",
        "for one in *.md; do sed -i s/a/b/ $one; done",
        'rm -f "$WORK/cache"',
        "touch $STAMP",
        "chmod -R u+w .",
    ],
)
def test_a_line_that_names_no_protected_file_goes_on(tmp_path: Path, ruled: Path, held: str, text: str) -> None:
    (ruled / "notes.md").write_text("a\n")

    assert hook(tmp_path, "claude", line(ruled, text, session_id="s-other")) is None


@pytest.mark.parametrize(
    "text",
    ["rm -rf .", "rm -r s*", "sed -i s/x/y/ src/core/*.py", "sed -i s/x/y/ src/*/a.py", 'echo x > src/core/"$NAME".py'],
)
def test_a_line_that_names_protected_files_by_a_pattern_is_refused(tmp_path: Path, ruled: Path, text: str) -> None:
    assert "core-closed" in said(hook(tmp_path, "claude", line(ruled, text)))


def test_a_line_that_only_reads_is_followed_by_no_word(tmp_path: Path, ruled: Path, held: str) -> None:
    assert after(tmp_path, ruled, "cat README.md", lambda: None) == ""
    assert after(tmp_path, ruled, "true", lambda: None) == ""


def test_files_that_were_changed_before_a_line_began_are_not_its_own(tmp_path: Path, ruled: Path, held: str) -> None:
    (ruled / "src/core/a.py").write_text("older\n")
    time.sleep(0.05)  # the tick of the kernel's clock by which files are dated

    assert after(tmp_path, ruled, "python x.py", lambda: (ruled / "gen.py").write_text("x")) == ""


def test_to_go_from_one_branch_to_another_is_no_word_worth(tmp_path: Path, ruled: Path, held: str) -> None:
    for number in range(510):
        (ruled / f"page{number}.html").write_text("x")
    git(ruled, "checkout", "--quiet", "-b", "site")
    commit_all(ruled)
    switched = after(tmp_path, ruled, "git checkout main", lambda: git(ruled, "checkout", "--quiet", "main"))
    merged = after(tmp_path, ruled, "git merge site", lambda: git(ruled, "merge", "--quiet", "site"))

    assert (switched, merged) == ("", "")


def test_a_file_that_a_line_put_back_is_held_no_longer(tmp_path: Path, ruled: Path, held: str) -> None:
    (ruled / "app.py").write_text("x\n")
    commit_all(ruled)
    hook(tmp_path, "claude", claude_edit(ruled, "app.py"))
    (ruled / "app.py").write_text("y\n")
    before = edited(tmp_path)
    time.sleep(0.05)  # the tick of the kernel's clock by which files are dated
    told = after(tmp_path, ruled, "git checkout -- app.py", lambda: git(ruled, "checkout", "--", "app.py"))

    assert (before, told, edited(tmp_path)) == (['["app.py"]'], "", [])


def test_who_takes_another_s_edits_away_is_told_so(tmp_path: Path, ruled: Path, held: str) -> None:
    (ruled / "app.py").write_text("x\n")
    commit_all(ruled)
    hook(tmp_path, "claude", claude_edit(ruled, "app.py", session="s-maker"))
    (ruled / "app.py").write_text("y\n")
    time.sleep(0.05)  # as above
    told = after(tmp_path, ruled, "make tidy", lambda: git(ruled, "stash", "--quiet"))

    assert "While your line ran, app.py changed" in told
    assert "bring them back" in told
    assert edited(tmp_path) == ['["app.py"]']


def test_a_line_over_a_whole_worktree_is_refused_for_what_is_edited_in_that_one(
    tmp_path: Path, ruled: Path, held: str
) -> None:
    git(ruled, "worktree", "add", "--quiet", "../side", "-b", "side")
    hook(tmp_path, "claude", claude_edit(ruled, "README.md", session="s-maker"))

    aside = [hook(tmp_path, "claude", line(ruled.parent / "side", text)) for text in ("git checkout .", "cp -r a/ .")]

    assert aside == [None, None]
    assert f"src is claimed by {held}" in (here := said(hook(tmp_path, "claude", line(ruled, "git checkout ."))))
    assert "and 1 more" in here


@pytest.mark.parametrize("text", ["git reset --hard", "git stash", "git stash -u", "git -c a.b=c checkout -f main"])
def test_a_line_that_takes_uncommitted_edits_away_minds_who_made_them(tmp_path: Path, ruled: Path, text: str) -> None:
    made_store(tmp_path)
    hook(tmp_path, "claude", claude_edit(ruled, "README.md", session="s-maker"))
    refused = said(hook(tmp_path, "claude", line(ruled, text)))

    assert "README.md is being edited by" in refused
    assert hook(tmp_path, "claude", line(ruled, text, session_id="s-maker")) is None
    assert hook(tmp_path, "claude", line(ruled, "git stash list")) is None


def test_rules_are_loaded_only_for_files_that_one_is_about(
    tmp_path: Path, shop: Path, serve: Callable[..., object]
) -> None:
    serve()
    (shop / "policies").mkdir()
    (shop / "policies/shop.yaml").write_text(RULE)
    commit_all(shop)
    first, second = (glanced(tmp_path, shop, claude_edit(shop, f"{name}.py")) for name in "ab")
    again = glanced(tmp_path, shop, claude_edit(shop, "b.py"))
    about = glanced(tmp_path, shop, claude_edit(shop, "SRC/core/a.py"))
    (shop / "policies/shop.yaml").write_text(RULE.replace("/src/core/**", "/c.py"))
    changed = glanced(tmp_path, shop, claude_edit(shop, "c.py"))

    assert [LOADED in each.modules for each in (first, second, about, changed)] == [True, False, True, True]
    assert [each.printed for each in (first, second, again)] == [""] * 3
    assert "loomstack_mcp.edge.guarding" not in again.modules
    assert "core-closed" in about.printed
    assert "core-closed" in changed.printed


def test_a_tool_that_writes_no_file_is_settled_at_a_glance_where_no_rule_minds_tools(
    tmp_path: Path, shop: Path, ruled: Path, serve: Callable[..., object]
) -> None:
    serve()
    asked = call(shop, "mcp__tracker__get_issue", {"number": 7})
    minded = [glanced(tmp_path, shop, asked) for _ in range(2)]
    (shop / "policies/shop.yaml").write_text(RULE)
    commit_all(shop)
    first, then = (glanced(tmp_path, shop, asked) for _ in range(2))
    writing = glanced(tmp_path, shop, call(shop, "mcp__fs__write_file", {"path": "src/core/a.py"}))

    assert [LOADED in each.modules for each in (*minded, first, then)] == [True, True, True, False]
    assert "core-closed" in writing.printed


def edited(home: Path) -> list[str]:
    """What is held because somebody edits it."""
    with sqlite3.connect(home / "loomstack/loom.db") as store:
        found = store.execute("SELECT patterns FROM claim WHERE origin = 'auto' AND ended_at_ms IS NULL ORDER BY 1")
        return [patterns for (patterns,) in found]
