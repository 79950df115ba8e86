"""Decisions made where git is seen, by facts of the store, and kept there while those hold."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.works import work_batches, work_of
from loomstack_mcp.core.errors import StoreUnavailable
from loomstack_mcp.core.events import Alert
from loomstack_mcp.core.limits import DECISION_ROUNDS_MAX
from loomstack_mcp.core.policy.decide import Decision, decide
from loomstack_mcp.core.policy.decision_views import DecisionRecord, decision_record
from loomstack_mcp.core.policy.facts import PolicyFacts, completed, facts_query
from loomstack_mcp.core.policy.rules import Rulebook
from loomstack_mcp.core.policy.situation import Situation
from loomstack_mcp.core.records import record
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.services.policy import KeptDecision, PolicyService


@record
class PolicyResult:
    """A decision, under the id by which it was kept."""

    id: str
    decision: Decision
    approval: str = ""
    """The question that it asked of people, `apr_…`; "" where it asked none."""
    refused: str = ""
    """That the answer was no, or why nothing could be asked."""
    alerts: tuple[Alert, ...] = ()


def decided_action(
    policy: PolicyService, caller: Caller, run_id: str, book: Rulebook, situation: Situation
) -> PolicyResult:
    """An action of the caller's run, decided and kept. Raises what `acting_run` and `_settled` raise."""
    query = facts_query(book, situation)
    facts = policy.facts_of_run(caller, run_id, query)
    return _settled(book, situation, facts, lambda relied, record: policy.keep_of_run(caller, query, relied, record))


def decided_change(
    policy: PolicyService,
    checkout: Checkout,
    who: str,
    book: Rulebook,
    situation: Situation,
    *,
    shas: Sequence[str] = (),
    made: Callable[[], Sequence[Change]] = tuple,
    is_stopped: bool = False,
) -> PolicyResult:
    """A change at a final point, decided by what is known of the runs that made it, and kept.

    With `is_stopped` something else stops it: no approval is asked, nor used.
    `shas` are the commits that land, and `made` reads them: asked where the head is nobody's by its id. Raises what
    `_settled` raises.
    """
    query = replace(facts_query(book, situation), made=tuple(shas))
    facts = policy.facts_of_change(checkout, query)
    if not facts.run and (recognised := _recognised(policy, checkout, made())):
        query = replace(query, recognised=recognised)
        facts = policy.facts_of_change(checkout, query)
    return _settled(
        book,
        situation,
        facts,
        lambda relied, record: policy.keep_of_change(checkout, who, query, relied, record),
        is_stopped=is_stopped,
    )


def _recognised(policy: PolicyService, checkout: Checkout, made: Sequence[Change]) -> tuple[str, ...]:
    """For each commit, but for merges, the run that made it by its content; empty where all are nobody's."""
    batches = work_batches(map(work_of, made))
    found = tuple(run_id for batch in batches for run_id in policy.makers_of(checkout, batch))
    return found if any(found) else ()


def _settled(
    book: Rulebook,
    situation: Situation,
    facts: PolicyFacts,
    keep: Callable[[PolicyFacts, DecisionRecord], KeptDecision],
    *,
    is_stopped: bool = False,
) -> PolicyResult:
    """Decided again as long as what it relied on changed before it was kept. Raises StoreUnavailable after some rounds.

    What files tell is found once: the looks of a situation remember it.
    """
    for _ in range(DECISION_ROUNDS_MAX):
        decision = decide(book, completed(situation, facts))
        kept = keep(facts, decision_record(decision, is_stopped=is_stopped))
        if kept.moved is None:
            return PolicyResult(
                id=kept.id, decision=decision, approval=kept.approval, refused=kept.refused, alerts=kept.alerts
            )
        facts = kept.moved
    raise StoreUnavailable(
        f"what the rules ask (claims, evidence, intents) changed {DECISION_ROUNDS_MAX} times while "
        f"{' and '.join(sorted(situation.actions))} was decided, so nothing was decided; ask again"
    )
