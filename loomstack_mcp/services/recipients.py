"""Whom a note reaches now: the live runs that it concerns, and the word to those it is addressed to."""

from loomstack_mcp.core.claims import Claim
from loomstack_mcp.core.errors import NotFound
from loomstack_mcp.core.notes import Note
from loomstack_mcp.core.runs import Run
from loomstack_mcp.services import events, path_index
from loomstack_mcp.services.acting import RUNS
from loomstack_mcp.services.blockers import CLAIMS
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Tx

_RECIPIENTS_MAX = 20


def recipients(tx: Tx, note: Note) -> tuple[str, ...]:
    """The live runs that a note concerns now: without paths all that were asked for. The addressed ones are alerted.

    Raises NotFound where it is addressed to a run that is not live here.
    """
    if note.addressee:
        found = _addressed(tx, note)
    elif note.paths:
        found = _on_paths(tx, note)
    else:
        asked = {"repo_id": note.repo_id, "origin": "asked", "now_ms": tx.now_ms}
        found = rows.as_records(Run, tx.all(RUNS["live"], limit=_RECIPIENTS_MAX + 1, **asked))
    return tuple(run.id for run in found if run.id != note.run_id)[:_RECIPIENTS_MAX]


def live_runs(tx: Tx, repo_id: str, called: str, *, principal: str = "") -> tuple[Run, ...]:
    """The live run of that id, or the live runs of the loop of that name, of everybody or of one person."""
    asked = {"repo_id": repo_id, "called": called, "principal": principal, "now_ms": tx.now_ms}
    return rows.as_records(Run, tx.all(RUNS["live_of_loop"], **asked))


def _addressed(tx: Tx, note: Note) -> tuple[Run, ...]:
    named = tuple(run for run in live_runs(tx, note.repo_id, note.addressee) if run.id != note.run_id)
    if not named and note.addressee.startswith("run_"):
        raise NotFound(f"to={note.addressee} is no live run here; nothing was shared. Address its loop, or everyone")
    for run in named:
        events.alert(tx, run.id, "message", seq=note.seq, about=note.id, text=note.text, who=note.author)
    return named


def _on_paths(tx: Tx, note: Note) -> tuple[Run, ...]:
    """Those that hold some of the note's paths, or said at their start that they would work there."""
    ignore_case = path_index.folds(tx, note.repo_id)
    held = path_index.all_overlapping(tx, note.repo_id, "claim", note.paths, ignore_case=ignore_case).ids
    said = path_index.all_overlapping(tx, note.repo_id, "run", note.paths, ignore_case=ignore_case).ids
    holders = rows.as_records(Claim, tx.all(CLAIMS["held_by_ids"], ids=rows.json_column(held)))
    ids = dict.fromkeys((*(claim.run_id for claim in holders), *said))
    found = rows.as_records(Run, tx.all(RUNS["by_ids"], ids=rows.json_column(list(ids))))
    live = (run for run in found if run.state == "live" and run.expires_at_ms > tx.now_ms)
    return tuple(sorted(live, key=lambda run: -run.expires_at_ms))
