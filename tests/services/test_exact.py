"""What overlaps a path is found whatever else is stored."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loomstack_mcp.core.changes.conflicts import Proposal
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.notes import NoteKind
from loomstack_mcp.core.patterns.globs import first_overlap
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.loom import Loom
from loomstack_mcp.services.note_index import EVERY_KIND, index_note, notes_on
from loomstack_mcp.services.path_index import COMPARED_MAX
from loomstack_mcp.services.path_warnings import path_warnings
from loomstack_mcp.services.recipients import recipients
from loomstack_mcp.store.base import Statement, Tx
from loomstack_mcp.store.rows import json_column
from tests.conftest import Clocks
from tests.factories import ANA, BEA, REPO, SHOP, make_note
from tests.services.support import CHEN, claimed, recorded, started
from tests.services.test_ledger import commit, fill
from tests.services.test_path_index import PATTERNS, Rollback

MANY = 700


def share(loom: Loom, caller: Caller, text: str, *paths: str, kind: str = "intent", **more: object) -> str:
    return loom.notes.share(caller, "", kind=kind, text=text, patterns=paths, **more).note.id  # type: ignore[arg-type]


def crowd(tx: Tx, *patterns: str, kind: str = "fact", many: int = MANY, mark: str = "") -> None:
    """Many notes of others, put in as they would lie."""
    for at in range(many):
        note = make_note(id=f"note_{kind}{at}{mark}", run_id=None, kind=kind, who="crowd", paths=patterns, seq=at)
        tx.run(INSERT, id=note.id, kind=kind, paths=json_column(patterns), at=at)
        index_note(tx, note)


INSERT = Statement(
    "test.crowd",
    "INSERT INTO note (id, repo_id, seq, kind, authority, who, loop, text, paths, addressee, supersedes, contradicts, "
    f"shared_at_ms) VALUES (:id, '{REPO}', :at, :kind, 'loop', 'crowd', 'noise', 'noise', :paths, '', '', '[]', 0)",
)

COUNTED = "WITH RECURSIVE c (at) AS (SELECT 1 UNION ALL SELECT at + 1 FROM c WHERE at < :many) "
FLOOD = Statement(
    "test.flood",
    f"{COUNTED} INSERT INTO note (id, repo_id, seq, kind, authority, who, loop, text, paths, addressee, supersedes, "
    f"contradicts, shared_at_ms) SELECT 'note_' || at, '{REPO}', at, 'intent', 'loop', 'crowd', 'noise', 'noise', "
    "'[]', '', '', '[]', 0 FROM c",
)
FLOOD_KEYS = Statement(
    "test.flood_keys",
    f"{COUNTED} INSERT INTO path_key (repo_id, noun, key, extension, id, pattern) "
    f"SELECT '{REPO}', 'note', 'src/', 'md', 'note_' || at, 'src/**/*.md' FROM c",
)
INTENT: tuple[NoteKind, ...] = ("intent",)


@pytest.fixture(autouse=True)
def _runs(loom: Loom) -> None:
    for caller in (ANA, BEA):
        started(loom, caller)


def test_a_crowd_of_notes_hides_no_intent_warning_or_contradiction(loom: Loom) -> None:
    intent = share(loom, BEA, "net on purpose", "src/z.py")
    warning = share(loom, BEA, "flaky", "src/z.py", kind="warning")
    decided = share(loom, BEA, "net", "src/z.py", kind="decision")
    with loom.store.write(REPO) as tx:
        for kind in ("fact", "intent", "warning", "decision"):
            crowd(tx, "src/a/**", "**/*.md", "src/z.p", kind=kind)
    told = [one.note for one in claimed(loom, ANA, "src/z.py").warnings]
    against = loom.notes.share(ANA, "", kind="decision", text="gross", patterns=["src/z.py"]).contradicts
    briefed = loom.context.read_context(ANA, "", SHOP, patterns=["src/z.py"], budget_tokens=800).briefing.notes

    assert told == [intent, warning]
    assert [one.id for one in against] == [decided]
    assert {intent, warning, decided} <= {note["note"] for note in briefed}


def test_a_crowd_of_landed_changes_hides_none_on_purpose(loom: Loom, clocks: Clocks) -> None:
    claimed(loom, BEA, "src/", intent="on purpose")
    changes = [commit(at, "src/z.py", at_ms=clocks.wall_ms + at) for at in range(0x100, 0x100 + 399)]
    for at in range(0, 399, 100):
        recorded(loom, BEA, commits=[change.sha for change in changes[at : at + 100]])
    fill(loom, *changes)
    loom.claims.release_paths(BEA, "")
    warnings = claimed(loom, ANA, "src/z.py").warnings

    assert [one.commit for one in warnings] == [change.sha for change in changes[:-4:-1]] + [""]
    assert warnings[-1].text.startswith("396 more here")


def test_a_crowd_of_runs_keeps_no_message_from_its_addressee(loom: Loom, clocks: Clocks) -> None:
    reviewer = started(loom, CHEN, loop="review").id
    clocks.pass_minutes(1)
    for number in range(250):
        started(loom, Caller(principal="crowd", session=f"s-{number}"), loop="noise", patterns=["far/"])
    result = loom.notes.share(ANA, "", kind="handoff", text="yours", to="review")

    assert result.seen_by == (reviewer,)
    assert loom.notes.share(ANA, "", kind="handoff", text="yours", to=reviewer).seen_by == (reviewer,)


def test_what_expired_or_was_replaced_leaves_the_index(loom: Loom, clocks: Clocks) -> None:
    for number in range(5):
        share(loom, BEA, f"for an hour {number}", "src/", expires_hours=1)
    old = share(loom, BEA, "net", "src/")
    share(loom, BEA, "net, really", "src/", supersedes=old)
    clocks.pass_minutes(61)
    started(loom, BEA)
    share(loom, BEA, "for a day", "docs/", expires_hours=24)
    with loom.store.read() as tx:
        left = tx.all(Statement("test.left", "SELECT pattern FROM path_key WHERE noun = 'note' ORDER BY pattern"))

    assert [row["pattern"] for row in left] == ["docs/", "src/"]


def test_whatever_else_is_stored_a_path_has_the_same_notes_warnings_and_recipients(loom: Loom) -> None:
    share(loom, BEA, "on purpose", "src/z.py", "lib/**/*.js")
    share(loom, BEA, "flaky", "{a,b}/c", kind="warning")
    claimed(loom, BEA, "src/*.py")
    run = started(loom, ANA)

    @settings(max_examples=60)
    @given(
        wanted=PATTERNS,
        unrelated=st.lists(st.tuples(PATTERNS, st.sampled_from(EVERY_KIND)), max_size=15),
    )
    def checked(wanted: list[str], unrelated: list[tuple[list[str], str]]) -> None:
        with pytest.raises(Rollback), loom.store.write(REPO) as tx:
            before = seen(tx, wanted)
            for number, (patterns, kind) in enumerate(unrelated):
                if not first_overlap(wanted, patterns):
                    crowd(tx, *patterns, kind=kind, many=1, mark=f"{number}")

            assert seen(tx, wanted) == before
            raise Rollback

    def seen(tx: Tx, wanted: list[str]) -> tuple[object, ...]:
        note = make_note(run_id=run.id, paths=tuple(wanted))
        found = notes_on(tx, REPO, wanted, kinds=EVERY_KIND, ignore_case=False)
        return found, path_warnings(tx, run, wanted), recipients(tx, note)

    checked()


def test_more_than_can_be_compared_is_said(loom: Loom) -> None:
    with loom.store.write(REPO) as tx:
        tx.run(FLOOD, many=COMPARED_MAX + 1)
        tx.run(FLOOD_KEYS, many=COMPARED_MAX + 1)
        found = notes_on(tx, REPO, ["src/z.py"], kinds=INTENT, ignore_case=False)
    warnings = claimed(loom, ANA, "src/z.py").warnings

    assert (found.notes, "not all were compared" in found.unchecked) == ((), True)
    assert [warning.text for warning in warnings] == [f"not checked: {found.unchecked}"]


@pytest.mark.parametrize("kind", ["decision", "intent"])
def test_an_answer_to_a_request_contradicts_nothing(loom: Loom, kind: str) -> None:
    asked = share(loom, ANA, "may prices be gross?", "src/", kind=kind, to="loop")
    answered = loom.notes.share(BEA, "", kind=kind, text="no: net", patterns=["src/"])  # type: ignore[arg-type]
    replied = loom.notes.share(ANA, "", kind=kind, text="gross", patterns=["src/"], to=answered.note.run_id or "")  # type: ignore[arg-type]

    assert asked not in {note.id for note in answered.contradicts}
    assert replied.contradicts == ()


def test_facts_do_not_contradict(loom: Loom) -> None:
    share(loom, BEA, "it is 5", "src/", kind="fact")

    assert loom.notes.share(ANA, "", kind="fact", text="it is 6", patterns=["src/"]).contradicts == ()


@pytest.mark.parametrize("kind", ["intent", "warning"])
def test_what_protects_paths_is_replaced_by_its_own_side_or_a_person(loom: Loom, kind: str) -> None:
    theirs = share(loom, BEA, "net", "src/", kind=kind)
    with pytest.raises(Invalid, match=r"only that loop.*nothing was shared"):
        share(loom, ANA, "gross", "src/", kind="decision", supersedes=theirs)
    held = loom.notes.latest(REPO, limit=1)[0]
    own = share(loom, BEA, "net, rounded", "src/", kind=kind, supersedes=theirs)
    person = loom.notes.add(SHOP, who="dana", kind="decision", text="gross", patterns=["src/"], supersedes=own)

    assert [note.id for note in held] == [theirs]
    assert loom.notes.latest(REPO, limit=9)[0] == (person.note,)
    assert [alert.kind for alert in loom.context.read_context(BEA, "", SHOP, budget_tokens=800).alerts] == [
        "contradicted",
        "superseded",
    ]


def test_a_check_without_files_is_clear(loom: Loom) -> None:
    assert loom.conflicts.check(SHOP, Proposal(changes=(), history=(), target="main")).verdict == "clear"


def test_reading_on_brings_all_that_was_shared_once_each_however_much_and_after_lost_replies(loom: Loom) -> None:
    first = loom.context.read_context(ANA, "", SHOP, budget_tokens=800).briefing.cursor
    shared = [share(loom, BEA, f"note {number}", kind="fact") for number in range(250)]
    loom.notes.add(None, who="dana", kind="decision", text="freeze on Friday")
    told: list[str] = []
    freezes = 0
    cursor = first
    more = True
    while more:
        lost, read = (
            loom.context.read_context(ANA, "", SHOP, since=cursor, budget_tokens=800).briefing for _ in range(2)
        )
        assert lost == read
        freezes += sum(note["text"] == "freeze on Friday" for note in read.notes)
        told += [str(note["note"]) for note in read.notes if note["text"] != "freeze on Friday"]
        more = read.cursor != cursor
        cursor = read.cursor

    assert told == shared
    assert freezes >= 1


def test_a_read_that_was_cut_is_read_on_from_where_it_was_cut(loom: Loom) -> None:
    shared = [share(loom, BEA, f"note {number} " + "x" * 300, "src/", kind="fact") for number in range(60)]
    read = loom.context.read_context(ANA, "", SHOP, patterns=["src/"], budget_tokens=800).briefing
    told = {note["note"] for note in read.notes}
    while read.more:
        read = loom.context.read_context(ANA, "", SHOP, since=read.cursor, budget_tokens=800).briefing
        told |= {note["note"] for note in read.notes}

    assert told == set(shared)


def test_what_a_run_must_stop_for_is_told_before_talk(loom: Loom, clocks: Clocks) -> None:
    claimed(loom, ANA, "src/")
    run = started(loom, ANA, loop="again").id
    held = claimed(loom, ANA, "docs/", run=run, minutes=5).claim
    for number in range(9):
        share(loom, BEA, f"talk {number}", kind="handoff", to=run)
    clocks.pass_minutes(20)
    claimed(loom, BEA, "docs/")
    [first, *_] = loom.context.read_context(ANA, run, SHOP, budget_tokens=800).alerts

    assert held
    assert (first.kind, first.about) == ("expired", held.id)


def test_work_that_landed_on_my_paths_is_briefed_however_much_landed_elsewhere(loom: Loom, clocks: Clocks) -> None:
    claimed(loom, BEA, "src/z.py", intent="net on purpose")
    mine = commit(0x200, "src/z.py", at_ms=clocks.wall_ms)
    recorded(loom, BEA, commits=[mine.sha])
    others = [commit(number, "docs/a.md", at_ms=clocks.wall_ms) for number in range(0x300, 0x340)]
    started(loom, CHEN)
    for change in others:
        recorded(loom, CHEN, commits=[change.sha])
    fill(loom, mine, *others)
    briefed = loom.context.read_context(ANA, "", SHOP, patterns=["src/z.py"], budget_tokens=800).briefing.changes

    assert (briefed[0]["commits"], briefed[0]["intent"]) == ([mine.sha[:12]], "net on purpose")
