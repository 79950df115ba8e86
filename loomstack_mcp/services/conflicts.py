"""Conflicts: what a run's change would take back of what has landed; found, told, and settled."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from loomstack_mcp.core.changes.conflict_records import Agreement, Conflict, ConflictState, Intent, Verdict
from loomstack_mcp.core.changes.conflicts import Proposal, agreement_words, strictest_verdict
from loomstack_mcp.core.claims import few_listed
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.events import Alert
from loomstack_mcp.core.limits import SECOND_MS, SENTENCE_CHARS_MAX
from loomstack_mcp.core.policy.situation import LostIntent
from loomstack_mcp.core.records import record
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller, Run
from loomstack_mcp.core.texts import bounded
from loomstack_mcp.services import events, landed, repos
from loomstack_mcp.services.acting import acting_run, allowed_run, named_run
from loomstack_mcp.services.agreements import agreed
from loomstack_mcp.services.conflict_states import CONFLICTS, conflict_of_id, end_conflict, open_conflicts
from loomstack_mcp.services.line_keys import refuse_other_key
from loomstack_mcp.services.notices import give_notice
from loomstack_mcp.services.proposals import ConflictsFound, conflicts_of, undoings_of
from loomstack_mcp.services.recipients import live_runs
from loomstack_mcp.services.starts import run_of_id
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Store, Tx


@record
class ConflictResult:
    """What stands between a change and landing."""

    verdict: Verdict
    conflicts: tuple[Conflict, ...]
    target: str
    changes: int
    """How many landed changes it was compared with."""
    ms: int
    unchecked: tuple[str, ...] = ()
    agreements: tuple[Agreement, ...] = ()
    """By whose word some of what goes may go."""
    now_ms: int
    alerts: tuple[Alert, ...] = ()
    repairs: tuple[str, ...] = ()
    """What of it puts back what others had silently taken, in words."""
    files: int
    """How many files of the change were compared."""

    @property
    def nothing(self) -> str:
        """Why nothing was compared, in words; "" where something was."""
        if not self.changes:
            return f"no change landed on {self.target} in the time that is looked at"
        return "" if self.files else f"nothing that counts would land on {self.target}"


class ConflictService:
    """A proposed change against the ledger. It compares hashes, and needs no declaration of anybody."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def check(self, checkout: Checkout, proposal: Proposal, *, run_id: str = "") -> ConflictResult:
        """What a person's change would take back, or touch in its intent; or a run's. Nothing is recorded.

        Raises NotFound for a run that is unknown, StoreUnavailable where the repo has got another key meanwhile.
        """
        began = time.monotonic()
        with self._store.read() as tx:
            run = run_of_id(tx, run_id) if run_id else None
            found = conflicts_of(tx, _repo_id(tx, checkout, proposal), proposal, run=run)
            return _result(found, proposal, began, tx.now_ms)

    def check_run(self, caller: Caller, run_id: str, proposal: Proposal) -> ConflictResult:
        """The same for the caller's run. What is new is recorded, and the other side told; what is gone is settled.

        Raises what `acting_run` and `check` raise.
        """
        began = time.monotonic()
        with self._store.read() as tx:
            run = allowed_run(caller, named_run(tx, caller, run_id), now_ms=tx.now_ms)
            refuse_other_key(tx, run.repo_id, proposal.key_name)
            found = conflicts_of(tx, run.repo_id, proposal, run=run)
        with acting_run(self._store, caller, run.id) as (tx, run):
            told = replace(found, conflicts=tuple(_recorded(tx, run, found)))
            result = _result(told, proposal, began, tx.now_ms)
            return replace(result, alerts=events.delivered(tx, run.id))

    def undoing(self, checkout: Checkout, proposal: Proposal) -> tuple[LostIntent, ...]:
        """Which changes made on purpose it would take back or replace, as the policy asks."""
        with self._store.read() as tx:
            return undoings_of(tx, _repo_id(tx, checkout, proposal), proposal)

    def intent_on(self, checkout: Checkout, sha: str, paths: Sequence[str]) -> Intent | None:
        """Why a landed change was made where it is taken back, as the claim of its run said; None: unknown."""
        with self._store.read() as tx:
            repo_id = repos.repo_id_of(tx, checkout)
            return landed.claimed_intent(tx, repo_id, sha, paths)

    def settle(self, checkout: Checkout, conflict_id: str, *, who: str, why: str = "") -> Conflict:
        """A person agrees to exactly this loss, and both sides hear of it; returns the conflict as it was.

        Raises NotFound where it is unknown here, Invalid where somebody agreed already.
        """
        why = bounded("why", why, chars_max=SENTENCE_CHARS_MAX)
        repo_id = repos.recorded_repo_id(self._store, checkout)
        with self._store.write(repo_id) as tx:
            conflict = conflict_of_id(tx, repo_id, conflict_id)
            if conflict.agreed_by:
                raise Invalid(f"{conflict.id} is settled already: {conflict.how}")
            how = f"settled by {who}" + (f": {why}" if why else "")
            agreed(tx, conflict, by=who, how=how, who=who)
            return conflict

    def open(self, repo_id: str, *, limit: int, verdict: Verdict | None = None) -> tuple[tuple[Conflict, ...], int]:
        """A repo's conflicts that are neither settled nor void, newest first: all, or of a verdict; and the time."""
        with self._store.read() as tx:
            return open_conflicts(tx, repo_id, limit=limit, verdict=verdict), tx.now_ms

    def latest(
        self, repo_id: str, *, limit: int, before: str = "", state: ConflictState | None = None
    ) -> tuple[tuple[Conflict, ...], int]:
        """The conflicts of a repo in whatever state, or in one, newest first; or those before the one of an id.

        And the time. Raises NotFound where the repo has none of that id.
        """
        with self._store.read() as tx:
            asked = {"repo_id": repo_id, "state": state or "", "limit": limit}
            if not before:
                return rows.as_records(Conflict, tx.all(CONFLICTS["latest"], **asked)), tx.now_ms
            place = {"before": before, "before_ms": conflict_of_id(tx, repo_id, before).found_at_ms}
            return rows.as_records(Conflict, tx.all(CONFLICTS["before"], **asked, **place)), tx.now_ms


