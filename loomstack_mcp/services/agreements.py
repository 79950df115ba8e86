"""Who agreed that a landed change goes: its own side by a decision, or a person. Read at each check, and kept."""

from collections.abc import Sequence

from loomstack_mcp.core.changes.conflict_records import Agreement, Conflict
from loomstack_mcp.core.changes.conflicts import hunk_marks
from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.undone import TouchedChange, Undone
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.notes import Note
from loomstack_mcp.core.patterns.globs import first_overlap
from loomstack_mcp.core.runs import Run
from loomstack_mcp.services import events, landed, path_index
from loomstack_mcp.services.acting import RUNS
from loomstack_mcp.services.conflict_states import CONFLICTS, conflict_of_id, end_conflict
from loomstack_mcp.services.intents import Intents
from loomstack_mcp.services.note_index import NOTES
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Row, Tx


class Agreements:
    """What was agreed to, for one proposed change. What counted is kept, to be shown."""

    def __init__(self, tx: Tx, repo_id: str, intents: Intents, *, run: Run | None, signer: tuple[str, str]) -> None:
        """`signer` is who would land it, as git names them: name and account."""
        self._tx = tx
        self._repo_id = repo_id
        self._intents = intents
        self._run = run
        self._signer = signer
        self._ignore_case = path_index.folds(tx, repo_id)
        self.found: dict[str, Agreement] = {}
        """By the landed change that may go."""

    def cover(self, one: Undone | TouchedChange) -> bool:
        """Whether somebody who may agree did: to exactly these hunks of it, or by giving up the intent it had."""
        agreement = self._to_conflict(one) or self._to_intent(one.change, one.paths)
        if agreement:
            self.found[one.change.sha] = agreement
        return agreement is not None

    def _to_conflict(self, one: Undone | TouchedChange) -> Agreement | None:
        sha = one.change.sha
        marks = set(hunk_marks(one.places))
        for row in self._tx.all(CONFLICTS["agreed"], repo_id=self._repo_id, sha=sha, now_ms=self._tx.now_ms):
            if not marks <= set(rows.list_column(row["marks"])) or not self._is_lander(row):
                continue
            if not row["note"]:
                return Agreement(by=row["id"], who=row["agreed_by"], sha=sha, text=row["how"])
            if self._may_be(row["session"]) and not self._intents.has_others(one.paths, holder=row["holder"]):
                return Agreement(by=row["note"], who=row["holder"], sha=sha, text=row["said"])
        return None

    def _to_intent(self, change: Change, names: Sequence[str]) -> Agreement | None:
        """A decision that took the place of the intent, after the change had landed."""
        if not change.run or self._intents.has_others(names, holder=change.author):
            return None
        asked = {"repo_id": self._repo_id, "author": change.author, "now_ms": self._tx.now_ms}
        for row in self._tx.all(NOTES["agreeing"], **asked):
            patterns = rows.list_column(row["patterns"])
            is_later = row["shared_at_ms"] >= change.at_ms
            if is_later and self._may_be(row["session"]) and self._covers(patterns, names):
                who = f"{row['loop']}@{row['who']}" if row["loop"] else row["who"]
                return Agreement(by=row["id"], who=who, sha=change.sha, text=row["text"])
        return None

    def _is_lander(self, row: Row) -> bool:
        """Whether it was agreed with the loop that would land this, as far as one is known: else its content says so.

        Developers whose loops bear one name are told apart by what git has for them.
        """
        if self._run is None:
            return True
        name, account = self._signer
        if account and row["account"]:
            return bool(row["lander"] == self._run.who and account == row["account"])
        return bool(row["lander"] == self._run.who and name == row["signer"])

    def _may_be(self, session: str) -> bool:
        """Nobody agrees with themselves: the session that undoes cannot have said so."""
        return self._run is None or session == "" or session != self._run.session

    def _covers(self, patterns: Sequence[str], names: Sequence[str]) -> bool:
        wanted = landed.literals(names)
        return len(wanted) == len(names) and all(
            first_overlap([one], patterns, ignore_case=self._ignore_case) for one in wanted
        )


def told_otherwise(tx: Tx, run: Run | None) -> frozenset[str]:
    """What the run's session was told as another loop not to take back: it cannot pose as the loop whose that is."""
    if run is None or not run.session:
        return frozenset()
    asked = {"principal": run.principal, "session": run.session, "loop": run.loop}
    return frozenset(row["sha"] for row in tx.all(CONFLICTS["told_otherwise"], **asked))


def agree_by_note(tx: Tx, run: Run, note: Note) -> None:
    """A decision of the holder's loop ends the conflict that it names. Raises Invalid or NotFound where it may not."""
    conflict = conflict_of_id(tx, note.repo_id, note.supersedes)
    if why := _unfit(tx, run, note, conflict):
        raise Invalid(f"{why}; nothing was shared")
    agreed(tx, conflict, by=note.id, how=f"{run.who} agreed ({note.id}): {note.text[:200]}", who=run.who)


def agreed(tx: Tx, conflict: Conflict, *, by: str, how: str, who: str) -> None:
    """The conflict is settled by a note or a person, and both sides hear of it."""
    end_conflict(tx, conflict, "settled", how, agreed_by=by)
    seq = path_index.cursor(tx, conflict.repo_id)
    for run_id in dict.fromkeys((conflict.run_id, conflict.with_run)):
        if run_id:
            events.alert(tx, run_id, "agreed", seq=seq, about=conflict.id, text=how, who=who)


def tell_landers(tx: Tx, note: Note, superseded: Note) -> None:
    """Those whose landing waits for this decision hear that they may look again."""
    opened = tx.all(CONFLICTS["open_of_holder"], repo_id=note.repo_id, holder=superseded.author)
    for conflict in rows.as_records(Conflict, opened):
        text = f"{note.author} decided ({note.id}): {note.text[:200]}. check_conflicts again"
        events.alert(tx, conflict.run_id, "agreed", seq=note.seq, about=conflict.id, text=text, who=note.author)


def _unfit(tx: Tx, run: Run, note: Note, conflict: Conflict) -> str:
    """Why this run's decision cannot end the conflict; "" where it can."""
    person = f"a person can: loomstack-mcp conflicts settle {conflict.id}"
    if conflict.agreed_by:
        return f"{conflict.id} is settled already ({conflict.how})"
    if note.kind != "decision":
        return f"only a decision agrees to {conflict.id}: kind=decision"
    [other] = rows.as_records(Run, tx.all(RUNS["by_ids"], ids=rows.json_column([conflict.run_id])))
    if run.who == conflict.holder == other.who:
        return f"both sides of {conflict.id} are called {run.who}: whose run this is cannot be told; {person}"
    if run.who != conflict.holder:
        return f"{conflict.id} is for {conflict.holder} to agree to, not for {run.who}; {person}"
    if run.session and run.session == other.session:
        return f"{conflict.id} is this session's own: it cannot agree with itself; {person}"
    return ""
