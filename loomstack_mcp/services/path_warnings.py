"""What others mean to keep on some paths: said before a run works there."""

from collections.abc import Iterator, Sequence

from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.claims import PathWarning
from loomstack_mcp.core.notes import PROTECTING, Note, first_told
from loomstack_mcp.core.runs import Run
from loomstack_mcp.services import landed, path_index
from loomstack_mcp.services.acting import family
from loomstack_mcp.services.note_index import notes_on
from loomstack_mcp.store.base import Tx

_WARNINGS_MAX = 3
_TOO_WIDE = "all that landed on so wide a path"


def path_warnings(tx: Tx, run: Run, wanted: Sequence[str]) -> tuple[PathWarning, ...]:
    """The live intents and warnings of others on these paths, then what they landed there on purpose.

    What people said comes first, then intents, then the newest. The last one says how many more there are.
    """
    if not wanted:
        return ()
    ignore_case = path_index.folds(tx, run.repo_id)
    on = notes_on(tx, run.repo_id, wanted, kinds=PROTECTING, ignore_case=ignore_case)
    notes = sorted((note for note in on.notes if note.run_id != run.id), key=_first_warned)
    changes, found = landed.on_purpose(tx, run.repo_id, wanted, ignore_case=ignore_case)
    own = family(tx, run)
    theirs = [change for change in changes if change.run not in own and change.author != run.who]
    told = [
        *(_of_note(note, tx.now_ms) for note in notes[:_WARNINGS_MAX]),
        *_of_landed(tx, theirs[:_WARNINGS_MAX], wanted, ignore_case=ignore_case),
    ][:_WARNINGS_MAX]
    if more := len(notes) + len(theirs) - len(told):
        told.append(PathWarning(text=f"{more} more here; read_shared_context(paths=…) tells them"))
    if unchecked := on.unchecked or (found.is_cut and _TOO_WIDE):
        told.append(PathWarning(text=f"not checked: {unchecked}"))
    return tuple(told)


def _first_warned(note: Note) -> tuple[int, bool, int]:
    rank, newest = first_told(note)
    return rank, note.kind != "intent", newest


def _of_note(note: Note, now_ms: int) -> PathWarning:
    return PathWarning(note=note.id, text=note.text, who=note.author, age_ms=now_ms - note.shared_at_ms)


def _of_landed(tx: Tx, theirs: Sequence[Change], wanted: Sequence[str], *, ignore_case: bool) -> Iterator[PathWarning]:
    for change in theirs:
        intent = landed.claim_on(tx, change.run, wanted, ignore_case=ignore_case)
        age_ms = max(0, tx.now_ms - change.at_ms)
        yield PathWarning(
            commit=change.sha, text=intent.text if intent else change.title, who=change.author, age_ms=age_ms
        )
