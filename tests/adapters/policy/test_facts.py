"""Looks at a real change and at real folders: each taken at most once for the same settings."""

from pathlib import Path

import pytest

from loomstack_mcp.adapters.git.delta import push_delta
from loomstack_mcp.adapters.policy.facts import ChangeLooks
from loomstack_mcp.adapters.policy.touched_paths import FolderLooks
from loomstack_mcp.core.policy.violations import Unknown, Violation
from tests.conftest import commit_all, git
from tests.deltas import opened_repository


def test_a_look_at_a_change_reads_its_files_once(shop: Path) -> None:
    before = git(shop, "rev-parse", "HEAD")
    (shop / "key.txt").write_text(f"AKIA{'A' * 16}\n")
    commit_all(shop)
    with opened_repository(shop) as repo:
        looks = ChangeLooks(repo, push_delta(repo, before, git(shop, "rev-parse", "HEAD"), excused=False))
        secrets, added = looks.secrets(), looks.added(("AKIA",))

        assert [(one.path, one.text) for one in secrets] == [("key.txt", "shows an AWS access key")]
        assert [(one.path, one.line) for one in added] == [("key.txt", 1)]
        assert looks.secrets() is secrets
        assert looks.added(("AKIA",)) is added
        assert looks.added(("BKIA",)) == ()


def test_a_message_is_looked_at_where_there_is_one(shop: Path) -> None:
    head = git(shop, "rev-parse", "HEAD")
    with opened_repository(shop) as repo:
        delta = push_delta(repo, head, head, excused=False)
        looks = ChangeLooks(repo, delta, message="fix: a thing")

        assert looks.message("^fix") == ()
        assert looks.message("^feat") == (Violation(text="the message does not match ^feat"),)
        with pytest.raises(Unknown, match="message"):
            ChangeLooks(repo, delta).message("^fix")


def test_a_folder_is_listed_once(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.lock").touch()
    looks = FolderLooks(tmp_path)

    assert looks.below("src", ("*.lock",)) == (("src/a.lock", "*.lock"),)
    (tmp_path / "src" / "a.lock").unlink()
    assert looks.below("src", ("*.py", "a.*")) == (("src/a.lock", "a.*"),)
