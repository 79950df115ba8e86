"""Policy: what the store knows for a decision, and the decision kept where that still holds."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from loomstack_mcp.core.changes.works import Work
from loomstack_mcp.core.claims import Claim
from loomstack_mcp.core.edits import gives_way
from loomstack_mcp.core.events import Alert
from loomstack_mcp.core.limits import BLOCKERS_MAX
from loomstack_mcp.core.patterns.globs import first_overlap
from loomstack_mcp.core.policy.decision_views import DecisionRecord
from loomstack_mcp.core.policy.facts import FactsQuery, PolicyFacts, hold
from loomstack_mcp.core.policy.situation import Actor, ClaimFacts
from loomstack_mcp.core.records import record
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller, Run
from loomstack_mcp.services import events, landed, path_index, repos
from loomstack_mcp.services.acting import RUNS, allowed_run, lineage, named_run, used_run
from loomstack_mcp.services.approvals import asked_approval, granted_facts, use_approvals
from loomstack_mcp.services.blockers import CLAIMS, kin
from loomstack_mcp.services.claims import held_by
from loomstack_mcp.services.evidence import evidence_of
from loomstack_mcp.services.imprints import maker_of
from loomstack_mcp.services.landed import CHANGES
from loomstack_mcp.services.sessions import session_run
from loomstack_mcp.store import queries, rows
from loomstack_mcp.store.base import Store, Tx

POLICY = queries.statements("policy")


@record
class KeptDecision:
    """A decision under the id by which it was kept; or why it was not."""

    id: str = ""
    approval: str = ""
    """The question to people that it asked; "" where it asked none."""
    refused: str = ""
    """That the answer was no, or why nothing could be asked."""
    alerts: tuple[Alert, ...] = ()
    moved: PolicyFacts | None = None
    """What is so now, where it is not what was relied on: nothing was kept, and by this it is to be decided again."""


class PolicyService:
    """Tells what decisions rely on, and keeps what was decided while that holds.

    Whoever sees git decides: the rules are read there, and what they ask of files.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def session_run(self, caller: Caller, checkout: Checkout) -> str:
        """The id of the run that this agent works in. Raises Invalid where no client names a session."""
        repo_id = repos.recorded_repo_id(self._store, checkout)
        with self._store.write(repo_id) as tx:
            return session_run(tx, caller, repo_id, checkout).id

    def facts_of_run(self, caller: Caller, run_id: str, query: FactsQuery) -> PolicyFacts:
        """What is known of an action of the caller's run. Raises what `acting_run` raises."""
        with self._store.read() as tx:
            return _of_run(tx, allowed_run(caller, named_run(tx, caller, run_id), now_ms=tx.now_ms), query)

    def facts_of_change(self, checkout: Checkout, query: FactsQuery) -> PolicyFacts:
        """What is known of a change at a final point, by the runs that made it.

        Those that said to have made its head; where none did, those that its commits are recognised as.
        """
        repo_id = repos.recorded_repo_id(self._store, checkout)
        with self._store.read() as tx:
            return _of_change(tx, repo_id, query)

    def makers_of(self, checkout: Checkout, made: Sequence[Work]) -> tuple[str, ...]:
        """For each of the commits, but for merges, the run that made it by its content; "" for nobody's."""
        with self._store.read() as tx:
            repo_id = repos.repo_id_of(tx, checkout)
            makers = [
                maker_of(tx, repo_id, next(iter(one.shas), ""), one.imprint, made_at_ms=one.at_ms, hints=one.hints)
                for one in made
                if one.imprint.marks
            ]
        return tuple(maker.run_id if maker else "" for maker in makers)

    def keep_of_run(
        self, caller: Caller, query: FactsQuery, relied: PolicyFacts, decided: DecisionRecord
    ) -> KeptDecision:
        """Keep what was decided of an action of the caller's run, by facts that this service told.

        Raises what `acting_run` raises: the run may have ended meanwhile.
        """
        with self._store.write(relied.repo) as tx:  # which is a live run's for good
            run = used_run(tx, caller, allowed_run(caller, named_run(tx, caller, relied.run), now_ms=tx.now_ms))
            now = _of_run(tx, run, query)
            if not _holds(tx, query, relied, now):
                return KeptDecision(moved=now)
            kept = _kept(tx, run.who, query, now, decided, run_id=run.id)
            return replace(kept, alerts=events.delivered(tx, run.id))

    def keep_of_change(
        self, checkout: Checkout, who: str, query: FactsQuery, relied: PolicyFacts, decided: DecisionRecord
    ) -> KeptDecision:
        """Keep what was decided of a change at a final point, by facts that this service told."""
        repo_id = repos.recorded_repo_id(self._store, checkout)
        with self._store.write(repo_id) as tx:
            now = _of_change(tx, repo_id, query)
            if not _holds(tx, query, relied, now):
                return KeptDecision(moved=now)
            return _kept(tx, who, query, now, decided)


