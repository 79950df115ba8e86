"""What a token of every repository takes from nobody: a repo's name, and what others are at."""

from dataclasses import replace

import pytest

from loomstack_mcp.core.errors import LimitExceeded
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.loom import Loom
from tests.factories import ANA, BEA, SHOP
from tests.services.support import started
from tests.services.test_access import asked, role


@pytest.mark.parametrize("taken", [SHOP.identity, "org"])
def test_no_repos_name_is_taken_from_it_as_a_clones(loom: Loom, taken: str) -> None:
    started(loom, ANA)
    loom.notes.add(None, who="dee", kind="fact", text="for all")
    thief = Checkout(identity="github.com/zoo/thief", clone=taken)
    asked(loom, role("agent"), "runs.start", caller=ANA, checkout=thief, loop="l", goal="g", budget_tokens=800)

    assert loom.repos.id_of(Checkout(identity=taken)) == taken


def test_what_others_edit_in_their_worktree_is_theirs_to_settle(loom: Loom) -> None:
    there = replace(SHOP, worktree="host:shop~12345678")
    loom.edits.hold(BEA, there, ["src/a.py"])
    anas = asked(loom, role("agent"), "edits.settle", caller=None, checkout=there, paths=["src/a.py"], who="bea")
    beas = asked(
        loom, role("agent", who="bea"), "edits.settle", caller=None, checkout=there, paths=["src/a.py"], who=""
    )

    assert (anas, len(beas)) == ((), 1)


def test_no_question_is_about_so_many_files_that_others_wait(loom: Loom) -> None:
    started(loom, ANA)
    many = [f"src/{number}.py" for number in range(1_001)]
    who = {"caller": ANA, "checkout": SHOP, "patterns": many}

    assert asked(loom, role("agent"), "glances.is_clear", **who, claim_edits="off") is False
    with pytest.raises(LimitExceeded, match="the number of paths"):
        asked(loom, role("agent"), "context.read_context", **who, run_id="", budget_tokens=800)
