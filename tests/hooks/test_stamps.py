"""What is kept of an edit that was seen: in which store, and by which state of the files with its settings."""

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from loomstack_mcp.glance import stamp_of
from tests.hooks.support import claude_call, claude_edit, hook, made_store, refused
from tests.wire import Server


def test_a_call_that_nobody_can_meet_again_is_not_kept(tmp_path: Path, shop: Path, held: str) -> None:
    hook(tmp_path, "claude", claude_edit(shop, "README.md"))
    before = _seen(tmp_path)
    hook(tmp_path, "claude", claude_call(shop, "claim_paths", ""))
    hook(tmp_path, "claude", claude_call(shop, "claim_paths", "toolu_1", session=""))

    assert len(before) == 1
    assert _seen(tmp_path) == before


def test_an_edit_that_another_store_was_told_of_is_looked_at_in_the_one_that_settings_name(
    tmp_path: Path, shop: Path, serve: Callable[..., Server]
) -> None:
    made_store(tmp_path)
    usual, other = tmp_path / "loomstack/loom.db", tmp_path / "other.db"
    (tmp_path / "loomstack/config.yaml").write_text(f"store: {other}\n")
    holder = serve(CLAUDE_CODE_SESSION_ID="s-other")
    holder.answer("start_run", loop="refactor", goal="x")
    holder.answer("claim_paths", paths=["README.md"], intent="write")
    edit = claude_edit(shop, "README.md")
    free = [hook(tmp_path, "claude", edit, LOOMSTACK_STORE=str(usual)) for _ in range(2)]

    assert free == [None, None]
    assert refused(hook(tmp_path, "claude", edit))


def test_a_stamp_knows_a_file_that_was_written_to_with_its_time_set_back(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text("url = one\n")
    before, found = stamp_of([str(file)]), file.stat()
    time.sleep(0.05)  # more than a tick of the file system's clock
    file.write_text("url = two\n")
    os.utime(file, ns=(found.st_atime_ns, found.st_mtime_ns))

    assert file.stat().st_mtime_ns == found.st_mtime_ns
    assert stamp_of([str(file)]) != before


def _seen(home: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(home / "loomstack/loom.db")) as store:
        return store.execute("SELECT * FROM sighting").fetchall()