def _holds(tx: Tx, query: FactsQuery, relied: PolicyFacts, now: PolicyFacts) -> bool:
    """What was asked of intents is as it was while nothing was said that could change one."""
    if not hold(relied, now):
        return False
    return not (query.asks_intents and tx.all(POLICY["intents_since"], repo_id=now.repo, since=relied.seq))


def _of_run(tx: Tx, run: Run, query: FactsQuery) -> PolicyFacts:
    """An action of a run, which holds what it and the runs above it hold now."""
    facts = _by_run(tx, run, query)
    if not query.wanted:
        return facts
    family = lineage(tx, run.id)
    asked = [claim for member in sorted(family) for claim in held_by(tx, member) if claim.origin == "asked"]
    own = [pattern for claim in asked for pattern in claim.patterns]
    return replace(facts, claims=_claims(tx, run.repo_id, own, family, query.wanted, made=[run]))


def _makers(tx: Tx, repo_id: str, sha: str) -> tuple[Run, ...]:
    """The run that said to have made a commit."""
    bound = tx.all(CHANGES["bound"], repo_id=repo_id, sha=sha, made_at_ms=tx.now_ms)
    return _runs(tx, [row["run_id"] for row in bound])


def _makers_of_any(tx: Tx, repo_id: str, shas: Sequence[str]) -> tuple[Run, ...]:
    """All runs that made some of a change: their people are no second ones to it."""
    bound = tx.all(CHANGES["makers_of_any"], repo_id=repo_id, shas=rows.json_column(shas)) if shas else ()
    return _runs(tx, [row["run_id"] for row in bound])


def _runs(tx: Tx, ids: Collection[str]) -> tuple[Run, ...]:
    return rows.as_records(Run, tx.all(RUNS["by_ids"], ids=rows.json_column(sorted(ids))))


def _of_change(tx: Tx, repo_id: str, query: FactsQuery) -> PolicyFacts:
    """A change by what is known of the run that made its head, and held for it by that run and those above it.

    They may be over by now, and their claims ended with them. What several made is a loop's, and held by none.
    """
    made = _makers(tx, repo_id, query.head)
    several: tuple[Run, ...] = ()
    if not made and (runs := _runs(tx, {run_id for run_id in query.recognised if run_id})):
        if len(set(query.recognised)) == 1:
            made = runs
        else:
            several = runs
    facts = _by_run(tx, made[0], query) if made else _by_nobody(tx, repo_id, several, query)
    facts = replace(facts, makers=tuple(sorted({*facts.makers, *_names(_makers_of_any(tx, repo_id, query.made))})))
    if not query.wanted:
        return facts
    family = frozenset(member for run in made for member in lineage(tx, run.id))
    own = [pattern for member in sorted(family) for pattern in landed.ever_claimed(tx, member)]
    return replace(facts, claims=_claims(tx, repo_id, own, family, query.wanted, made=made))


def _by_nobody(tx: Tx, repo_id: str, several: Sequence[Run], query: FactsQuery) -> PolicyFacts:
    """Of what no run made, or several."""
    return PolicyFacts(
        repo=repo_id,
        now_ms=tx.now_ms,
        seq=path_index.cursor(tx, repo_id),
        is_of_several=bool(several),
        makers=_names(several),
        evidence=evidence_of(tx, repo_id, query.head),
        approvals=granted_facts(tx, repo_id, query),
    )


