"""Conflicts: what a run's change would take back of what has landed; found, told, and settled."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from loomstack_mcp.core.changes.conflicts import Conflict, Intent, Proposal, conflicts, strictest_verdict
from loomstack_mcp.core.changes.hunks import Change, FileChange
from loomstack_mcp.core.changes.reversals import Reversals, TouchedChange, Undone
from loomstack_mcp.core.changes.verdicts import Verdict, reversal
from loomstack_mcp.core.claims import few_listed
from loomstack_mcp.core.events import Alert
from loomstack_mcp.core.limits import NAME_CHARS_MAX, SECOND_MS
from loomstack_mcp.core.notes import Note
from loomstack_mcp.core.patterns.globs import first_overlap
from loomstack_mcp.core.policy.intents import lost_intents
from loomstack_mcp.core.policy.situation import LostIntent
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller, Run
from loomstack_mcp.core.texts import encodable, redacted
from loomstack_mcp.services import events, ledger, path_index, repos
from loomstack_mcp.services.acting import RUNS, allowed, entered, lineage, named
from loomstack_mcp.services.notes import NOTES
from loomstack_mcp.store import queries, rows
from loomstack_mcp.store.base import Store, Tx

CONFLICTS = queries.load("conflicts")

_NOTES_MAX = 200


@dataclass(frozen=True, kw_only=True)
class ConflictResult:
    """What stands between a change and landing."""

    verdict: Verdict
    conflicts: tuple[Conflict, ...]
    target: str
    changes: int
    """How many landed changes it was compared with."""
    ms: int
    unchecked: tuple[str, ...] = ()
    now_ms: int
    alerts: tuple[Alert, ...] = ()


class ConflictService:
    """A proposed change against the ledger. It compares hashes, and needs no declaration of anybody."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def check(self, checkout: Checkout, proposal: Proposal) -> ConflictResult:
        """What a person's change would take back, or touch in its intent. Nothing is recorded."""
        began = time.monotonic()
        with self._store.read() as tx:
            found = _found(tx, repos.found(tx, checkout), proposal, run=None)
            return _result(found, proposal, began, tx.now_ms)

    def check_run(self, caller: Caller, run_id: str, proposal: Proposal) -> ConflictResult:
        """The same for the caller's run. What is new is recorded, and the other side told; what is gone is settled."""
        began = time.monotonic()
        with self._store.read() as tx:
            run = allowed(caller, named(tx, caller, run_id), now_ms=tx.now_ms)
            found = _found(tx, run.repo_id, proposal, run=run)
        with entered(self._store, caller, run.id) as (tx, run):
            result = _result(_recorded(tx, run, found), proposal, began, tx.now_ms)
            return replace(result, alerts=events.delivered(tx, run.id))

    def undoing(self, checkout: Checkout, proposal: Proposal) -> tuple[LostIntent, ...]:
        """Which changes made on purpose it would take back or replace, as the policy asks."""
        with self._store.read() as tx:
            repo_id = repos.found(tx, checkout)
            intent_on = _intents(tx, repo_id, None, frozenset())
            [mine] = _as(proposal.changes, None)
            [(undone, touched)] = _judged(tx, repo_id, [mine], proposal.history)
            others = [one for one in touched if one.change.author != mine.author]
            return lost_intents(undone, others, intent_on=intent_on, agreed=lambda one: one.same_author)

    def open(self, repo_id: str, *, limit: int) -> tuple[tuple[Conflict, ...], int]:
        """The conflicts of a repo that are neither settled nor void, newest first. And the time."""
        with self._store.read() as tx:
            return open_in(tx, repo_id, limit=limit), tx.now_ms


def open_in(tx: Tx, repo_id: str, *, limit: int) -> tuple[Conflict, ...]:
    return rows.records(Conflict, tx.all(CONFLICTS["open"], repo_id=repo_id, limit=limit))


def void(tx: Tx, run: Run, how: str) -> None:
    """The run is over: what it would have changed is nobody's any more."""
    for conflict in rows.records(Conflict, tx.all(CONFLICTS["of_run"], run_id=run.id)):
        _end(tx, conflict, "void", how)


def _result(found: Sequence[Conflict], proposal: Proposal, began: float, now_ms: int) -> ConflictResult:
    return ConflictResult(
        verdict=strictest_verdict(found, unchecked=proposal.unchecked),
        conflicts=tuple(found),
        target=proposal.target,
        changes=len(proposal.history),
        ms=round((time.monotonic() - began) * SECOND_MS),
        unchecked=proposal.unchecked,
        now_ms=now_ms,
    )


def _found(tx: Tx, repo_id: str, proposal: Proposal, *, run: Run | None) -> tuple[Conflict, ...]:
    """The conflicts of the files, the index and HEAD, each landed change once, as it suffers most."""
    family = lineage(tx, run.id) if run else frozenset()
    intent_on = _intents(tx, repo_id, run, family)
    mine = _as(proposal.changes, run)
    worst: dict[str, Conflict] = {}
    for change, (undone, touched) in zip(mine, _judged(tx, repo_id, mine, proposal.history), strict=True):
        judged = reversal(
            change,
            undone,
            agreed=lambda one: (
                one.same_author or one.change.run in family or one.change.sha in proposal.reformatting
            ),
            intended=lambda one: intent_on(one.change, one.paths) is not None,
        ) if undone else None  # fmt: skip
        others = [one for one in touched if one.change.author != change.author and one.change.run not in family]
        for conflict in conflicts(judged, others, intent_on=intent_on):
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
        named = replace(change, author=run.who, account="", run=run.id, also=(author,)) if run else change
        mine.append(replace(named, author=named.author if run else author, files=files))
    return mine


