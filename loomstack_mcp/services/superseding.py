"""Notes that take the place of others, or agree to a conflict: who may, and who hears of it."""

from loomstack_mcp.core.claims import few_listed
from loomstack_mcp.core.errors import Invalid, LoomError, NotFound
from loomstack_mcp.core.notes import PROTECTING, Note, may_supersede
from loomstack_mcp.core.runs import Run
from loomstack_mcp.services import agreements, events, path_index
from loomstack_mcp.services.acting import RUNS
from loomstack_mcp.services.note_index import NOTES
from loomstack_mcp.services.recipients import live_runs
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Tx

_CONFLICT = "conf_"


def superseding_refusal(tx: Tx, run: Run, draft: Note) -> LoomError | None:
    """Why a run's note may not take the place of the one it names, whose author then hears of the try; else None."""
    if not draft.supersedes or draft.supersedes.startswith(_CONFLICT):
        return None
    old = _superseded(tx, draft)
    if may_supersede(draft, old) and not _plays_two(tx, run, old):
        return None
    wanted = f"{draft.author} wanted to take the place of your {old.kind} {old.id} on {few_listed(old.paths)}"
    text = f"{wanted}; it holds. If it may go: share_context(kind=decision, supersedes={old.id})"
    for other in _side_of(tx, old):
        events.alert(tx, other.id, "contradicted", seq=path_index.cursor(tx, old.repo_id), about=old.id, text=text,
                     who=run.who)  # fmt: skip
    if old.authority != "loop":
        return Invalid(
            f"note {old.id} is a person's ({old.who}); a loop cannot supersede it. "
            "Share yours without supersedes: both are shown"
        )
    return Invalid(
        f"note {old.id} is the {old.kind} of {old.author}: only that loop, from a session of its own, or a person "
        f"supersedes it; nothing was shared. Ask with share_context(to={old.loop}), or keep what it protects"
    )


def supersede(tx: Tx, note: Note, run: Run | None) -> None:
    """The note takes the place of the one it names, or agrees to the conflict; whose it was hears of it.

    Raises NotFound where it is unknown, Invalid where a conflict is for others to agree to.
    """
    if note.supersedes.startswith(_CONFLICT):
        if run is None:
            raise Invalid(f"a person settles it: loomstack-mcp conflicts settle {note.supersedes}")
        agreements.agree_by_note(tx, run, note)
        return
    old = _superseded(tx, note)
    tx.later(NOTES["supersede"], id=old.id, by=note.id)
    path_index.unindex_paths(tx, [old.id])
    if old.kind == "intent" and note.kind == "decision":
        agreements.tell_landers(tx, note, old)
    text = f"{note.id} takes the place of your {old.kind} {old.id}: {note.text[:200]}"
    for other in _side_of(tx, old):
        if other.id != note.run_id:
            events.alert(tx, other.id, "superseded", seq=note.seq, about=note.id, text=text, who=note.author)


def _superseded(tx: Tx, note: Note) -> Note:
    found = rows.as_records(Note, tx.all(NOTES["get"], id=note.supersedes))
    if not found or found[0].repo_id != note.repo_id:
        raise NotFound(f"note {note.supersedes[:100]} is unknown here; nothing was shared")
    return found[0]


def _plays_two(tx: Tx, run: Run, old: Note) -> bool:
    """Whether the session ever ran as another loop: it then cannot speak for the author of a protecting note alone.

    It could take back, as one loop, what keeps the other from an undo. What it said itself is its own.
    """
    if old.kind not in PROTECTING or not run.session:
        return False
    said = rows.as_records(Run, tx.all(RUNS["by_ids"], ids=rows.json_column([old.run_id])))
    if any(one.session == run.session for one in said):
        return False
    loops = tx.all(RUNS["loops_of_session"], principal=run.principal, session=run.session)
    return any(row["loop"] != run.loop for row in loops)


def _side_of(tx: Tx, old: Note) -> tuple[Run, ...]:
    return live_runs(tx, old.repo_id, old.loop, principal=old.who) if old.loop else ()
