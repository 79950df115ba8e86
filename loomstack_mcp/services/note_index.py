"""Which notes are about some paths: exactly, however many others are stored."""

from collections.abc import Collection, Sequence
from typing import get_args

from loomstack_mcp.core.notes import Note, NoteKind, first_told
from loomstack_mcp.core.records import record
from loomstack_mcp.core.repos import ORG
from loomstack_mcp.services import path_index
from loomstack_mcp.store import queries, rows
from loomstack_mcp.store.base import Tx

NOTES = queries.statements("notes")

EVERY_KIND: tuple[NoteKind, ...] = get_args(NoteKind)
_FOUND_MAX = 50
_RANKED_MAX = 2_000
_EXPIRED_MAX = 500
"""One note takes this many out of the index; the next takes more."""


@record
class NotesFound:
    """The notes about some paths, as they are told: people's first, then the newest."""

    notes: tuple[Note, ...]
    unchecked: str = ""
    """What was not compared, in a sentence; empty where all was."""


def notes_on(
    tx: Tx, repo_id: str, wanted: Sequence[str], *, kinds: Collection[NoteKind], ignore_case: bool
) -> NotesFound:
    """The notes of these kinds that hold and whose paths overlap `wanted`, the organisation's among them."""
    if not wanted:
        return NotesFound(notes=())
    ids: list[str] = []
    unchecked = ""
    keys = path_index.nearness(wanted)
    for where in (repo_id, ORG):
        near = tx.all(
            NOTES["near"],
            repo_id=where,
            now_ms=tx.now_ms,
            kinds=rows.json_column(list(kinds)),
            limit=path_index.COMPARED_MAX + 1,
            keys=keys,
        )
        found = path_index.overlapping_ids(near, wanted, ignore_case=ignore_case)
        ids += found.ids
        if found.is_cut:
            unchecked = f"more than {path_index.COMPARED_MAX:,} notes lie near {wanted[0][:100]}: not all were compared"
    found_notes = tx.all(NOTES["by_ids"], ids=rows.json_column(ids), now_ms=tx.now_ms) if ids else []
    notes = rows.as_records(Note, found_notes)
    return NotesFound(notes=tuple(sorted(notes, key=first_told)), unchecked=unchecked)


def index_note(tx: Tx, note: Note) -> None:
    """Record where a note lies. One that ends by time lets those leave the index whose time is up."""
    path_index.index_paths(tx, note.repo_id, "note", note.id, note.paths)
    if note.expires_at_ms is None or not note.paths:
        return
    expired = tx.all(NOTES["expired"], repo_id=note.repo_id, now_ms=tx.now_ms, limit=_EXPIRED_MAX)
    path_index.unindex_paths(tx, [row["id"] for row in expired])
    tx.later(NOTES["expire_later"], repo_id=note.repo_id, expires_at_ms=note.expires_at_ms, id=note.id)


def matching(tx: Tx, repo_id: str, query: str) -> tuple[Note, ...]:
    """Live notes with all the words of the query, else with any of them; or the note of that id."""
    by_id = rows.as_records(Note, tx.all(NOTES["get"], id=query.strip()))
    if here := tuple(note for note in by_id if note.repo_id in (repo_id, ORG)):
        return here  # another repo's is as unknown here as one that nobody wrote
    words = [f'"{word.replace(chr(34), chr(34) * 2)}"' for word in query.split()]
    parameters = {"repo_id": repo_id, "now_ms": tx.now_ms, "limit": _FOUND_MAX, "ranked_max": _RANKED_MAX}
    for joined in dict.fromkeys((" ".join(words), " OR ".join(words))):
        found = tx.all(NOTES["search"], query=joined, **parameters) if words else []
        if found:
            return rows.as_records(Note, found)
    return ()
