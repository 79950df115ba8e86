"""A proposed change against the ledger: what it undoes and touches, and which conflicts that makes."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from loomstack_mcp.core.changes.conflict_records import Agreement, Conflict
from loomstack_mcp.core.changes.conflicts import (
    Proposal,
    already_landed,
    conflicts,
    first_own_marks,
    repair_words,
)
from loomstack_mcp.core.changes.hunks import Change, FileChange
from loomstack_mcp.core.changes.reversals import Reversals
from loomstack_mcp.core.changes.undone import TouchedChange, Undone
from loomstack_mcp.core.changes.verdicts import reversal
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.limits import NAME_CHARS_MAX
from loomstack_mcp.core.policy.intents import lost_intents
from loomstack_mcp.core.policy.situation import LostIntent
from loomstack_mcp.core.records import record
from loomstack_mcp.core.runs import Run
from loomstack_mcp.core.texts import encodable, redacted
from loomstack_mcp.services import landed
from loomstack_mcp.services.acting import lineage
from loomstack_mcp.services.agreements import Agreements, told_otherwise
from loomstack_mcp.services.intents import Intents
from loomstack_mcp.services.repeats import repeats_in
from loomstack_mcp.store.base import Tx


@record
class ConflictsFound:
    """What stands against a change, and what would if nobody had agreed."""

    conflicts: tuple[Conflict, ...]
    agreements: tuple[Agreement, ...]
    unchecked: tuple[str, ...]
    repairs: tuple[str, ...] = ()
    """What of it puts back what others had silently taken, in words."""


def conflicts_of(tx: Tx, repo_id: str, proposal: Proposal, *, run: Run | None) -> ConflictsFound:
    """The conflicts of the files, the index and HEAD, each landed change once, as it suffers most."""
    family = lineage(tx, run.id) if run else frozenset()
    mine, pushing = _as(proposal.changes, run), _as(proposal.pushing, run)
    signer = mine[0].signer if mine else ("", "")
    intents = Intents(tx, repo_id, run=run, family=family)
    agreements = Agreements(tx, repo_id, intents, run=run, signer=signer)
    posed = told_otherwise(tx, run)
    agreed = _agreement(family, frozenset(proposal.reformatting), agreements, posed=posed)

    def intended(one: Undone) -> bool:
        return intents.on(one.change, one.paths) is not None

    def is_others(one: TouchedChange) -> bool:
        if (one.same_author and one.change.sha not in posed) or one.change.run in family:
            return False
        return intents.on(one.change, one.paths) is not None and not agreements.cover(one)

    found: list[Conflict] = []
    compared = _compared(tx, repo_id, proposal, mine, proposal.history)
    if pushing:
        compared += _compared(tx, repo_id, proposal, pushing, proposal.pushed)
    for change, (undone, touched) in zip([*mine, *pushing], compared, strict=True):
        taken_back = reversal(change, undone, agreed=agreed, intended=intended) if undone else None
        found += conflicts(taken_back, [one for one in touched if is_others(one)], intent_on=intents.on)
    found += map(already_landed, repeats_in(tx, repo_id, proposal))
    name, account = signer
    worst = tuple(replace(one, signer=name, account=account) for one in _worst_of_each(found))
    stopped = {one.sha for one in worst}
    counted = tuple(one for sha, one in agreements.found.items() if sha not in stopped)
    repairs = dict.fromkeys(repair_words(one) for undone, _ in compared for one in undone if one.repairs)
    return ConflictsFound(
        conflicts=worst, agreements=counted, unchecked=tuple(intents.unchecked), repairs=tuple(repairs)
    )


def undoings_of(tx: Tx, repo_id: str, proposal: Proposal) -> tuple[LostIntent, ...]:
    """The changes made on purpose that it, which is one change, would take back or replace, as the policy asks.

    Raises Invalid for several.
    """
    if not proposal.changes:
        return ()
    if len(proposal.changes) > 1:
        raise Invalid("what would be undone is asked of one change, as it would land; send it as one")
    [mine] = _as(proposal.changes, None)
    intents = Intents(tx, repo_id, run=None, family=frozenset())
    agreements = Agreements(tx, repo_id, intents, run=None, signer=mine.signer)
    [(undone, touched)] = _compared(tx, repo_id, proposal, [mine], proposal.history)
    others = [one for one in touched if not one.same_author and not agreements.cover(one)]
    return lost_intents(
        undone, others, intent_on=intents.on, agreed=lambda one: one.same_author or agreements.cover(one)
    )


def _agreement(
    family: Collection[str], reformatting: Collection[str], agreements: Agreements, *, posed: Collection[str]
) -> Callable[[Undone], bool]:
    """Whether those concerned agree that a landed change is undone: the run's own, layout alone, or they said so.

    `posed` are those changes whose loop the session took the name of, after it had been told as another.
    """

    def agreed(one: Undone) -> bool:
        is_own = (
            (one.same_author and one.change.sha not in posed)
            or one.change.run in family
            or one.change.sha in reformatting
        )
        return is_own or agreements.cover(one)

    return agreed


def _worst_of_each(found: Iterable[Conflict]) -> tuple[Conflict, ...]:
    """For each landed change its first conflict, unless a later one stops and that one only warns.

    Whoever agrees to it agrees to all that suffers: of the files, the index and HEAD together.
    """
    worst: dict[str, Conflict] = {}
    for conflict in found:
        known = worst.get(conflict.sha)
        chosen = conflict if known is None or (known.verdict, conflict.verdict) == ("warn", "stop") else known
        marks = {*conflict.marks, *(known.marks if known else ())}
        own = first_own_marks([*(known.own_marks if known else ()), *conflict.own_marks])
        worst[conflict.sha] = replace(chosen, marks=tuple(sorted(marks)), own_marks=own)
    return tuple(worst.values())


def _as(proposed: Sequence[Change], run: Run | None) -> list[Change]:
    """The changes under the name of whose they are. What the same git identity landed counts with a run's pieces."""
    mine = []
    for change in proposed:
        author = redacted(change.author, chars_max=NAME_CHARS_MAX)
        files = tuple(map(_encodable, change.files))
        if run:
            signed = (author, change.account)
            own = replace(change, author=run.who, account="", signed=signed, run=run.id, also=(author,), files=files)
            mine.append(own)
        else:
            mine.append(replace(change, author=author, files=files))
    return mine


def _compared(
    tx: Tx, repo_id: str, proposal: Proposal, mine: Sequence[Change], history: Sequence[Change]
) -> list[tuple[tuple[Undone, ...], tuple[TouchedChange, ...]]]:
    """My changes against the trails of their files, and of all files of what they undo: I may have undone more."""
    names = _names(mine)
    while True:
        before = landed.at_paths(tx, repo_id, names)
        # What is generated is neither in the ledger nor in a proposal.
        authors = [*landed.authors(tx, repo_id), *proposal.accounts]
        reversals = Reversals(ignored=lambda _: False, authors=authors, window_ms=proposal.window_ms)
        for bare in history:
            known = before.get(bare.sha)
            reversals.land(replace(known, parents=bare.parents, at_ms=bare.at_ms) if known else bare)
        judged = [reversals.undone_by(change) for change in mine]
        shas = [one.change.sha for undone, _ in judged for one in undone]
        wider = names | landed.paths_of(tx, repo_id, shas)
        if wider == names:
            return judged
        names = wider


def _names(changes: Sequence[Change]) -> set[str]:
    return {name for change in changes for file in change.files for name in (file.path, file.old_path)}


def _encodable(file: FileChange) -> FileChange:
    return replace(file, path=encodable(file.path), old_path=encodable(file.old_path))
