"""A push judged before it leaves: what the gate of the trunk will say of it, as far as this clone can tell."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from loomstack_mcp.adapters.git.history import Made, made_since
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.policy import situations
from loomstack_mcp.adapters.user import principal
from loomstack_mcp.core.errors import NotFound
from loomstack_mcp.core.limits import SECOND_MS
from loomstack_mcp.core.policy.situation import Actor, Situation
from loomstack_mcp.edge.bench import Bench
from loomstack_mcp.edge.gate import Judgement, Update, judged_situation
from loomstack_mcp.edge.here import Here, unwatched
from loomstack_mcp.edge.loading import judging_target
from loomstack_mcp.edge.store_facts import StoreFacts
from loomstack_mcp.services.conflicts import ConflictResult

ASKED_MAX = 3
"""Questions to people that one push may ask: each ref's is one of its own, and an inbox holds few."""
_UNASKED = f"was not asked: this push asks of {ASKED_MAX} other refs already; push fewer at once"


def judged_push(here: Here, updates: Iterable[Update], *, by_agent: bool) -> Iterator[tuple[Update, bool, Judgement]]:
    """Each update, by the rules of the trunk, with whether it lands there: what goes to its branch does.

    Raises NotFound where no trunk can be told, PolicyError, StoreUnavailable, Unknown.
    """
    with here.any_repository() as repo:
        trunk = _shared_trunk(repo)
        target = judging_target(repo, here.flags, commit=repo.commit(trunk))
        here.settings = target.settings
        bench = Bench(repo, trunk, target, StoreFacts(here, repo, progress=unwatched), git_only=False)
        asked = 0
        for update in updates:
            lands = update.ref == f"refs/heads/{repo.branch_name(trunk)}"
            found = _pushed(bench, update, lands=lands, by_agent=by_agent, asks=asked < ASKED_MAX)
            asked += found.decision.answer == "require_approval"
            yield update, lands, found


def _shared_trunk(repo: Repository) -> str:
    """The trunk as others have it: what is pushed must not judge itself."""
    trunk = repo.shared_trunk
    if not trunk.startswith("refs/remotes/"):
        raise NotFound("no branch of the remote that changes land on is here to judge it by; git fetch brings it")
    return trunk


def _pushed(bench: Bench, update: Update, *, lands: bool, by_agent: bool, asks: bool) -> Judgement:
    repo, trunk = bench.repo, bench.target_ref
    situation = situations.pushed(repo, update.old, update.new, update.ref, point="pre-push", trunk=trunk, lands=lands)
    made = made_since(repo, repo.commit(trunk), situation.head) if situation.head else ()
    situation = _by_whom(situation, made, by_agent=by_agent)
    found = None
    if lands:
        situation = bench.landing(situation, situation.head)
    if situation.head and bench.asks_store(situation):
        found, situation = _compared(bench, situation, made)
    is_stopped = found is not None and found.verdict == "stop"
    judged = judged_situation(bench, situation, made, is_stopped=is_stopped or not asks)
    if not asks and judged.decision.answer == "require_approval":
        judged = replace(judged, refused=_UNASKED)
    return replace(judged, conflicts=found)


def _compared(bench: Bench, situation: Situation, made: Sequence[Made]) -> tuple[ConflictResult, Situation]:
    """With what it takes back of what has landed, were it to land."""
    after = situations.landing(bench.repo, bench.target_ref, situation.head, point="pre-push")[1].after
    is_unmerged = after == situation.head
    proposal = bench.store.proposal(bench.target_ref, after, situation.head, made, since_fork=is_unmerged)
    return bench.store.conflicts(proposal), replace(situation, undoing=partial(bench.store.undoing, proposal))


def _by_whom(situation: Situation, made: Sequence[Made], *, by_agent: bool) -> Situation:
    """Commits that a run signed are a loop's, whoever pushes them; so the gate has it."""
    is_loops = by_agent or any(commit.runs for commit in made)
    actor = Actor(kind="loop" if is_loops else "human", developer=principal())
    return replace(situation, actor=actor, now_ms=round(time.time() * SECOND_MS))
