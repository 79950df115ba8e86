"""The outbox: each notice is one process's at a time, comes again later and later, and ends with what it tells of."""

from itertools import count

from loomstack_mcp.core.notices import TEXT_CHARS_MAX
from loomstack_mcp.loom import Loom
from tests.conftest import Clocks
from tests.factories import ANA
from tests.services.support import started
from tests.services.test_approvals import answered, book, edit, rule


def stop_a_run(loom: Loom) -> str:
    run = started(loom, ANA, loop=f"loop-{next(_numbers)}")
    loom.levers.stop_run(run.id, who="dana", why="wrong branch")
    return run.id


_numbers = count()


def test_what_one_process_took_no_other_takes_until_it_must_be_gone(loom: Loom, clocks: Clocks) -> None:
    first, second = stop_a_run(loom), stop_a_run(loom)
    taken = [loom.notices.take() for _ in range(3)]
    clocks.pass_minutes(0.6)
    again = loom.notices.take()

    assert [notice and (notice.about, notice.tries) for notice in taken] == [(first, 1), (second, 1), None]
    assert again
    assert (again.id, again.tries) == (taken[0] and taken[0].id, 2)


def test_a_notice_that_fails_comes_again_later_and_later_and_goes_once_it_arrived(loom: Loom, clocks: Clocks) -> None:
    stop_a_run(loom)
    waits = []
    for _ in range(4):
        notice = loom.notices.take()
        assert notice
        loom.notices.failed(notice, answered="answered 500")
        waits.append(loom.notices.due_in_ms() or 0)
        assert loom.notices.take() is None
        clocks.pass_minutes(waits[-1] / 60_000)
    unsent, last = loom.notices.unsent(), loom.notices.take()
    assert last
    loom.notices.arrived(last)

    assert waits == [4_000, 16_000, 64_000, 256_000]
    assert unsent == (1, "answered 500")
    assert (loom.notices.is_due(), loom.notices.due_in_ms(), loom.notices.unsent()) == (False, None, (0, ""))


def test_after_a_day_nobody_needs_to_hear_of_it(loom: Loom, clocks: Clocks) -> None:
    stop_a_run(loom)
    was_due = loom.notices.is_due()
    clocks.pass_minutes(24 * 60 + 1)

    assert (was_due, loom.notices.take()) == (True, None)


def test_a_long_question_leaves_room_for_its_id(loom: Loom) -> None:
    started(loom, ANA)
    asked = edit(loom, book(*(rule(f"{name * 50}") for name in "abcdefgh")))
    told = loom.notices.take()

    assert told
    assert told.text.endswith(f" waits for a person: loomstack-mcp approve {asked.approval}")
    assert len(told.text) <= TEXT_CHARS_MAX


def test_an_approval_that_is_asked_is_told_until_it_is_answered(loom: Loom) -> None:
    started(loom, ANA)
    first, second = edit(loom, text="one"), edit(loom, text="two")
    answered(loom, second)
    told = list(iter(loom.notices.take, None))

    assert [(notice.kind, notice.about) for notice in told] == [("approval.asked", first.approval)]
    assert told[0].text == f"edit by loop@ana (asks) waits for a person: loomstack-mcp approve {first.approval}"
