"""Approvals: asked by a decision, answered by people, and used once by the action that they are for."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from loomstack_mcp.core.errors import Invalid, NotFound
from loomstack_mcp.core.limits import APPROVAL_ANSWER_MS, APPROVAL_USE_MS, APPROVALS_OPEN_MAX, SENTENCE_CHARS_MAX
from loomstack_mcp.core.phrases import age, counted
from loomstack_mcp.core.policy.approvals import (
    Approval,
    ApprovalAnswer,
    ApprovalVerdict,
    Approver,
    AskedRule,
    hindrance,
    is_one_asker,
    is_same_question,
    is_whoevers,
    lasts,
    missing,
)
from loomstack_mcp.core.policy.decision_views import DecisionRecord
from loomstack_mcp.core.policy.facts import FactsQuery, PolicyFacts
from loomstack_mcp.core.policy.situation import ApprovalFact
from loomstack_mcp.core.records import record
from loomstack_mcp.core.runs import Run
from loomstack_mcp.core.texts import bounded
from loomstack_mcp.services import events
from loomstack_mcp.services.acting import RUNS
from loomstack_mcp.services.notices import give_notice, settle_notices
from loomstack_mcp.store import queries, rows
from loomstack_mcp.store.base import Row, Store, Tx

APPROVALS = queries.statements("approvals")

_SAME_MAX = 20
"""Earlier questions about one action that are looked at, the newest first."""
_OVERDUE_MAX = 50
"""So many that time has answered are settled at once; the next question settles more."""


@record
class AskedApproval:
    """The question that a decision asked, or found asked."""

    id: str = ""
    refused: str = ""
    """That the answer was no, or why nothing could be asked; "" while it waits."""


class ApprovalService:
    """What waits for people, and their answers."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def waiting(self, repo_id: str, *, limit: int) -> tuple[tuple[Approval, ...], int]:
        """What waits for an answer in a repo, oldest first. And the time."""
        with self._store.read() as tx:
            found = tx.all(APPROVALS["open"], repo_id=repo_id, now_ms=tx.now_ms, limit=limit)
            return tuple(_approval(tx, row) for row in found), tx.now_ms

    def approval(self, approval_id: str) -> tuple[Approval, int]:
        """One, in whatever state; and the time. Raises NotFound."""
        with self._store.read() as tx:
            return _of_id(tx, approval_id), tx.now_ms

    def answer(self, approval_id: str, approver: Approver, verdict: ApprovalVerdict, *, why: str) -> Approval:
        """A person's answer, told to the run that waits. As many as the rules want grant it, one denies it.

        Raises Invalid where it waits for no answer, or not for this person's; NotFound.
        """
        why = bounded("why", why, chars_max=SENTENCE_CHARS_MAX)
        with self._store.write(lambda tx: _of_id(tx, approval_id).repo_id) as tx:
            asked = _of_id(tx, approval_id)
            if problem := _unanswerable(asked, approver, now_ms=tx.now_ms):
                raise Invalid(f"{problem}; nothing was recorded")
            given = ApprovalAnswer(
                who=approver.name,
                called=approver.names,
                roles=approver.roles,
                verdict=verdict,
                why=why,
                answered_at_ms=tx.now_ms,
            )
            columns = rows.row(given)
            listed = {name: rows.json_column(columns[name]) for name in ("called", "roles")}
            tx.later(APPROVALS["answer"], approval_id=asked.id, **{**columns, **listed})
            return _answered(tx, replace(asked, answers=(*asked.answers, given)), given)


def granted_facts(
    tx: Tx, repo_id: str, query: FactsQuery, *, who: str = "", run_id: str = ""
) -> tuple[ApprovalFact, ...]:
    """What people granted for exactly this action of this asker, as far as it was not used up at this point."""
    if not query.digest:
        return ()
    return tuple(
        fact
        for row in tx.all(APPROVALS["of_digest"], repo_id=repo_id, digest=query.digest, limit=_SAME_MAX)
        if row["state"] in ("granted", "used") and tx.now_ms < row["until_ms"] and lasts(row["used_at"], query.point)
        if _is_askers(tx, row, who, run_id)
        for fact in _facts(_approval(tx, row), query)
    )


