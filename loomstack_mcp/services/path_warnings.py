"""What others mean to keep on some paths: said before a run works there."""

from collections.abc import Iterator, Sequence
from itertools import islice

from loomstack_mcp.core.claims import PathWarning
from loomstack_mcp.core.notes import Note
from loomstack_mcp.core.patterns.globs import first_overlap
from loomstack_mcp.core.runs import Run
from loomstack_mcp.services import landed, path_index
from loomstack_mcp.services.acting import lineage
from loomstack_mcp.services.notes import NOTES
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Tx

_WARNINGS_MAX = 3
_CANDIDATES_MAX = 200


def path_warnings(tx: Tx, run: Run, wanted: Sequence[str]) -> tuple[PathWarning, ...]:
    """The live intents and warnings of others on these paths, then what they landed there on purpose."""
    if not wanted:
        return ()
    ignore_case = path_index.folds(tx, run.repo_id)
    told = [
        *_of_notes(tx, run, wanted, ignore_case=ignore_case),
        *islice(_of_landed(tx, run, wanted, ignore_case=ignore_case), _WARNINGS_MAX),
    ]
    return tuple(told[:_WARNINGS_MAX])


def _of_notes(tx: Tx, run: Run, wanted: Sequence[str], *, ignore_case: bool) -> Iterator[PathWarning]:
    nearby = path_index.ids_near(tx, run.repo_id, "note", wanted, limit=_CANDIDATES_MAX)
    for note in rows.records(Note, tx.all(NOTES["by_ids"], ids=rows.json_column(nearby), now_ms=tx.now_ms)):
        by_others = note.kind in ("intent", "warning") and note.run_id != run.id
        if by_others and first_overlap(wanted, note.paths, ignore_case=ignore_case):
            yield PathWarning(note=note.id, text=note.text, who=note.author, age_ms=tx.now_ms - note.shared_at_ms)


def _of_landed(tx: Tx, run: Run, wanted: Sequence[str], *, ignore_case: bool) -> Iterator[PathWarning]:
    family = lineage(tx, run.id)
    for change in landed.on_purpose(tx, run.repo_id, wanted, limit=_CANDIDATES_MAX):
        if change.run in family or change.author == run.who:
            continue
        if intent := landed.claim_on(tx, change.run, wanted, ignore_case=ignore_case):
            age_ms = max(0, tx.now_ms - change.at_ms)
            yield PathWarning(commit=change.sha, text=intent.text, who=change.author, age_ms=age_ms)
