"""The queue of refused requests: who comes first, who is told, who is forgotten."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loomstack_mcp.core.runs import Caller
from loomstack_mcp.loom import Loom
from tests.conftest import Clocks
from tests.factories import ANA, BEA, REPO
from tests.services.support import CHEN, claimed, heard, recorded, started

DEE = Caller(principal="dee", session="s-dee")
QUEUE = [Caller(principal=f"p{at}", session=f"s{at}") for at in range(6)]


@pytest.fixture(autouse=True)
def _runs(loom: Loom) -> None:
    for caller in (ANA, BEA, CHEN, DEE, *QUEUE):
        started(loom, caller)


def test_a_queue_is_served_in_its_order_however_its_waiters_ask_again(loom: Loom) -> None:
    @settings(max_examples=15)
    @given(asks=st.lists(st.sampled_from(QUEUE), max_size=25), order=st.permutations(QUEUE))
    def checked(asks: list[Caller], order: list[Caller]) -> None:
        claimed(loom, BEA, "src/")
        for caller in [*order, *asks]:
            assert claimed(loom, caller, "src/", wait_s=30).claim is None
        served: list[Caller] = []
        loom.claims.release_paths(BEA, "")
        while len(served) < len(order):
            [now] = [c for c in QUEUE if c not in served and claimed(loom, c, "src/", wait_s=30).claim]
            served.append(now)
            loom.claims.release_paths(now, "")

        assert served == order

    checked()


def test_only_those_whose_paths_are_wholly_free_are_told(loom: Loom) -> None:
    claimed(loom, BEA, "src/a.py")
    claimed(loom, CHEN, "src/b.py")
    claimed(loom, ANA, "src/")
    claimed(loom, DEE, "src/a.py")
    first = loom.claims.release_paths(BEA, "").now_free_for
    second = loom.claims.release_paths(CHEN, "").now_free_for
    runs = [loom.claims.release_paths(caller, "").run for caller in (DEE, ANA)]

    assert [first, second] == [(runs[0],), (runs[1],)]


def test_readers_behind_one_writer_are_told_together(loom: Loom) -> None:
    claimed(loom, BEA, "src/")
    for caller in QUEUE:
        claimed(loom, caller, "src/", mode="shared", wait_s=30)

    assert len(loom.claims.release_paths(BEA, "").now_free_for) == len(QUEUE)
    assert all(claimed(loom, caller, "src/", mode="shared", wait_s=30).claim for caller in QUEUE)


def test_the_place_in_the_queue_counts_those_ahead_alone(loom: Loom) -> None:
    claimed(loom, BEA, "src/")
    places = [claimed(loom, caller, "src/", wait_s=30).position for caller in QUEUE]
    again = [claimed(loom, caller, "src/", wait_s=30).position for caller in QUEUE]
    beside = claimed(loom, DEE, "src/", wait_s=0).position

    assert places == again == list(range(1, len(QUEUE) + 1))
    assert beside == 0


def test_a_place_that_lapsed_is_queued_for_anew_behind_those_who_came_meanwhile(loom: Loom, clocks: Clocks) -> None:
    claimed(loom, BEA, "src/", minutes=60)
    claimed(loom, ANA, "src/", wait_s=10)
    clocks.pass_minutes(1)
    claimed(loom, CHEN, "src/", wait_s=30)
    clocks.pass_minutes(0.2)
    again = claimed(loom, ANA, "src/", wait_s=30)
    loom.claims.release_paths(BEA, "")

    assert again.position == 2
    assert claimed(loom, ANA, "src/", wait_s=30).claim is None
    assert claimed(loom, CHEN, "src/", wait_s=30).claim


def test_asking_again_without_a_wait_keeps_the_place(loom: Loom) -> None:
    claimed(loom, BEA, "src/")
    claimed(loom, ANA, "src/", wait_s=30)
    claimed(loom, CHEN, "src/", wait_s=30)
    claimed(loom, ANA, "src/")
    loom.claims.release_paths(BEA, "")

    assert claimed(loom, ANA, "src/").claim


def test_refusals_are_logged_once_for_one_place(loom: Loom) -> None:
    claimed(loom, BEA, "src/")
    for _ in range(3):
        claimed(loom, ANA, "src/", wait_s=30)

    kinds = [event.kind for event in loom.events.since(REPO, since=0, limit=99)[0]]
    assert kinds.count("claim.refused") == 1


def test_a_run_that_is_over_waits_for_nothing(loom: Loom) -> None:
    claimed(loom, BEA, "src/")
    claimed(loom, ANA, "src/", wait_s=30)
    claimed(loom, CHEN, "src/", wait_s=30)
    recorded(loom, ANA, status="done")
    freed = loom.claims.release_paths(BEA, "")

    assert freed.now_free_for == (loom.claims.release_paths(CHEN, "").run,)
    assert claimed(loom, CHEN, "src/").claim


def test_the_oldest_refusals_of_a_run_are_forgotten_first(loom: Loom) -> None:
    folders = [f"folder-{at:02}/" for at in range(22)]
    for folder in folders:
        claimed(loom, BEA, folder)
    for folder in folders:
        claimed(loom, ANA, folder)
    loom.claims.release_paths(BEA, "")
    told = [alert.text.split(" ", 1)[0] for _ in range(9) for alert in heard(loom, ANA)]

    assert sorted(set(told)) == folders[2:]


def test_one_end_of_several_claims_tells_a_request_for_all_of_them(loom: Loom) -> None:
    for folder in ("a/", "b/", "c/"):
        claimed(loom, BEA, folder)
    claimed(loom, ANA, "c/", "a/", "b/")
    loom.claims.release_paths(BEA, "")

    assert [alert.text for alert in heard(loom, ANA)] == ["a/, b/, c/ is free now: call claim_paths again"]


def test_two_writers_never_hold_one_path(loom: Loom, clocks: Clocks) -> None:
    paths, callers = ("src/", "src/a.py", "**/*.py", "docs/"), (ANA, BEA, CHEN, DEE)
    steps = st.tuples(
        st.sampled_from(callers), st.sampled_from([*paths, "release"]), st.sampled_from((0, 30)),
        st.sampled_from((0, 0, 0, 1, 15, 45)),
    )  # fmt: skip

    @settings(max_examples=25)
    @given(st.lists(steps, min_size=5, max_size=25))
    def checked(taken: list[tuple[Caller, str, int, int]]) -> None:
        for caller, path, wait_s, minutes in taken:
            clocks.pass_minutes(minutes)
            started(loom, caller, key="takes over what was lost")
            if path == "release":
                loom.claims.release_paths(caller, "")
            else:
                claimed(loom, caller, path, minutes=20, wait_s=wait_s)
            held, _ = loom.claims.held(REPO, limit=99)
            writers = {(claim.patterns == ("docs/",), claim.run_id) for claim in held}

            assert len(writers) == len({place for place, _ in writers})
            assert all(newer.fence > older.fence for newer, older in pairwise(held))

    checked()


def test_a_request_that_was_withdrawn_refuses_no_newcomer_and_who_was_behind_it_is_told(loom: Loom) -> None:
    claimed(loom, BEA, "src/a.py")
    claimed(loom, ANA, "src/", wait_s=30)
    claimed(loom, CHEN, "src/b.py")
    before = claimed(loom, DEE, "src/c.py").blockers
    loom.claims.withdraw(ANA, "", patterns=["src/"], mode="exclusive")

    assert [blocker.who for blocker in before] == ["ana"]
    assert [alert.text for alert in heard(loom, CHEN)] == ["src/b.py is free now: call claim_paths again"]
    assert claimed(loom, DEE, "src/c.py").claim
    assert "claim.withdrawn" in [event.kind for event in loom.events.latest(REPO, limit=9)[0]]


def test_who_was_behind_a_waiter_whose_run_is_over_is_told(loom: Loom) -> None:
    claimed(loom, BEA, "src/a.py")
    claimed(loom, ANA, "src/", wait_s=30)
    claimed(loom, CHEN, "src/b.py")
    recorded(loom, ANA, status="done")

    assert [alert.text for alert in heard(loom, CHEN)] == ["src/b.py is free now: call claim_paths again"]


@pytest.mark.parametrize("granted", ["src/b.py", "src/"])
def test_who_was_granted_it_meanwhile_is_not_told_that_it_is_free(loom: Loom, granted: str) -> None:
    claimed(loom, BEA, "src/b.py")
    claimed(loom, ANA, "src/b.py")
    loom.claims.release_paths(BEA, "")
    got = claimed(loom, ANA, granted)

    assert got.claim
    assert (got.alerts, heard(loom, ANA)) == ((), ())


def test_who_was_told_and_refused_again_is_told_again(loom: Loom) -> None:
    for _ in range(2):
        claimed(loom, BEA, "src/")
        claimed(loom, ANA, "src/")
        loom.claims.release_paths(BEA, "")

    assert len(heard(loom, ANA)) == 2


def test_nobody_withdraws_anothers_request(loom: Loom) -> None:
    claimed(loom, BEA, "src/")
    run = claimed(loom, ANA, "src/", wait_s=30).run
    loom.claims.withdraw(CHEN, run, patterns=["src/"], mode="exclusive")

    assert [blocker.who for blocker in claimed(loom, CHEN, "src/").blockers] == ["bea", "ana"]