def asked_approval(
    tx: Tx, query: FactsQuery, facts: PolicyFacts, decided: DecisionRecord, *, decision_id: str, who: str
) -> AskedApproval:
    """The question of a decision that requires an approval: a new one, or the same that waits or was denied."""
    if not (decided.asking and query.digest):
        return AskedApproval(refused=query.unshown if decided.asking else "")
    _settle_overdue(tx, facts.repo)
    known = tx.all(APPROVALS["of_digest"], repo_id=facts.repo, digest=query.digest, limit=_SAME_MAX)
    for approval in (_approval(tx, row) for row in known if _is_askers(tx, row, who, facts.run)):
        is_standing = approval.state in ("asked", "denied") and tx.now_ms < approval.until_ms
        if is_standing and is_same_question(approval, decided.asking):
            return AskedApproval(id=approval.id, refused=_refused(approval))
    [waiting] = tx.all(APPROVALS["waiting_of"], repo_id=facts.repo, who=who)
    if waiting["number"] >= APPROVALS_OPEN_MAX:
        return AskedApproval(refused=f"{counted(waiting['number'], 'question')} of {who} wait already; ask a person")
    return AskedApproval(id=_new(tx, query, facts, decided, decision_id=decision_id, who=who))


def use_approvals(tx: Tx, query: FactsQuery, facts: PolicyFacts, decided: DecisionRecord) -> None:
    """What let the action through has done so at this point."""
    for approval_id in decided.used:
        if tx.run(APPROVALS["use"], id=approval_id, used_at=query.point):
            payload = {"point": query.point}
            events.append(tx, facts.repo, "approval.used", about=approval_id, run_id=facts.run, payload=payload)


def _new(tx: Tx, query: FactsQuery, facts: PolicyFacts, decided: DecisionRecord, *, decision_id: str, who: str) -> str:
    seq = tx.next_seq(facts.repo)
    columns = {
        "repo_id": facts.repo,
        "seq": seq,
        "decision_id": decision_id,
        "run_id": facts.run,
        "who": who,
        "point": query.point,
        "actions": rows.json_column(query.actions),
        "shown": rows.json_column(query.shown),
        "digest": query.digest,
        "head": query.head,
        "rules": rows.json_column([asdict(one) for one in decided.asking]),
        "makers": rows.json_column(decided.makers),
        "asked_at_ms": tx.now_ms,
        "until_ms": tx.now_ms + APPROVAL_ANSWER_MS,
    }
    drawn = events.drawn("apr", lambda id: tx.run(APPROVALS["insert"], id=id, **columns))  # noqa: A006
    payload = {"rules": [one.rule for one in decided.asking], "point": query.point}
    events.append(tx, facts.repo, "approval.asked", about=drawn, run_id=facts.run, payload=payload, seq=seq)
    what = f"{'/'.join(query.actions)} by {who} ({', '.join(one.rule for one in decided.asking)})"
    then = f" waits for a person: loomstack-mcp approve {drawn}"
    give_notice(tx, facts.repo, "approval.asked", about=drawn, run_id=facts.run, text=what, then=then)
    return drawn


def _is_askers(tx: Tx, row: Row, who: str, run_id: str) -> bool:
    """Whether whoever acts now is the one who asked, or it is no matter who does."""
    if row["who"] == who or is_whoevers(rows.list_column(row["actions"])):
        return True
    ids = rows.json_column([row["run_id"], run_id])
    return is_one_asker(rows.as_records(Run, tx.all(RUNS["by_ids"], ids=ids)))


def _facts(approval: Approval, query: FactsQuery) -> tuple[ApprovalFact, ...]:
    """An approval for each rule that it was asked for, by each person who granted it."""
    return tuple(
        ApprovalFact(
            rule=asked.rule,
            by=one.who,
            names=one.called,
            roles=one.roles,
            commit=approval.head,
            digest=query.digest,
            until_ms=approval.until_ms,
            approval=approval.id,
        )
        for asked in approval.rules
        for one in approval.answers
        if one.verdict == "granted"
    )


