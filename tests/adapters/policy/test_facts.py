"""Looks at a real change and at real folders: each taken at most once for the same settings."""

from pathlib import Path

import pytest

from loomstack_mcp.adapters.git.delta import Blobs, between
from loomstack_mcp.adapters.policy.facts import ChangeLooks
from loomstack_mcp.adapters.policy.touched_paths import FolderLooks
from loomstack_mcp.core.policy.violations import Unknown, Violation
from tests.conftest import commit_all, git


def test_a_look_at_a_change_reads_its_files_once(shop: Path) -> None:
    before = git(shop, "rev-parse", "HEAD")
    (shop / "key.txt").write_text(f"AKIA{'A' * 16}\n")
    commit_all(shop)
    landed = between(shop, before, git(shop, "rev-parse", "HEAD"), trunk="refs/heads/main", excused=False)
    with Blobs(shop) as blobs:
        looks = ChangeLooks(shop, landed, blobs)
        secrets, added = looks.secrets(), looks.added(("AKIA",))

        assert [(one.path, one.text) for one in secrets] == [("key.txt", "shows an AWS access key")]
        assert [(one.path, one.line) for one in added] == [("key.txt", 1)]
        assert looks.secrets() is secrets
        assert looks.added(("AKIA",)) is added
        assert looks.added(("BKIA",)) == ()


def test_a_message_is_looked_at_where_there_is_one(shop: Path) -> None:
    head = git(shop, "rev-parse", "HEAD")
    landed = between(shop, head, head, trunk="refs/heads/main", excused=False)
    with Blobs(shop) as blobs:
        looks = ChangeLooks(shop, landed, blobs, message="fix: a thing")

        assert looks.message("^fix") == ()
        assert looks.message("^feat") == (Violation(text="the message does not match ^feat"),)
        with pytest.raises(Unknown, match="message"):
            ChangeLooks(shop, landed, blobs).message("^fix")


def test_a_folder_is_listed_once(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.lock").touch()
    looks = FolderLooks(tmp_path)

    assert looks.below("src", ("*.lock",)) == (("src/a.lock", "*.lock"),)
    (tmp_path / "src" / "a.lock").unlink()
    assert looks.below("src", ("*.py", "a.*")) == (("src/a.lock", "a.*"),)