def _repo_id(tx: Tx, checkout: Checkout, proposal: Proposal) -> str:
    """Of the checkout. Raises StoreUnavailable where its lines have another key than those of the proposal."""
    repo_id = repos.repo_id_of(tx, checkout)
    refuse_other_key(tx, repo_id, proposal.key_name)
    return repo_id


def _result(found: ConflictsFound, proposal: Proposal, began: float, now_ms: int) -> ConflictResult:
    unchecked = (*proposal.unchecked, *found.unchecked)
    return ConflictResult(
        verdict=strictest_verdict(found.conflicts, unchecked=unchecked),
        conflicts=found.conflicts,
        target=proposal.target,
        changes=len(proposal.history),
        ms=round((time.monotonic() - began) * SECOND_MS),
        unchecked=unchecked,
        agreements=found.agreements,
        repairs=found.repairs,
        now_ms=now_ms,
        files=len({file.path for change in proposal.changes for file in change.files}),
    )


def _recorded(tx: Tx, run: Run, found: ConflictsFound) -> list[Conflict]:
    """Those found, with their ids: new ones are told to the other side, and open ones that are gone are settled.

    Work that landed already is the caller's own business: it has no id, and nobody is told.
    """
    known = {(old.sha, old.kind): old for old in rows.as_records(Conflict, tx.all(CONFLICTS["of_run"], run_id=run.id))}
    told = []
    for conflict in found.conflicts:
        if conflict.kind == "already_landed":
            told.append(conflict)
            continue
        old = known.pop((conflict.sha, conflict.kind), None)
        if old is None:
            told.append(_opened(tx, run, conflict))
            continue
        now = replace(
            conflict, id=old.id, repo_id=old.repo_id, run_id=old.run_id, seq=old.seq, found_at_ms=old.found_at_ms
        )
        columns = rows.row(now)
        tx.later(CONFLICTS["update"], **{name: columns[name] for name in _CHANGING})
        told.append(now)
    agreements = {one.sha: f"{one.who} agreed ({one.by})" for one in found.agreements}
    for gone in known.values():
        end_conflict(tx, gone, "settled", agreements.get(gone.sha, "no longer in the change"))
    return told


def _opened(tx: Tx, run: Run, found: Conflict) -> Conflict:
    seq = tx.next_seq(run.repo_id)
    draft = replace(found, repo_id=run.repo_id, run_id=run.id, seq=seq, found_at_ms=tx.now_ms)
    columns = {name: value for name, value in rows.row(draft).items() if name not in _LATER}
    draft = replace(draft, id=events.drawn("conf", lambda id: tx.run(CONFLICTS["insert"], id=id, **columns)))  # noqa: A006
    payload = {"kind": draft.kind, "verdict": draft.verdict, "commit": draft.sha, "paths": draft.paths}
    events.append(tx, run.repo_id, "conflict.found", about=draft.id, run_id=run.id, payload=payload, seq=seq)
    if draft.verdict == "stop":
        text = f"{run.id} ({run.who}) would take back {draft.sha[:10]} of {draft.who} in {few_listed(draft.paths)}"
        then = f"; loomstack-mcp why {draft.id}"
        give_notice(tx, run.repo_id, "conflict.stopped", about=draft.id, run_id=run.id, text=text, then=then)
    verb = "would touch" if draft.kind == "intent" else "would take back"
    for other in _concerned(tx, draft):
        what = f"your {draft.sha[:10]}" if other.who == draft.who else draft.sha[:10]
        text = f"{run.who} {verb} {what} in {few_listed(draft.paths)}; {agreement_words(draft)}"
        events.alert(tx, other.id, "conflict", seq=seq, about=draft.id, text=text, who=run.who)
    return draft


def _concerned(tx: Tx, conflict: Conflict) -> Iterator[Run]:
    """The live runs of the loops that made the other change, and that may agree: a loop's next run is as concerned."""
    for side in dict.fromkeys((conflict.who, conflict.holder)):
        loop, _, principal = side.rpartition("@")
        for run in live_runs(tx, conflict.repo_id, loop, principal=principal) if loop else ():
            if run.id != conflict.run_id:
                yield run


_LATER = ("id", "state", "how", "agreed_by")
_CHANGING = (
    *("id", "kind", "verdict", "paths", "intent", "evidence", "marks", "own_marks", "holder", "signer", "account"),
)
