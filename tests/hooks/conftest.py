"""What another session holds."""

from collections.abc import Callable

import pytest

from tests.wire import Server


@pytest.fixture
def held(serve: Callable[..., Server]) -> str:
    """Another session holds src/ for a refactoring; returns its run."""
    other = serve(CLAUDE_CODE_SESSION_ID="s-other")
    run_id = str(other.answer("start_run", loop="refactor", goal="split the module")["run"])
    other.answer("claim_paths", paths=["src"], intent="split a.py in two")
    other.answer("claim_paths", paths=["docs"], intent="read", mode="shared")
    return run_id
