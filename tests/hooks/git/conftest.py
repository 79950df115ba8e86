"""A clone with our hooks, a store, and a session in it."""

from pathlib import Path

import pytest

from tests.hooks.git.clone import Clone, with_hooks
from tests.hooks.support import made_store


@pytest.fixture
def judged(tmp_path: Path, shop: Path) -> Clone:
    """With all of them, as a person works in it."""
    made_store(tmp_path)
    return Clone(with_hooks(shop), tmp_path)


@pytest.fixture
def clone(judged: Clone) -> Clone:
    """With those that tell, and one that judges: the others cost each commit a third of a second."""
    (judged.root / ".git/hooks/pre-commit").unlink()
    return judged


@pytest.fixture
def ana(clone: Clone) -> Clone:
    """As a session of Claude Code works in it."""
    return clone.by(CLAUDE_CODE_SESSION_ID="s-ana", CLAUDECODE="1")
