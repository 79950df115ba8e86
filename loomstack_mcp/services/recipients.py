"""Whom a note reaches now: the live runs that it concerns, and the word to those it is addressed to."""

from collections.abc import Sequence

from loomstack_mcp.core.claims import Claim
from loomstack_mcp.core.errors import NotFound
from loomstack_mcp.core.notes import Note
from loomstack_mcp.core.patterns.globs import first_overlap
from loomstack_mcp.core.runs import Run
from loomstack_mcp.services import events, path_index
from loomstack_mcp.services.acting import RUNS
from loomstack_mcp.services.blockers import CLAIMS
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Tx

_RECIPIENTS_MAX = 20
_CANDIDATES_MAX = 200


def recipients(tx: Tx, note: Note) -> tuple[str, ...]:
    """The live runs that a note concerns now: without paths all of them. Those it is addressed to are alerted.

    Raises NotFound where it is addressed to a run that is not live here.
    """
    live = rows.records(Run, tx.all(RUNS["live"], repo_id=note.repo_id, now_ms=tx.now_ms, limit=_CANDIDATES_MAX))
    others = [run for run in live if run.id != note.run_id]
    if note.addressee:
        others = _addressed(tx, note, others)
    elif note.paths:
        others = _on_paths(tx, note, others)
    return tuple(run.id for run in others[:_RECIPIENTS_MAX])


def _addressed(tx: Tx, note: Note, others: Sequence[Run]) -> list[Run]:
    named = [run for run in others if note.addressee in (run.id, run.loop)]
    if not named and note.addressee.startswith("run_"):
        raise NotFound(f"to={note.addressee} is no live run here; nothing was shared. Address its loop, or everyone")
    for run in named:
        events.alert(tx, run.id, "message", seq=note.seq, about=note.id, text=note.text, who=note.author)
    return named


def _on_paths(tx: Tx, note: Note, others: Sequence[Run]) -> list[Run]:
    """Those that hold some of the note's paths, or said at their start that they would work there."""
    ignore_case = path_index.folds(tx, note.repo_id)
    near = path_index.ids_near(tx, note.repo_id, "claim", note.paths, limit=_CANDIDATES_MAX)
    claims = rows.records(Claim, tx.all(CLAIMS["held_by_ids"], ids=rows.json_column(near)))
    holders = {claim.run_id for claim in claims if first_overlap(note.paths, claim.patterns, ignore_case=ignore_case)}
    return [run for run in others if run.id in holders or first_overlap(note.paths, run.paths, ignore_case=ignore_case)]
