"""Policy: a situation completed with what the store knows, decided, and recorded."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.imprints import imprint
from loomstack_mcp.core.events import Alert
from loomstack_mcp.core.limits import BLOCKERS_MAX, PATTERN_CHARS_MAX
from loomstack_mcp.core.patterns.globs import first_overlap
from loomstack_mcp.core.policy.decide import Decision, decide
from loomstack_mcp.core.policy.decision_views import reasons_shown
from loomstack_mcp.core.policy.rules import EvidenceKind, Rulebook
from loomstack_mcp.core.policy.situation import Actor, ClaimFacts, EvidenceFact, Situation
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller, Run
from loomstack_mcp.core.texts import encodable
from loomstack_mcp.services import events, landed, path_index, repos
from loomstack_mcp.services.acting import RUNS, acting_run, lineage
from loomstack_mcp.services.blockers import CLAIMS
from loomstack_mcp.services.claims import held_by
from loomstack_mcp.services.imprints import maker_of
from loomstack_mcp.services.landed import CHANGES
from loomstack_mcp.store import queries, rows
from loomstack_mcp.store.base import Store, Tx

POLICY = queries.statements("policy")

_SUBJECT_PATHS = 20
_KINDS: Mapping[str, EvidenceKind] = {"checker": "tests", "reviewer": "review", "build": "build", "scan": "scan"}
"""Of evidence, by the role that recorded it."""


@dataclass(frozen=True, kw_only=True)
class PolicyResult:
    """A decision, under the id by which it was recorded."""

    id: str
    decision: Decision
    alerts: tuple[Alert, ...] = ()


class PolicyService:
    """Decides, and keeps what it decided. The rules come with the call, read from the trunk by whoever sees git."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def check(self, caller: Caller, run_id: str, book: Rulebook, situation: Situation) -> PolicyResult:
        """Decide an action of the caller's run."""
        with acting_run(self._store, caller, run_id) as (tx, run):
            decision = decide(book, _of_run(tx, run, replace(situation, now_ms=tx.now_ms)))
            recorded = _recorded(tx, run.repo_id, run.id, run.who, situation, decision)
            return PolicyResult(id=recorded, decision=decision, alerts=events.delivered(tx, run.id))

    def judge(
        self,
        checkout: Checkout,
        who: str,
        book: Rulebook,
        situation: Situation,
        *,
        made: Callable[[], Sequence[Change]] = tuple,
    ) -> PolicyResult:
        """Decide a change at a final point, by what the store knows of the runs that made it.

        `made` reads the commits that land: asked where the head is nobody's by its id.
        """
        repo_id = repos.recorded_repo_id(self._store, checkout)
        with self._store.read() as tx:
            makers = _makers(tx, repo_id, situation.head)
        recognised = () if makers else _recognised(self._store, repo_id, made())
        with self._store.write(repo_id) as tx:
            decision = decide(book, _of_change(tx, repo_id, replace(situation, now_ms=tx.now_ms), recognised))
            return PolicyResult(id=_recorded(tx, repo_id, "", who, situation, decision), decision=decision)


def _of_run(tx: Tx, run: Run, situation: Situation) -> Situation:
    """An action of a run, which holds what it and the runs above it hold now."""
    family = lineage(tx, run.id)
    own = [pattern for member in family for claim in held_by(tx, member) for pattern in claim.patterns]
    claims = _claims(tx, run.repo_id, own, family, situation)
    return replace(_by_run(tx, run, situation), claims=claims)


def _makers(tx: Tx, repo_id: str, sha: str) -> tuple[Run, ...]:
    """The run that said to have made a commit."""
    bound = tx.all(CHANGES["bound"], repo_id=repo_id, sha=sha, made_at_ms=tx.now_ms)
    return _runs(tx, [row["run_id"] for row in bound])


def _recognised(store: Store, repo_id: str, made: Sequence[Change]) -> tuple[str, ...]:
    """For each of the commits, but for merges, the run that made it by its content; "" for nobody's."""
    with store.read() as tx:
        makers = [
            maker_of(tx, repo_id, known_by, made_at_ms=change.at_ms, hints=change.hints)
            for change in made
            if (known_by := imprint(change.files)).marks
        ]
    return tuple(maker.run_id if maker else "" for maker in makers)


def _runs(tx: Tx, ids: Collection[str]) -> tuple[Run, ...]:
    return rows.records(Run, tx.all(RUNS["by_ids"], ids=rows.json_column(list(ids))))


