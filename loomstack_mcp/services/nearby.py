"""What lies near some paths, for a briefing: notes, claims, runs, and what landed."""

from collections.abc import Iterable, Iterator

from loomstack_mcp.core.briefing import items as core
from loomstack_mcp.core.briefing.items import LandedWork, View
from loomstack_mcp.core.claims import Claim
from loomstack_mcp.core.limits import CANDIDATES_MAX
from loomstack_mcp.core.notes import Note
from loomstack_mcp.core.outcomes import Outcome
from loomstack_mcp.core.repos import ORG
from loomstack_mcp.core.runs import Run
from loomstack_mcp.services import path_index
from loomstack_mcp.services.acting import RUNS
from loomstack_mcp.services.blockers import CLAIMS
from loomstack_mcp.services.landed import on_purpose
from loomstack_mcp.services.note_index import EVERY_KIND, NOTES, notes_on
from loomstack_mcp.services.recorded import OUTCOMES
from loomstack_mcp.services.sessions import run_for_session
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Tx

_OVERLAPPING_MAX = 500
"""Of what overlaps my paths, as much is weighed for a briefing: people's first, then the newest."""
_PEOPLE_MAX = 500
_BESIDE_MAX = 100
_LATEST_MAX = 100
_LANDED_MAX = 20


def own_paths(tx: Tx, run: Run | None) -> tuple[str, ...]:
    """What a run said that it would work on, and then what it holds; none without a run."""
    if run is None:
        return ()
    held = rows.as_records(Claim, tx.all(CLAIMS["held_by_run"], run_id=run.id))
    return tuple(dict.fromkeys((*run.paths, *(text for claim in held for text in claim.patterns))))


def notes_near(tx: Tx, repo_id: str, run: Run | None, view: View) -> Iterable[Note]:
    """All notes on the paths and to this run, what lies beside, and the latest; those to others are left out."""
    now = {"now_ms": tx.now_ms}
    on = notes_on(tx, repo_id, view.paths, kinds=EVERY_KIND, ignore_case=view.ignore_case).notes
    called = rows.json_column([name for name in (run.id, run.loop, run.parent_id) if name] if run else [])
    found = [
        *tx.all(NOTES["addressed"], repo_id=repo_id, called=called, limit=_LATEST_MAX, **now),
        *tx.all(NOTES["by_ids"], ids=rows.json_column(_beside(tx, repo_id, "note", view)), **now),
        *tx.all(NOTES["latest"], repo_id=repo_id, limit=_LATEST_MAX, **now),
        *tx.all(NOTES["latest_of_people"], repo_id=repo_id, limit=_PEOPLE_MAX, **now),
        *tx.all(NOTES["latest"], repo_id=ORG, limit=_PEOPLE_MAX, **now),
    ]
    once = {note.id: note for note in (*on[:_OVERLAPPING_MAX], *rows.as_records(Note, found))}
    return [note for note in once.values() if not note.addressee or is_addressed(note, run)]


def is_addressed(note: Note, run: Run | None) -> bool:
    return run is not None and note.addressee in (run.id, run.loop, run.parent_id)


def claims_near(tx: Tx, repo_id: str, run: Run | None, view: View) -> Iterable[Claim]:
    """What other runs hold near the paths, and what they claimed last."""
    near = rows.json_column(_on(tx, repo_id, "claim", view))
    found = [
        *tx.all(CLAIMS["held_by_ids"], ids=near),
        *tx.all(CLAIMS["held"], repo_id=repo_id, now_ms=tx.now_ms, limit=_LATEST_MAX),
    ]
    once = {claim.id: claim for claim in rows.as_records(Claim, found)}
    known = _known(tx, run)
    return [claim for claim in once.values() if claim.run_id not in known and claim.expires_at_ms > tx.now_ms]


