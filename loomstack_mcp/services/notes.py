"""Notes: share, contradict, supersede, search."""

from collections.abc import Sequence
from dataclasses import replace

from loomstack_mcp.core.claims import few_listed
from loomstack_mcp.core.limits import EXPIRES_HOURS_MAX, HOUR_MS, NAME_CHARS_MAX, SENTENCE_CHARS_MAX
from loomstack_mcp.core.notes import CONTRADICTABLE, Note, NoteKind, NoteResult, contradicted
from loomstack_mcp.core.repos import ORG, Checkout
from loomstack_mcp.core.runs import Caller, Run
from loomstack_mcp.core.texts import bounded, within
from loomstack_mcp.services import events, path_index, repos, superseding
from loomstack_mcp.services.acting import acting_run
from loomstack_mcp.services.note_index import NOTES, index_note, matching, notes_on
from loomstack_mcp.services.recipients import recipients
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Store, Tx


class NoteService:
    """What runs and people tell one another. Nothing is replaced in silence."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def share(
        self,
        caller: Caller,
        run_id: str,
        *,
        kind: NoteKind,
        text: str,
        patterns: Sequence[str] = (),
        to: str = "",
        expires_hours: int = 0,
        supersedes: str = "",
    ) -> NoteResult:
        """Share a note of the caller's run; says whom it concerns now and what it contradicts.

        `supersedes` is a note that it takes the place of, or a conflict that its decision agrees to. Raises
        Invalid where that is for others to do, who then hear of it, NotFound where it is unknown.
        """
        with acting_run(self._store, caller, run_id) as (tx, run):
            draft = Note(
                id="",
                repo_id=run.repo_id,
                run_id=run.id,
                seq=0,
                kind=kind,
                authority="loop",
                who=run.principal,
                loop=run.loop,
                text=text,
                paths=tuple(patterns),
                addressee=to,
                supersedes=supersedes,
                shared_at_ms=tx.now_ms,
                expires_at_ms=_expiry(tx.now_ms, expires_hours),
            )
            refusal = superseding.superseding_refusal(tx, run, draft)
            if refusal is None:
                return replace(_shared(tx, draft, run), alerts=events.delivered(tx, run.id))
        raise refusal  # after the word to its author was kept

    def add(
        self,
        checkout: Checkout | None,
        *,
        who: str,
        kind: NoteKind,
        text: str,
        patterns: Sequence[str] = (),
        expires_hours: int = 0,
        supersedes: str = "",
    ) -> NoteResult:
        """A person's own note, which comes before what loops say. Without a checkout it holds for every repo."""
        repo_id = repos.recorded_repo_id(self._store, checkout or Checkout(identity=ORG))
        with self._store.write(repo_id) as tx:
            draft = Note(
                id="",
                repo_id=repo_id,
                seq=0,
                kind=kind,
                authority="human",
                who=who,
                text=text,
                paths=tuple(patterns),
                supersedes=supersedes,
                shared_at_ms=tx.now_ms,
                expires_at_ms=_expiry(tx.now_ms, expires_hours),
            )
            return _shared(tx, draft, None)

    def latest(self, repo_id: str, *, limit: int, query: str = "") -> tuple[tuple[Note, ...], int]:
        """The notes that hold in a repo, newest first, or best first those that match a query. And the time.

        Raises Invalid or LimitExceeded for a query that is out of bounds.
        """
        query = bounded("query", query, chars_max=SENTENCE_CHARS_MAX)
        with self._store.read() as tx:
            if query:
                return matching(tx, repo_id, query)[:limit], tx.now_ms
            found = tx.all(NOTES["latest"], repo_id=repo_id, now_ms=tx.now_ms, limit=limit)
            return rows.as_records(Note, found), tx.now_ms


def _shared(tx: Tx, draft: Note, run: Run | None) -> NoteResult:
    draft = replace(
        draft,
        text=bounded("text", draft.text, required=True),
        addressee=bounded("to", draft.addressee, chars_max=NAME_CHARS_MAX),
    )
    path_index.refuse_many_paths(draft.paths)
    ignore_case = path_index.folds(tx, draft.repo_id)
    kinds = CONTRADICTABLE if draft.kind in CONTRADICTABLE else ()
    live = notes_on(tx, draft.repo_id, draft.paths if kinds else (), kinds=kinds, ignore_case=ignore_case)
    clashes = contradicted(draft, live.notes, ignore_case=ignore_case)
    seq = tx.next_seq(draft.repo_id)
    draft = replace(draft, seq=seq, contradicts=tuple(old.id for old in clashes))
    columns = {name: value for name, value in rows.row(draft).items() if name != "id"}
    note = replace(draft, id=events.drawn("note", lambda id: tx.run(NOTES["insert"], id=id, **columns)))  # noqa: A006
    index_note(tx, note)
    payload = {"kind": note.kind, "paths": note.paths, "to": note.addressee, "contradicts": note.contradicts}
    events.append(tx, note.repo_id, "note.shared", about=note.id, run_id=note.run_id or "", payload=payload, seq=seq)
    if note.supersedes:
        superseding.supersede(tx, note, run)
    for old in clashes:
        if old.run_id:
            text = f"{note.id} contradicts your {old.kind} {old.id} on {few_listed(old.paths)}: {note.text[:200]}"
            events.alert(tx, old.run_id, "contradicted", seq=seq, about=note.id, text=text, who=note.author)
    heard = recipients(tx, note)
    unheard = f"no live run of {note.addressee} hears it now; its next run reads it" if note.addressee else ""
    return NoteResult(
        note=note,
        seen_by=heard,
        contradicts=clashes,
        unheard="" if heard else unheard,
        unchecked=live.unchecked,
    )


def _expiry(now_ms: int, hours: int) -> int | None:
    within("expires_hours", hours, least=0, most=EXPIRES_HOURS_MAX)
    return now_ms + hours * HOUR_MS if hours else None
