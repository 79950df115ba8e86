"""A glance is silent only where the closer look is, and where the caller holds what it edits for a while yet."""

from dataclasses import replace

import pytest

from loomstack_mcp.core.runs import Caller
from loomstack_mcp.loom import Loom
from tests.conftest import Clocks
from tests.factories import SHOP
from tests.services.support import claimed, started

ME = Caller(principal="ana", session="claude:s-1")
OTHER = Caller(principal="bea", session="claude:s-2")


def is_clear(loom: Loom, caller: Caller = ME, *, edits: str = "auto", path: str = "src/a.py") -> bool:
    return loom.glances.is_clear(caller, SHOP, [path], claim_edits=edits)


def test_what_is_held_for_its_own_agent_is_clear_for_half_of_its_lease(loom: Loom, clocks: Clocks) -> None:
    before = is_clear(loom)
    loom.edits.hold(ME, SHOP, ["src/a.py"])
    held = is_clear(loom)
    clocks.pass_minutes(60)

    assert (before, held, is_clear(loom)) == (False, True, False)


def test_a_file_is_held_at_a_glance_where_nobody_is_in_the_way_and_nothing_is_to_be_told(loom: Loom) -> None:
    def held(path: str) -> bool:
        return loom.glances.hold_clear(ME, SHOP, [path])

    before = held("src/b.py")
    loom.edits.hold(ME, SHOP, ["src/a.py"])
    started(loom, OTHER)
    claimed(loom, OTHER, "docs/")
    loom.notes.add(SHOP, who="dana", kind="warning", text="on purpose", patterns=["lib/meant.py"])
    clear = [held(path) for path in ("src/b.py", "src/b.py", "docs/x.md", "lib/meant.py")]
    names = [
        claim.patterns[0] for claim in loom.claims.held(loom.repos.id_of(SHOP), limit=9)[0] if claim.origin == "auto"
    ]
    [claim] = [one for one in loom.claims.held(loom.repos.id_of(SHOP), limit=9)[0] if one.patterns == ("src/b.py",)]
    loom.levers.release_claim(claim.id, who="dana", why="ana is away")

    assert (before, clear, sorted(names)) == (False, [True, True, False, False], ["src/a.py", "src/b.py"])
    assert not held("src/c.py")


def test_another_agent_worktree_or_file_is_not(loom: Loom) -> None:
    loom.edits.hold(ME, SHOP, ["src/a.py"])

    assert not is_clear(loom, replace(ME, agent="sub"))
    assert not is_clear(loom, path="src/b.py")
    assert not loom.glances.is_clear(ME, replace(SHOP, worktree="/other"), ["src/a.py"], claim_edits="auto")


def test_what_others_hold_is_never_clear(loom: Loom) -> None:
    loom.edits.hold(ME, SHOP, ["src/a.py"])
    started(loom, OTHER)
    claimed(loom, OTHER, "docs/")

    assert is_clear(loom)
    assert not is_clear(loom, edits="off", path="docs/x.md")
    assert is_clear(loom, edits="off", path="src/z.py")


def test_a_repo_that_goes_by_another_name_is_not_looked_at_by_one_of_them(loom: Loom) -> None:
    started(loom, OTHER)

    assert is_clear(loom, edits="off")
    assert not loom.glances.is_clear(ME, replace(SHOP, identity="host/new", clone=""), ["src/a.py"], claim_edits="off")


@pytest.mark.parametrize("edits", ["auto", "off"])
def test_whoever_has_something_to_hear_is_told_first(loom: Loom, edits: str) -> None:
    loom.edits.hold(ME, SHOP, ["src/a.py"])
    [claim] = loom.claims.held(loom.repos.id_of(SHOP), limit=9)[0]
    loom.levers.release_claim(claim.id, who="dana", why="ana is away")

    assert not loom.glances.is_unalerted(ME)
    assert not is_clear(loom, edits=edits)
