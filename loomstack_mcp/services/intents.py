"""Why landed changes were made on purpose: by what their runs claimed for them, or by notes on the paths."""

from collections.abc import Sequence

from loomstack_mcp.core.changes.conflict_records import Intent
from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.notes import Note, NoteKind
from loomstack_mcp.core.runs import Run
from loomstack_mcp.services import landed, path_index
from loomstack_mcp.services.note_index import notes_on
from loomstack_mcp.store.base import Tx

_INTENTS: tuple[NoteKind, ...] = ("intent",)


class Intents:
    """The intents of a repo as they stand, seen from a run (None: from nobody's). Each question is asked once."""

    def __init__(self, tx: Tx, repo_id: str, *, run: Run | None, family: frozenset[str]) -> None:
        self._tx = tx
        self._repo_id = repo_id
        self._run = run
        self._family = family
        self._ignore_case = path_index.folds(tx, repo_id)
        self._notes: dict[tuple[str, ...], tuple[Note, ...]] = {}
        self._claims: dict[tuple[str, tuple[str, ...]], Intent | None] = {}
        self.unchecked: dict[str, None] = {}
        """What was not compared, in sentences."""

    def on(self, change: Change, names: Sequence[str]) -> Intent | None:
        """Why a landed change to some files was made on purpose; None where nobody else says so."""
        wanted = tuple(landed.literals(names))
        if change.run and (claimed := self._claimed(change.run, wanted)):
            return claimed
        theirs = next((note for note in self._on(wanted) if not self._is_own(note)), None)
        return Intent(text=theirs.text, who=theirs.author, run=theirs.run_id or "") if theirs else None

    def has_others(self, names: Sequence[str], *, holder: str) -> bool:
        """Whether anybody but the holder, and the run itself, has an intent on some of the files."""
        notes = self._on(tuple(landed.literals(names)))
        return any(note.author != holder and not self._is_own(note) for note in notes)

    def _claimed(self, run_id: str, wanted: tuple[str, ...]) -> Intent | None:
        asked = (run_id, wanted)
        if asked not in self._claims:
            self._claims[asked] = landed.claim_on(self._tx, run_id, wanted, ignore_case=self._ignore_case)
        return self._claims[asked]

    def _on(self, wanted: tuple[str, ...]) -> tuple[Note, ...]:
        if wanted not in self._notes:
            found = notes_on(self._tx, self._repo_id, wanted, kinds=_INTENTS, ignore_case=self._ignore_case)
            self._notes[wanted] = found.notes
            if found.unchecked:
                self.unchecked[found.unchecked] = None
        return self._notes[wanted]

    def _is_own(self, note: Note) -> bool:
        return self._run is not None and (note.run_id in self._family or note.author == self._run.who)