def _judged(
    tx: Tx, repo_id: str, mine: Sequence[Change], history: Sequence[Change]
) -> list[tuple[tuple[Undone, ...], tuple[TouchedChange, ...]]]:
    """My changes against the trails of their files, and of all files of what they undo: I may have undone more."""
    names = {name for change in mine for file in change.files for name in (file.path, file.old_path)}
    while True:
        landed = ledger.at_paths(tx, repo_id, names)
        # What is generated is neither in the ledger nor in a proposal.
        reversals = Reversals(ignored=lambda _: False, authors=ledger.authors(tx, repo_id))
        for bare in history:
            known = landed.get(bare.sha)
            reversals.land(replace(known, parents=bare.parents, at_ms=bare.at_ms) if known else bare)
        judged = [reversals.undone_by(change) for change in mine]
        shas = [one.change.sha for undone, _ in judged for one in undone]
        wider = names | ledger.paths_of(tx, repo_id, shas)
        if wider == names:
            return judged
        names = wider


def _intents(
    tx: Tx, repo_id: str, run: Run | None, family: frozenset[str]
) -> Callable[[Change, Sequence[str]], Intent | None]:
    """Why a landed change was made on purpose: by what its run claimed for it, or by a live note on the paths."""
    ignore_case = path_index.folds(tx, repo_id)

    def intent_on(landed: Change, names: Sequence[str]) -> Intent | None:
        wanted = ledger.literals(names)
        if landed.run and (claimed := ledger.claim_on(tx, landed.run, wanted, ignore_case=ignore_case)):
            return claimed
        nearby = path_index.near(tx, repo_id, "note", wanted, limit=_NOTES_MAX) if wanted else []
        for note in rows.records(Note, tx.all(NOTES["by_ids"], ids=rows.text(nearby), now_ms=tx.now_ms)):
            own = run is not None and (note.run_id in family or note.author == run.who)
            if note.kind == "intent" and not own and first_overlap(wanted, note.paths, ignore_case=ignore_case):
                return Intent(text=note.text, who=note.author, run=note.run_id or "")
        return None

    return intent_on


def _recorded(tx: Tx, run: Run, found: Sequence[Conflict]) -> list[Conflict]:
    """Those found, with their ids: new ones are told to the other side, and open ones that are gone are settled."""
    known = {(old.sha, old.kind): old for old in rows.records(Conflict, tx.all(CONFLICTS["of_run"], run_id=run.id))}
    told = []
    for conflict in found:
        old = known.pop((conflict.sha, conflict.kind), None)
        if old is None:
            told.append(_opened(tx, run, conflict))
            continue
        now = replace(conflict, id=old.id, repo_id=old.repo_id, run_id=old.run_id, seq=old.seq)
        columns = rows.row(now)
        tx.run(CONFLICTS["update"], **{name: columns[name] for name in _CHANGING})
        told.append(now)
    for gone in known.values():
        _end(tx, gone, "settled", "no longer in the change")
    return told


def _opened(tx: Tx, run: Run, found: Conflict) -> Conflict:
    seq = events.next_seq(tx, run.repo_id)
    draft = replace(found, repo_id=run.repo_id, run_id=run.id, seq=seq, found_at_ms=tx.now_ms)
    columns = {name: value for name, value in rows.row(draft).items() if name not in ("id", "state", "how")}
    draft = replace(draft, id=events.drawn("conf", lambda id: tx.run(CONFLICTS["insert"], id=id, **columns)))  # noqa: A006
    payload = {"kind": draft.kind, "verdict": draft.verdict, "commit": draft.sha, "paths": draft.paths}
    events.append(tx, run.repo_id, "conflict.found", about=draft.id, run_id=run.id, payload=payload, seq=seq)
    if any(
        other.state == "live" for other in rows.records(Run, tx.all(RUNS["by_ids"], ids=rows.text([draft.with_run])))
    ):
        verb = "would touch" if draft.kind == "intent" else "would take back"
        where = few_listed(draft.paths)
        text = f"{run.who} {verb} your {draft.sha[:10]} in {where}; share_context(to={run.id}) reaches it"
        events.alert(tx, draft.with_run, "conflict", seq=seq, about=draft.id, text=text, who=run.who)
    return draft


def _end(tx: Tx, conflict: Conflict, state: Literal["settled", "void"], how: str) -> None:
    tx.run(CONFLICTS["end"], id=conflict.id, state=state, how=how, now_ms=tx.now_ms)
    payload = {"state": state, "how": how}
    events.append(tx, conflict.repo_id, "conflict.ended", about=conflict.id, run_id=conflict.run_id, payload=payload)


def _encodable(file: FileChange) -> FileChange:
    return replace(file, path=encodable(file.path), old_path=encodable(file.old_path))


_CHANGING = ("id", "kind", "verdict", "paths", "intent", "evidence")
