"""A holder that was paused past its lease writes nothing any more where somebody came after it."""

from pathlib import Path

import pytest

from loomstack_mcp.core.claims import Claim
from loomstack_mcp.core.errors import LeaseLost
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.loom import Loom
from tests.conftest import Clocks
from tests.factories import ANA, BEA, SHOP
from tests.fire.fenced import is_written


def granted(loom: Loom, caller: Caller) -> Claim:
    loom.runs.start(caller, SHOP, loop="loop", goal="goal", budget_tokens=100)
    asked = {"patterns": ["a.py"], "intent": "why", "mode": "exclusive", "ttl_ms": 60_000}
    found = loom.claims.claim_paths(caller, "", **asked).claim  # type: ignore[arg-type]
    assert found
    return found


def test_a_holder_that_was_paused_past_its_lease_is_refused(loom: Loom, clocks: Clocks, tmp_path: Path) -> None:
    paused = granted(loom, ANA)
    clocks.pass_minutes(2)
    until_the_next = is_written(tmp_path, "a.py", fence=paused.fence)
    next_one = granted(loom, BEA)
    written = is_written(tmp_path, "a.py", fence=next_one.fence)

    assert (until_the_next, written) == (True, True)
    assert not is_written(tmp_path, "a.py", fence=paused.fence)
    assert loom.edits.hold(ANA, SHOP, ["a.py"]).blockers
    with pytest.raises(LeaseLost):
        loom.claims.release_paths(ANA, "", claims=[paused.id])
    assert is_written(tmp_path, "a.py", fence=next_one.fence)