def runs_near(tx: Tx, repo_id: str, run: Run | None, view: View) -> Iterable[Run]:
    """Other live runs that somebody asked for: near the paths, and those that started last.

    Of what a session does besides, its claims tell.
    """
    near = rows.json_column(_on(tx, repo_id, "run", view))
    found = [
        *tx.all(RUNS["by_ids"], ids=near),
        *tx.all(RUNS["live"], repo_id=repo_id, origin="asked", now_ms=tx.now_ms, limit=_LATEST_MAX),
    ]
    once = {other.id: other for other in rows.as_records(Run, found)}
    known = _known(tx, run)
    others = (other for other in once.values() if other.id not in known and other.origin == "asked")
    return [other for other in others if other.state == "live" and other.expires_at_ms > tx.now_ms]


def landed_work(tx: Tx, repo_id: str, run: Run | None, view: View) -> Iterator[LandedWork]:
    """What runs recorded as landed, on the paths that they had claimed for it: on my paths, and the latest.

    What a checker's own subject recorded is no news to it.
    """
    changes, _ = on_purpose(tx, repo_id, view.paths, ignore_case=view.ignore_case)
    runs = list(dict.fromkeys(change.run for change in changes))[:_LANDED_MAX]
    here = (tx.all(OUTCOMES["about"], about_run=run_id) for run_id in runs)
    found = [*(row for rows_ in here for row in rows_), *tx.all(OUTCOMES["landed"], repo_id=repo_id, limit=_LANDED_MAX)]
    once = {outcome.id: outcome for outcome in rows.as_records(Outcome, found) if outcome.commits}
    checked = run.checks_run if run else None
    return works(tx, [outcome for outcome in once.values() if outcome.about_run != checked])


def own_ids(tx: Tx, run: Run | None) -> tuple[str, ...]:
    """A run and the one that stands for its session: neither is news to it."""
    if run is None:
        return ()
    for_session = run_for_session(tx, run, run.repo_id)
    return (run.id, for_session.id) if for_session else (run.id,)


def _known(tx: Tx, run: Run | None) -> tuple[str | None, ...]:
    """The runs of which a briefing tells a run nothing: its own, and the one that it checks."""
    return (*own_ids(tx, run), run.checks_run if run else None)


def works(tx: Tx, outcomes: Iterable[Outcome]) -> Iterator[LandedWork]:
    """Outcomes that name commits, as work on the paths that their runs had claimed for it.

    What others checked of it is told once, as its maker recorded it.
    """
    once: dict[tuple[str, tuple[str, ...]], Outcome] = {}
    for outcome in sorted(outcomes, key=lambda one: one.seq):
        once.setdefault((outcome.about_run, outcome.commits), outcome)
    for outcome in once.values():
        [run] = rows.as_records(Run, tx.all(RUNS["get"], id=outcome.about_run))
        claims = rows.as_records(Claim, tx.all(CLAIMS["asked_of_run"], run_id=run.id, limit=20))
        yield LandedWork(
            commits=outcome.commits,
            run=run,
            paths=tuple(dict.fromkeys(text for claim in claims for text in claim.patterns)) or run.paths,
            intent="; ".join(dict.fromkeys(claim.intent for claim in claims)) or outcome.summary,
            seq=outcome.seq,
            at_ms=outcome.recorded_at_ms,
        )


def _on(tx: Tx, repo_id: str, noun: path_index.Indexed, view: View) -> list[str]:
    """What overlaps my paths, and then what lies beside them."""
    most = CANDIDATES_MAX
    on = path_index.all_overlapping(tx, repo_id, noun, view.paths, ignore_case=view.ignore_case, most=most)
    return [*on.ids[:_OVERLAPPING_MAX], *_beside(tx, repo_id, noun, view)]


def _beside(tx: Tx, repo_id: str, noun: path_index.Indexed, view: View) -> list[str]:
    """Some of what lies in the folders of my paths, or where history changes with them."""
    if not view.paths:
        return []
    beside = [*sorted(folder for folder in core.folders(view.paths) if folder), *view.beside]
    return path_index.ids_near(tx, repo_id, noun, beside, limit=_BESIDE_MAX) if beside else []
