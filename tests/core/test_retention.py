"""What runs that belong together need, and what of a log stays."""

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from loomstack_mcp.core.events import EventKind
from loomstack_mcp.core.retention import (
    KEPT_EVENTS,
    TOGETHER_MAX,
    KeptReason,
    RunTies,
    is_decision_kept,
    is_event_kept,
    why_kept,
)

NOTHING = RunTies(
    id="run_1", is_live=False, touched_at_ms=1, holds=False, is_in_conflict=False, made=False, was_asked=False,
    was_stopped=False,
)  # fmt: skip
TIES = st.builds(RunTies, id=st.just("run_1"), touched_at_ms=st.integers(0, 20))


@given(st.lists(TIES, max_size=4), st.integers(0, 20))
def test_what_one_of_them_needs_all_of_them_keep(together: list[RunTies], before_ms: int) -> None:
    alone = [why_kept([run], before_ms=before_ms) for run in together]
    found = why_kept(together, before_ms=before_ms)

    assert bool(found) == any(alone)
    assert found in {*alone, ""}


@given(TIES)
def test_only_a_run_with_no_tie_at_all_goes(run: RunTies) -> None:
    is_tied = any(value is True for value in vars(run).values()) or run.touched_at_ms >= 10

    assert bool(why_kept([run], before_ms=10)) == is_tied


def test_very_many_together_are_left_alone() -> None:
    assert why_kept([NOTHING] * TOGETHER_MAX, before_ms=10) == ""
    assert why_kept([NOTHING] * (TOGETHER_MAX + 1), before_ms=10) == "many"
    assert {*get_args(KeptReason)} >= {"many"}


def test_of_an_old_log_an_audit_stays() -> None:
    stay = {
        kind
        for kind in get_args(EventKind)
        if is_event_kept(kind, at_ms=9, before_ms=10, is_of_live_run=False, is_first=False)
    }

    assert stay == KEPT_EVENTS
    assert is_event_kept("run.ended", at_ms=10, before_ms=10, is_of_live_run=False, is_first=False)
    assert is_event_kept("run.ended", at_ms=9, before_ms=10, is_of_live_run=True, is_first=False)
    assert is_event_kept("run.ended", at_ms=9, before_ms=10, is_of_live_run=False, is_first=True)


def test_a_decision_that_let_something_out_stays() -> None:
    assert is_decision_kept(decided_at_ms=9, before_ms=10, was_asked=False, actions=["commit", "deploy"])
    assert is_decision_kept(decided_at_ms=9, before_ms=10, was_asked=True, actions=["edit"])
    assert is_decision_kept(decided_at_ms=10, before_ms=10, was_asked=False, actions=["edit"])
    assert not is_decision_kept(decided_at_ms=9, before_ms=10, was_asked=False, actions=["edit"])