def _of_change(tx: Tx, repo_id: str, situation: Situation, recognised: Collection[str]) -> Situation:
    """A change by what is known of the run that made its head, and held for it by that run and those above it.

    They may be over by now, and their claims ended with them. What several made is a loop's, and held by none.
    """
    made = _makers(tx, repo_id, situation.head)
    if not made and (runs := _runs(tx, {run_id for run_id in recognised if run_id})):
        if len(set(recognised)) == 1:
            made = runs
        else:
            names = {name for run in runs for name in (run.principal, run.who, run.loop)}
            actor = replace(situation.actor, kind="loop")
            situation = replace(situation, actor=actor, makers=situation.makers | names)
    family = frozenset(member for run in made for member in lineage(tx, run.id))
    own = [pattern for member in family for pattern in landed.ever_claimed(tx, member)]
    claims = _claims(tx, repo_id, own, family, situation)
    situation = replace(situation, repo=repo_id, claims=claims, evidence=_evidence(tx, repo_id, situation.head))
    return _by_run(tx, made[0], situation) if made else situation


def _by_run(tx: Tx, run: Run, situation: Situation) -> Situation:
    [counted] = tx.all(POLICY["rework"], run_id=run.id)
    actor = Actor(kind="loop", loop=run.loop, developer=run.principal, agent=run.agent, roles=("developer",))
    return replace(
        situation,
        actor=actor,
        repo=run.repo_id,
        rework=int(counted["rework"]),
        retries=max(0, int(counted["attempts"]) - 1),
        work_item=run.finding or None,
        makers=situation.makers | {run.principal, run.who, run.loop},
        evidence=_evidence(tx, run.repo_id, situation.head),
    )


def _evidence(tx: Tx, repo_id: str, head: str) -> tuple[EvidenceFact, ...]:
    """What checkers, reviewers, builds and scans recorded about the head commit."""
    return tuple(
        EvidenceFact(
            kind=_KINDS[row["role"]],
            passed=True,
            by=f"{row['loop']}@{row['principal']}",
            commit=head,
            at_ms=row["recorded_at_ms"],
        )
        for row in (tx.all(POLICY["evidence"], repo_id=repo_id, sha=head) if head else ())
    )


def _claims(tx: Tx, repo_id: str, own: Sequence[str], family: Collection[str], situation: Situation) -> ClaimFacts:
    """What is held of the touched paths, as the repository tells names apart."""
    ignore_case = path_index.folds(tx, repo_id)
    others = _held_by_others(tx, repo_id, family, situation, ignore_case=ignore_case)
    return ClaimFacts(own=tuple(own), others=others, ignore_case=ignore_case)


def _held_by_others(
    tx: Tx, repo_id: str, family: Collection[str], situation: Situation, *, ignore_case: bool
) -> tuple[tuple[str, str, str], ...]:
    """What others hold exclusively of the touched paths: pattern, who, intent."""
    touched = [replace(one, path=encodable(one.path)) for one in situation.touched or ()]
    wanted = [path for one in touched if len(path := one.pattern) <= PATTERN_CHARS_MAX]
    others: list[tuple[str, str, str]] = []
    for page in path_index.overlapping(tx, repo_id, "claim", wanted, ignore_case=ignore_case):
        for row in tx.all(CLAIMS["held_by_ids"], ids=rows.json_column(page)):
            if row["expires_at_ms"] > tx.now_ms and row["mode"] == "exclusive" and row["run_id"] not in family:
                who = f"{row['loop']}@{row['principal']}"
                patterns = _overlapping(wanted, rows.list_column(row["patterns"]), ignore_case=ignore_case)
                others += [(pattern, who, row["intent"]) for pattern in patterns]
        if len(others) >= BLOCKERS_MAX:
            break
    return tuple(others)


def _overlapping(wanted: Sequence[str], patterns: Sequence[str], *, ignore_case: bool) -> list[str]:
    """Those of the patterns that overlap a wanted one."""
    return [pattern for pattern in patterns if first_overlap(wanted, [pattern], ignore_case=ignore_case)]


def _recorded(tx: Tx, repo_id: str, run_id: str, who: str, situation: Situation, decision: Decision) -> str:
    subject = [encodable(one.path) for one in (situation.touched or ())[:_SUBJECT_PATHS]]
    columns = {
        "repo_id": repo_id,
        "run_id": run_id,
        "who": who,
        "point": situation.point,
        "actions": rows.json_column(sorted(situation.actions)),
        "subject": rows.json_column(subject),
        "answer": decision.answer,
        "reasons": rows.json_column(reasons_shown(decision)),
        "policy": decision.policy,
        "decided_at_ms": tx.now_ms,
    }
    drawn = events.drawn("dec", lambda id: tx.run(POLICY["insert"], id=id, **columns))  # noqa: A006
    if decision.answer in ("deny", "require_approval"):
        payload = {"answer": decision.answer, "rules": decision.fired, "point": situation.point}
        events.append(tx, repo_id, "decision.made", about=drawn, run_id=run_id, payload=payload)
    return drawn
