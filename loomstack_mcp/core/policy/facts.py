"""What a store knows for a decision: what it is asked, and what it answers. The decision is made where git is seen."""

from collections.abc import Callable, Sequence
from dataclasses import field, replace
from hashlib import blake2b

from loomstack_mcp.core.limits import FACTS_HOLD_MS, PATTERN_CHARS_MAX
from loomstack_mcp.core.policy.applies import covered_paths
from loomstack_mcp.core.policy.rules import ActionKind, Point, Rule, Rulebook
from loomstack_mcp.core.policy.situation import Actor, ApprovalFact, ClaimFacts, EvidenceFact, Situation
from loomstack_mcp.core.records import record
from loomstack_mcp.core.texts import encodable

_SUBJECT_PATHS = 20


@record
class FactsQuery:
    """An action, as far as a store is asked about it and keeps it."""

    point: Point
    actions: tuple[ActionKind, ...]
    subject: tuple[str, ...] = ()
    """The first of the touched paths."""
    wanted: tuple[str, ...] = ()
    """The touched paths about whose claims a rule asks, as patterns."""
    head: str = ""
    digest: str = ""
    """Of exactly what is about to happen; "" where no approval can be asked for it."""
    shown: tuple[str, ...] = ()
    """The same for a person who approves it."""
    unshown: str = ""
    """Why there is no digest of what cannot be shown."""
    asks_intents: bool = False
    asks_cost: bool = False
    made: tuple[str, ...] = ()
    """The commits that land, by their ids."""
    recognised: tuple[str, ...] = ()
    """For each commit that lands, but for merges, the run that made it by its content; "" for nobody's."""


@record
class PolicyFacts:
    """What a store knew of an action at an instant."""

    repo: str
    now_ms: int
    seq: int
    """The repo's last event: what happened since may have changed an intent."""
    run: str = ""
    """The run that acts, or made what lands; "" where none is known, or several made it."""
    is_of_several: bool = False
    """Whether several runs made it: that is a loop's, whoever lands it."""
    actor: Actor | None = None
    """None where no run is known."""
    rework: int | None = None
    retries: int | None = None
    cost_usd: float | None = None
    """Where a rule asks it: what the run and those started in it cost; None where that is not wholly known."""
    work_item: str | None = None
    makers: tuple[str, ...] = ()
    evidence: tuple[EvidenceFact, ...] = ()
    approvals: tuple[ApprovalFact, ...] = ()
    """Granted for exactly this, and not used up at this point."""
    claims: ClaimFacts = field(default_factory=ClaimFacts)
    """Near what is `wanted`; nothing where nothing is."""


def facts_query(book: Rulebook, situation: Situation, /) -> FactsQuery:
    """What these rules need to know of an action, whoever turns out to act and whenever: that the facts tell."""
    bound = [rule for rule in book.rules if rule.check and not situation.actions.isdisjoint(rule.on)]
    may_ask = _may_ask(book, situation)
    return FactsQuery(
        point=situation.point,
        actions=tuple(sorted(situation.actions)),
        subject=tuple(encodable(one.path) for one in (situation.touched or ())[:_SUBJECT_PATHS]),
        wanted=_wanted([rule for rule in bound if rule.check and rule.check.claims], situation),
        head=situation.head,
        digest=situation.digest if may_ask else "",
        shown=situation.shown if may_ask else (),
        unshown=situation.unshown,
        asks_intents=any(rule.check and rule.check.intents for rule in bound),
        asks_cost=any(_limits_cost(rule) for rule in bound),
    )


def completed(situation: Situation, facts: PolicyFacts, /) -> Situation:
    """The situation with what the store knows."""
    actor = replace(situation.actor, kind="loop") if facts.is_of_several else situation.actor
    return replace(
        situation,
        now_ms=facts.now_ms,
        repo=facts.repo,
        actor=facts.actor or actor,
        rework=facts.rework,
        retries=facts.retries,
        cost_usd=facts.cost_usd,
        work_item=facts.work_item,
        makers=situation.makers | frozenset(facts.makers),
        evidence=facts.evidence,
        approvals=facts.approvals,
        claims=facts.claims,
    )


def hold(relied: PolicyFacts, now: PolicyFacts, /) -> bool:
    """Whether what a decision relied on is still so, and was asked a moment ago: time decides, too."""
    is_fresh = now.now_ms - relied.now_ms <= FACTS_HOLD_MS
    return is_fresh and replace(now, now_ms=relied.now_ms, seq=relied.seq) == relied


def told_situation(book: Rulebook, situation: Situation, key: Callable[[], bytes], /) -> Situation:
    """The situation as a store is told of it, where an approval may be asked: its digest under the key of the repo.

    Without a key whoever reads the question could confirm what they guess of its text.
    """
    if not facts_query(book, situation).digest:
        return situation
    keyed = blake2b(situation.digest.encode(), key=key(), digest_size=32)
    return replace(situation, digest=f"keyed:{keyed.hexdigest()}")


def _limits_cost(rule: Rule) -> bool:
    return bool(rule.check and rule.check.limits and rule.check.limits.cost_usd_max is not None)


def _may_ask(book: Rulebook, situation: Situation) -> bool:
    """Whether a rule that people may lift applies to somebody, at some time."""
    rules = [rule for rule in book.rules if rule.approve and not situation.actions.isdisjoint(rule.on)]
    return any(covered_paths(rule.where, situation) is not None for rule in rules)


def _wanted(asking: Sequence[Rule], situation: Situation) -> tuple[str, ...]:
    covered = (covered_paths(rule.where, situation) or () for rule in asking)
    patterns = dict.fromkeys(touched.pattern for paths in covered for touched, _ in paths)
    return tuple(pattern for pattern in patterns if len(pattern) <= PATTERN_CHARS_MAX)