def _unanswerable(asked: Approval, approver: Approver, *, now_ms: int) -> str:
    """Why this person's answer is none; "" where it is."""
    state = asked.state_at(now_ms)
    if state != "asked":
        by = ", ".join(f"{one.verdict} by {one.who}" for one in asked.answers) or "nobody answered in time"
        return f"{asked.id} is {state} ({by})"
    if any(one.approver.is_same(approver) for one in asked.answers):
        return (
            f"{approver.name} has answered {asked.id} already, and it wants somebody else. On one account a second "
            "person cannot be told, so it stays closed until one answers from an account of their own"
        )
    wrong = [f"{rule.rule} {problem}" for rule in asked.rules if (problem := hindrance(rule, approver, asked.makers))]
    if len(wrong) < len(asked.rules):
        return ""
    return f"{asked.id} is not for {approver.name} to answer: {'; '.join(wrong)}"


def _answered(tx: Tx, asked: Approval, given: ApprovalAnswer) -> Approval:
    """What this answer makes of the question."""
    left = missing(asked)
    if given.verdict == "denied":
        asked = replace(asked, state="denied")
    elif not left:
        asked = replace(asked, state="granted", until_ms=tx.now_ms + APPROVAL_USE_MS)
    tx.later(APPROVALS["settle"], id=asked.id, state=asked.state, until_ms=asked.until_ms)
    if asked.state != "asked":
        settle_notices(tx, asked.id)
    payload = {"verdict": given.verdict, "by": given.who, "state": asked.state}
    seq = events.append(tx, asked.repo_id, "approval.answered", about=asked.id, run_id=asked.run_id, payload=payload)
    if asked.run_id and asked.state != "asked":
        events.alert(tx, asked.run_id, "answered", seq=seq, about=asked.id, text=_told(asked, given), who=given.who)
    return asked


def _told(asked: Approval, given: ApprovalAnswer) -> str:
    what = f"{'/'.join(asked.actions)} ({', '.join(one.rule for one in asked.rules)})"
    then = f"Do exactly that within {age(APPROVAL_USE_MS)}, once" if given.verdict == "granted" else "Do something else"
    return f"{what} was {given.text}. {then}"


def _refused(approval: Approval) -> str:
    denied = next((one for one in approval.answers if one.verdict == "denied"), None)
    if denied is None:
        return ""
    return f"was {denied.text}"


def _settle_overdue(tx: Tx, repo_id: str) -> None:
    """What nobody answered in time is denied, and what nobody used in time holds no more."""
    for row in tx.all(APPROVALS["overdue"], repo_id=repo_id, now_ms=tx.now_ms, limit=_OVERDUE_MAX):
        state = "denied" if row["state"] == "asked" else "expired"
        tx.later(APPROVALS["settle"], id=row["id"], state=state, until_ms=row["until_ms"])
        settle_notices(tx, row["id"])
        payload = {"state": state, "why": "nobody answered" if state == "denied" else "nobody used it"}
        events.append(tx, repo_id, "approval.expired", about=row["id"], run_id=row["run_id"], payload=payload)


def _of_id(tx: Tx, approval_id: str) -> Approval:
    found = tx.all(APPROVALS["get"], id=approval_id)
    if not found:
        raise NotFound(f"there is no approval {approval_id[:100]} in this store; loomstack-mcp inbox lists what waits")
    return _approval(tx, found[0])


def _approval(tx: Tx, row: Row) -> Approval:
    fields: dict[str, Any] = dict(row)
    listed = {name: rows.list_column(row[name]) for name in ("actions", "shown", "makers")}
    rules = tuple(AskedRule(**{**each, "by": tuple(each["by"])}) for each in rows.list_column(row["rules"]))
    answers = tuple(_answer(each) for each in tx.all(APPROVALS["answers"], id=row["id"]))
    return Approval(**{**fields, **listed, "rules": rules, "answers": answers})


def _answer(row: Mapping[str, Any]) -> ApprovalAnswer:
    return ApprovalAnswer(**{**row, "called": rows.list_column(row["called"]), "roles": rows.list_column(row["roles"])})
