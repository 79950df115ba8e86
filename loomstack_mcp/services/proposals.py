"""A proposed change against the ledger: what it undoes and touches, and which conflicts that makes."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from loomstack_mcp.core.changes.conflicts import Conflict, Intent, Proposal, conflicts
from loomstack_mcp.core.changes.hunks import Change, FileChange
from loomstack_mcp.core.changes.reversals import Reversals, TouchedChange, Undone
from loomstack_mcp.core.changes.verdicts import reversal
from loomstack_mcp.core.limits import NAME_CHARS_MAX
from loomstack_mcp.core.notes import Note
from loomstack_mcp.core.patterns.globs import first_overlap
from loomstack_mcp.core.policy.intents import lost_intents
from loomstack_mcp.core.policy.situation import LostIntent
from loomstack_mcp.core.runs import Run
from loomstack_mcp.core.texts import encodable, redacted
from loomstack_mcp.services import landed, path_index
from loomstack_mcp.services.acting import lineage
from loomstack_mcp.services.notes import NOTES
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Tx

_NOTES_MAX = 200


def conflicts_of(tx: Tx, repo_id: str, proposal: Proposal, *, run: Run | None) -> tuple[Conflict, ...]:
    """The conflicts of the files, the index and HEAD, each landed change once, as it suffers most."""
    family = lineage(tx, run.id) if run else frozenset()
    intent_on = _intents(tx, repo_id, run, family)
    agreed = _agreement(family, proposal.reformatting)

    def intended(one: Undone) -> bool:
        return intent_on(one.change, one.paths) is not None

    mine = _as(proposal.changes, run)
    found: list[Conflict] = []
    for change, (undone, touched) in zip(mine, _compared(tx, repo_id, mine, proposal.history), strict=True):
        taken_back = reversal(change, undone, agreed=agreed, intended=intended) if undone else None
        others = [one for one in touched if one.change.author != change.author and one.change.run not in family]
        found += conflicts(taken_back, others, intent_on=intent_on)
    return _worst_of_each(found)


def undoings_of(tx: Tx, repo_id: str, proposal: Proposal) -> tuple[LostIntent, ...]:
    """The changes made on purpose that it would take back or replace, as the policy asks."""
    intent_on = _intents(tx, repo_id, None, frozenset())
    [mine] = _as(proposal.changes, None)
    [(undone, touched)] = _compared(tx, repo_id, [mine], proposal.history)
    others = [one for one in touched if one.change.author != mine.author]
    return lost_intents(undone, others, intent_on=intent_on, agreed=lambda one: one.same_author)


def _agreement(family: Collection[str], reformatting: Collection[str]) -> Callable[[Undone], bool]:
    """Whether those concerned agree that a landed change is undone: it is the run's own, or layout alone."""

    def agreed(one: Undone) -> bool:
        return one.same_author or one.change.run in family or one.change.sha in reformatting

    return agreed


def _worst_of_each(found: Iterable[Conflict]) -> tuple[Conflict, ...]:
    """For each landed change its first conflict, unless a later one stops and that one only warns."""
    worst: dict[str, Conflict] = {}
    for conflict in found:
        known = worst.get(conflict.sha)
        if known is None or (known.verdict == "warn" and conflict.verdict == "stop"):
            worst[conflict.sha] = conflict
    return tuple(worst.values())


def _as(proposed: Sequence[Change], run: Run | None) -> list[Change]:
    """The changes under the name of whose they are. What the same git identity landed counts with a run's pieces."""
    mine = []
    for change in proposed:
        author = redacted(change.author, chars_max=NAME_CHARS_MAX)
        files = tuple(map(_encodable, change.files))
        if run:
            mine.append(replace(change, author=run.who, account="", run=run.id, also=(author,), files=files))
        else:
            mine.append(replace(change, author=author, files=files))
    return mine


def _compared(
    tx: Tx, repo_id: str, mine: Sequence[Change], history: Sequence[Change]
) -> list[tuple[tuple[Undone, ...], tuple[TouchedChange, ...]]]:
    """My changes against the trails of their files, and of all files of what they undo: I may have undone more."""
    names = {name for change in mine for file in change.files for name in (file.path, file.old_path)}
    while True:
        before = landed.at_paths(tx, repo_id, names)
        # What is generated is neither in the ledger nor in a proposal.
        reversals = Reversals(ignored=lambda _: False, authors=landed.authors(tx, repo_id))
        for bare in history:
            known = before.get(bare.sha)
            reversals.land(replace(known, parents=bare.parents, at_ms=bare.at_ms) if known else bare)
        judged = [reversals.undone_by(change) for change in mine]
        shas = [one.change.sha for undone, _ in judged for one in undone]
        wider = names | landed.paths_of(tx, repo_id, shas)
        if wider == names:
            return judged
        names = wider


def _intents(
    tx: Tx, repo_id: str, run: Run | None, family: frozenset[str]
) -> Callable[[Change, Sequence[str]], Intent | None]:
    """Why a landed change was made on purpose: by what its run claimed for it, or by a live note on the paths."""
    ignore_case = path_index.folds(tx, repo_id)

    def intent_on(change: Change, names: Sequence[str]) -> Intent | None:
        wanted = landed.literals(names)
        if change.run and (claimed := landed.claim_on(tx, change.run, wanted, ignore_case=ignore_case)):
            return claimed
        nearby = path_index.ids_near(tx, repo_id, "note", wanted, limit=_NOTES_MAX) if wanted else []
        for note in rows.records(Note, tx.all(NOTES["by_ids"], ids=rows.json_column(nearby), now_ms=tx.now_ms)):
            own = run is not None and (note.run_id in family or note.author == run.who)
            if note.kind == "intent" and not own and first_overlap(wanted, note.paths, ignore_case=ignore_case):
                return Intent(text=note.text, who=note.author, run=note.run_id or "")
        return None

    return intent_on


def _encodable(file: FileChange) -> FileChange:
    return replace(file, path=encodable(file.path), old_path=encodable(file.old_path))
