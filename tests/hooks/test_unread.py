"""What is answered where the store, or the step itself, cannot be read."""

import json
from pathlib import Path

import pytest

from tests.conftest import commit_all
from tests.hooks.support import claude_edit, hook, made_store
from tests.hooks.test_guarding import line, ruled, said

__all__ = ["ruled"]


def test_without_a_store_rules_hold_all_the_same(tmp_path: Path, ruled: Path) -> None:
    assert "core-closed" in said(hook(tmp_path, "claude", claude_edit(ruled, "src/core/a.py")))
    assert hook(tmp_path, "claude", claude_edit(ruled, "src/app.py")) is None
    assert not (tmp_path / "loomstack").exists()


@pytest.mark.parametrize(("guard", "is_refused"), [("open", False), ("closed", True)])
def test_a_store_that_cannot_be_read_leaves_rules_in_force_and_the_rest_open_or_closed_as_the_repository_says(
    tmp_path: Path, ruled: Path, guard: str, is_refused: bool
) -> None:
    (ruled / ".loomstack").mkdir()
    (ruled / ".loomstack/config.yaml").write_text(f"guard: {guard}\n")
    commit_all(ruled)
    (tmp_path / "loomstack").mkdir()
    (tmp_path / "loomstack/loom.db").write_bytes(b"garbage" * 1000)
    denied = [claude_edit(ruled, "src/core/a.py"), line(ruled, "echo x > src/core/a.py")]
    unsure = [claude_edit(ruled, "README.md"), line(ruled, "echo x > README.md")]

    assert ["core-closed" in said(hook(tmp_path, "claude", step)) for step in denied] == [True, True]
    for reply in [hook(tmp_path, "claude", step) for step in unsure]:
        assert bool(said(reply)) == is_refused
        assert "store_unavailable" in json.dumps(reply)


def test_what_nobody_can_read_is_refused_where_the_repository_or_the_environment_says_closed(
    tmp_path: Path, ruled: Path
) -> None:
    def unread(**env: str) -> str:
        return said(hook(tmp_path, "claude", None, stdin=b"{", cwd=ruled, **env))

    before = unread(), unread(LOOMSTACK_GUARD="closed")
    (ruled / ".loomstack").mkdir()
    (ruled / ".loomstack/config.yaml").write_text("guard: closed\n")
    commit_all(ruled)
    by_repository = unread()
    nowhere = hook(tmp_path, "claude", claude_edit(tmp_path / "gone", "a.py"), cwd=ruled)
    made_store(tmp_path)
    from_nowhere = hook(tmp_path, "claude", claude_edit(tmp_path / "gone", "a.py"), cwd=ruled)
    (tmp_path / "loomstack").mkdir(exist_ok=True)
    (tmp_path / "loomstack/config.yaml").write_text("guard: [\n")

    assert [bool(words) for words in before] == [False, True]
    assert "stdin held no JSON" in by_repository
    assert nowhere is None  # of what nobody can hold yet
    assert "is gone" in said(from_nowhere)
    assert "did not check" in unread(LOOMSTACK_GUARD="closed")
