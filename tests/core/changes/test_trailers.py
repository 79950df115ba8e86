"""The runs that messages name, and which agent of a session makes a commit."""

import pytest

from loomstack_mcp.core.changes.trailers import named_runs


@pytest.mark.parametrize(
    "message",
    [
        "One\n\nLoom-Run: run_AB12CD34",
        "One\n\nLoom-Run: run_AB12CD34\n\nCo-authored-by: B <b@x>",
        "One (#7)\n\n* one\n\nLoom-Run: run_AB12CD34\n\n---------\n\nCo-authored-by: B <b@x>",
        "Squashed commit of the following:\n\ncommit abc\n\n    one\n    \n    Loom-Run: run_AB12CD34\n",
        "Fwd\n\n> loom-run:run_AB12CD34",
        "One\n\n* Loom-Run: run_AB12CD34\n* Loom-Run: run_AB12CD34",
    ],
)
def test_a_run_is_named_wherever_its_line_stands(message: str) -> None:
    assert named_runs(message) == ("run_AB12CD34",)


def test_a_sentence_about_such_a_line_names_nobody() -> None:
    assert named_runs("The hook writes Loom-Run: run_AB12CD34 into messages") == ()
