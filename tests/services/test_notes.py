"""Notes: what contradicts, what is found, whom they reach."""

import pytest

from loomstack_mcp.core.errors import Invalid, LimitExceeded
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.loom import Loom
from tests.conftest import Clocks
from tests.factories import ANA, BEA, REPO, SHOP
from tests.services.support import CHEN, started


def share(loom: Loom, caller: object, text: str, *paths: str, kind: str = "decision", **given: object) -> str:
    return loom.notes.share(caller, "", kind=kind, text=text, patterns=paths, **given).note.id  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _runs(loom: Loom) -> None:
    for caller in (ANA, BEA, CHEN):
        started(loom, caller)


def test_what_is_replaced_or_over_contradicts_nothing(loom: Loom, clocks: Clocks) -> None:
    share(loom, CHEN, "gross for an hour", "src/a.py", expires_hours=1)
    clocks.pass_minutes(59)
    old = share(loom, BEA, "gross", "src/")
    live = share(loom, BEA, "gross as ever", "src/", supersedes=old)
    clocks.pass_minutes(1)
    started(loom, ANA)
    result = loom.notes.share(ANA, "", kind="decision", text="net", patterns=["src/*.py"])

    assert [note.id for note in result.contradicts] == [live]
    assert result.note.contradicts == (live,)


def test_a_note_that_takes_the_place_of_another_does_not_contradict_it(loom: Loom) -> None:
    theirs = share(loom, BEA, "gross", "src/")
    result = loom.notes.share(ANA, "", kind="decision", text="net", patterns=["src/"], supersedes=theirs)

    assert result.contradicts == ()
    assert loom.notes.latest(REPO, limit=9)[0] == (result.note,)


def test_contradictions_follow_the_letter_case_of_the_repository(loom: Loom) -> None:
    theirs = share(loom, BEA, "gross", "SRC/")
    before = loom.notes.share(ANA, "", kind="decision", text="net", patterns=["src/a.py"]).contradicts
    started(loom, CHEN, Checkout(identity=SHOP.identity, clone="clone:mac", ignore_case=True))
    after = loom.notes.share(ANA, "", kind="decision", text="net again", patterns=["src/a.py"]).contradicts

    assert before == ()
    assert [note.id for note in after] == [theirs]


def test_a_loop_that_is_addressed_is_reached_by_name_and_nobody_else(loom: Loom) -> None:
    reviewer = started(loom, CHEN, loop="review").id
    result = loom.notes.share(ANA, "", kind="handoff", text="yours", to="review", patterns=["src/"])
    told = [loom.context.read_context(caller, "", SHOP, budget_tokens=800) for caller in (CHEN, BEA)]

    assert result.seen_by == (reviewer,)
    assert [[alert.text for alert in context.alerts] for context in told] == [["yours"], []]
    assert [[note["text"] for note in context.briefing.notes] for context in told] == [["yours"], []]


@pytest.mark.parametrize(("query", "error"), [("\udcff", Invalid), ("x " * 10_000, LimitExceeded)])
def test_a_query_that_is_no_text_or_endless_is_refused(loom: Loom, query: str, error: type[Exception]) -> None:
    with pytest.raises(error, match="query"):
        loom.notes.latest(REPO, limit=9, query=query)


def test_a_control_character_in_a_query_is_a_letter_that_nothing_has(loom: Loom) -> None:
    share(loom, ANA, "prices are net")

    assert loom.notes.latest(REPO, limit=9, query="pri\0ces")[0] == ()


def test_a_note_that_is_asked_for_by_id_is_shown_although_it_was_replaced_but_not_elsewhere(loom: Loom) -> None:
    old = share(loom, ANA, "gross")
    share(loom, ANA, "net", supersedes=old)
    [found] = loom.notes.latest(REPO, limit=9, query=old)[0]

    assert (found.id, bool(found.superseded_by)) == (old, True)
    assert loom.notes.latest("elsewhere", limit=9, query=old)[0] == ()