def _by_run(tx: Tx, run: Run, query: FactsQuery) -> PolicyFacts:
    [counted] = tx.all(POLICY["rework"], run_id=run.id)
    return PolicyFacts(
        repo=run.repo_id,
        now_ms=tx.now_ms,
        seq=path_index.cursor(tx, run.repo_id),
        run=run.id,
        actor=Actor(kind="loop", loop=run.loop, developer=run.principal, agent=run.agent, roles=("developer",)),
        rework=int(counted["rework"]),
        retries=max(0, int(counted["attempts"]) - 1),
        cost_usd=_cost_usd(tx, run.id) if query.asks_cost else None,
        work_item=run.finding or None,
        makers=_names([run]),
        evidence=evidence_of(tx, run.repo_id, query.head),
        approvals=granted_facts(tx, run.repo_id, query, who=run.who, run_id=run.id),
    )


def _cost_usd(tx: Tx, run_id: str) -> float | None:
    from loomstack_mcp.services.usage import family_cost_usd  # what few rules ask

    return family_cost_usd(tx, run_id)


def _names(runs: Sequence[Run]) -> tuple[str, ...]:
    return tuple(sorted({name for run in runs for name in (run.principal, run.who, run.loop)}))


def _claims(
    tx: Tx, repo_id: str, own: Sequence[str], family: Collection[str], wanted: Sequence[str], *, made: Sequence[Run]
) -> ClaimFacts:
    """What is held of the touched paths, as the repository tells names apart."""
    ignore_case = path_index.folds(tx, repo_id)
    others: list[tuple[str, str, str]] = []
    for page in path_index.overlapping(tx, repo_id, "claim", wanted, ignore_case=ignore_case):
        for claim in _held_by_others(tx, page, family, made):
            patterns = _overlapping(wanted, claim.patterns, ignore_case=ignore_case)
            others += [(pattern, claim.who, claim.intent) for pattern in patterns]
        if len(others) >= BLOCKERS_MAX:
            break
    return ClaimFacts(own=tuple(own), others=tuple(others), ignore_case=ignore_case)


def _held_by_others(tx: Tx, page: Sequence[str], family: Collection[str], made: Sequence[Run]) -> list[Claim]:
    """What of these claims others hold exclusively; what sub-agents merely edited is their session's own."""
    claims = rows.as_records(Claim, tx.all(CLAIMS["held_by_ids"], ids=rows.json_column(page)))
    live = [claim for claim in claims if claim.expires_at_ms > tx.now_ms and claim.mode == "exclusive"]
    others = [claim for claim in live if claim.run_id not in family]
    if not any(claim.origin == "auto" for claim in others):
        return others
    below = {run_id for run in made for run_id in kin(tx, run)}
    return [claim for claim in others if not gives_way(claim, below)]


def _overlapping(wanted: Sequence[str], patterns: Sequence[str], *, ignore_case: bool) -> list[str]:
    """Those of the patterns that overlap a wanted one."""
    return [pattern for pattern in patterns if first_overlap(wanted, [pattern], ignore_case=ignore_case)]


def _kept(
    tx: Tx, who: str, query: FactsQuery, facts: PolicyFacts, decided: DecisionRecord, *, run_id: str = ""
) -> KeptDecision:
    """The decision with the question that it asks; what let it through is used."""
    drawn = _recorded(tx, facts, run_id, who, query, decided)
    use_approvals(tx, query, facts, decided)
    asked = asked_approval(tx, query, facts, decided, decision_id=drawn, who=who)
    return KeptDecision(id=drawn, approval=asked.id, refused=asked.refused)


def _recorded(tx: Tx, facts: PolicyFacts, run_id: str, who: str, query: FactsQuery, decided: DecisionRecord) -> str:
    repo_id = facts.repo
    columns = {
        "about_run": facts.run,
        "head": query.head,
        "repo_id": repo_id,
        "run_id": run_id,
        "who": who,
        "point": query.point,
        "actions": rows.json_column(query.actions),
        "subject": rows.json_column(query.subject),
        "answer": decided.answer,
        "reasons": rows.json_column(decided.reasons),
        "policy": decided.policy,
        "decided_at_ms": tx.now_ms,
    }
    drawn = events.drawn("dec", lambda id: tx.run(POLICY["insert"], id=id, **columns))  # noqa: A006
    if decided.answer in ("deny", "require_approval"):
        payload = {"answer": decided.answer, "rules": decided.fired, "point": query.point}
        events.append(tx, repo_id, "decision.made", about=drawn, run_id=run_id, payload=payload)
    return drawn
