"""The log of a repo, and the alerts that ride on answers."""

from collections import Counter
from pathlib import Path

from loomstack_mcp.core.limits import ALERTS_MAX
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.loom import Loom
from loomstack_mcp.store.sqlite import gate
from loomstack_mcp.store.sqlite.migrate import migrating_store
from tests.conftest import Clocks
from tests.factories import ANA, BEA, REPO
from tests.services.support import claimed, heard, recorded, started


def test_each_of_many_alerts_of_one_change_is_heard_twice_and_no_more(loom: Loom) -> None:
    folders = [f"folder-{at}/" for at in range(2 * ALERTS_MAX + 2)]
    for caller in (BEA, ANA):
        started(loom, caller)
        for folder in folders:
            claimed(loom, caller, folder)
    loom.claims.release_paths(BEA, "")
    answers = [heard(loom, ANA) for _ in range(len(folders))]

    told = Counter(alert.text.split(" ", 1)[0] for alerts in answers for alert in alerts)
    assert told == dict.fromkeys(folders, 2)
    assert max(map(len, answers)) == ALERTS_MAX


def test_alerts_of_several_changes_come_in_their_order(loom: Loom) -> None:
    started(loom, BEA)
    run = started(loom, ANA).id
    texts = [f"message {at}" for at in range(ALERTS_MAX + 3)]
    for text in texts:
        loom.notes.share(BEA, "", kind="handoff", text=text, to=run)
    first, _, third = (heard(loom, ANA) for _ in range(3))

    assert [alert.text for alert in (*first, *third)] == texts


def test_what_a_refused_call_would_have_told_is_told_by_the_next(loom: Loom) -> None:
    started(loom, BEA)
    run = started(loom, ANA).id
    loom.notes.share(BEA, "", kind="handoff", text="yours", to=run)
    claimed(loom, BEA, "src/")
    refused = claimed(loom, ANA, "src/a.py")

    assert [alert.text for alert in refused.alerts] == ["yours"]
    assert [alert.text for alert in heard(loom, ANA)] == ["yours"]


def test_a_queued_request_granted_before_its_alert_was_read_leaves_none(loom: Loom) -> None:
    started(loom, BEA)
    started(loom, ANA)
    claimed(loom, BEA, "src/")
    claimed(loom, ANA, "src/", wait_s=30)
    loom.claims.release_paths(BEA, "")
    granted = claimed(loom, ANA, "src/", wait_s=30)

    assert granted.claim
    assert granted.alerts == heard(loom, ANA) == ()


def test_events_are_read_in_pages_without_a_gap(loom: Loom) -> None:
    started(loom, ANA)
    for at in range(7):
        claimed(loom, ANA, f"folder-{at}/")
    recorded(loom, ANA, status="done")
    cursor, pages = 0, []
    while page := loom.events.since(REPO, since=cursor, limit=3)[0]:
        pages.append(page)
        cursor = page[-1].seq

    found = [event for page in pages for event in page]
    assert [event.seq for event in found] == list(range(1, loom.events.cursor(REPO) + 1))
    assert tuple(found[-4:]) == loom.events.latest(REPO, limit=4)[0]


def test_repos_count_apart(loom: Loom) -> None:
    started(loom, ANA)
    claimed(loom, ANA, "src/")
    other = started(loom, BEA, Checkout(identity="elsewhere"))

    assert other.seq == 1
    assert loom.events.cursor(REPO) == 2
    assert loom.events.cursor("nowhere") == 0


def test_a_read_that_owes_an_alert_answers_without_it_while_nobody_can_write(tmp_path: Path, clocks: Clocks) -> None:
    store = migrating_store(tmp_path / "busy.db", clock=clocks.clock(), gate_wait_ms=50)
    with Loom(store, rework_max=3) as loom:
        for caller in (ANA, BEA):
            started(loom, caller)
        claimed(loom, BEA, "src/")
        claimed(loom, ANA, "src/")
        loom.claims.release_paths(BEA, "")
        with gate.passed(gate.gate_beside(store.path)):
            meanwhile = heard(loom, ANA)

        assert (meanwhile, [alert.kind for alert in heard(loom, ANA)]) == ((), ["freed"])
