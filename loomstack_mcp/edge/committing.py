"""A commit judged before git makes it: by the rules here, and by what others hold of what is staged."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from loomstack_mcp.adapters.policy import situations
from loomstack_mcp.adapters.settings import has_store
from loomstack_mcp.adapters.user import principal
from loomstack_mcp.core.claims import Blocker
from loomstack_mcp.core.limits import CALLED_PATHS_MAX, SECOND_MS
from loomstack_mcp.core.policy.decide import Decision, decide
from loomstack_mcp.core.policy.facts import told_situation
from loomstack_mcp.core.policy.rules import Rule, Rulebook
from loomstack_mcp.core.policy.situation import Actor, Situation
from loomstack_mcp.core.records import record
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import PROCESS_SESSION, Caller
from loomstack_mcp.edge.deciding import PolicyResult, decided_action
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import Loom, open_loom

_NO_SESSION = f"{PROCESS_SESSION}git"
"""A person at git is none of the sessions that run for them: whoever names none may be any."""


@record
class CommitAnswer:
    """What is said of a commit before it is made."""

    decision: Decision
    approval: str = ""
    """The question that it asked of people, `apr_…`; "" where it asked none."""
    refused: str = ""
    """That the answer was no, or why nothing could be asked."""
    held: tuple[Blocker, ...] = ()
    """What others hold of what is staged."""
    now_ms: int = 0
    unchecked: tuple[str, ...] = ()
    by_agent: bool = False

    @property
    def is_stopped(self) -> bool:
        """Whether git is stopped: an agent by all that is not allowed, a person by what is denied to people."""
        if not self.by_agent:
            return self.decision.answer == "deny"
        return bool(self.held) or self.decision.answer in ("deny", "require_approval")


def judged_staged(here: Here, caller: Caller | None) -> CommitAnswer:
    """What is staged, but for the rules that look at the message, which is not written yet.

    Raises PolicyError, NotFound, StoreUnavailable; Unknown in the middle of a merge.
    """
    book = here.rules.book()
    rules = tuple(rule for rule in book.rules if not _asks_message(rule))
    with here.any_repository() as repo:
        return _judged(here, caller, replace(book, rules=rules), situations.staged(repo))


def judged_message(here: Here, caller: Caller | None, text: str) -> CommitAnswer | None:
    """The message, by the rules that look at one; None where none does. Raises as `judged_staged`."""
    book = here.rules.book()
    asking = tuple(rule for rule in book.rules if _asks_message(rule) and "commit" in rule.on)
    if not asking:
        return None
    with here.any_repository() as repo:
        found = situations.message(repo, text)
        return _judged(here, caller, replace(book, rules=asking), found)


def _asks_message(rule: Rule) -> bool:
    return rule.check is not None and rule.check.message is not None


def _judged(here: Here, caller: Caller | None, book: Rulebook, situation: Situation) -> CommitAnswer:
    paths = tuple(dict.fromkeys(one.path for one in situation.touched or ()))
    with _opened(here) as loom:
        if loom is None:
            return CommitAnswer(
                decision=decide(book, _by(caller, here, situation)),
                by_agent=caller is not None,
                unchecked=("what others hold: there is no store here yet",) if caller else (),
            )
        checkout = here.checkout()
        held, now_ms = _held_by_others(
            loom, caller or Caller(principal=principal(), session=_NO_SESSION), checkout, paths
        )
        if caller is None or not caller.session:
            found = PolicyResult(id="", decision=decide(book, _by(caller, here, situation)))
        else:
            run_id = loom.commits.committing_run(caller, checkout, paths[:CALLED_PATHS_MAX])
            situation = told_situation(book, situation, lambda: loom.ledger.key(checkout))
            found = decided_action(loom.policy, caller, run_id, book, situation)
        return CommitAnswer(
            decision=found.decision,
            approval=found.approval,
            refused=found.refused,
            held=held,
            now_ms=now_ms,
            by_agent=caller is not None,
        )


def _held_by_others(
    loom: Loom, caller: Caller, checkout: Checkout, paths: Sequence[str]
) -> tuple[tuple[Blocker, ...], int]:
    """Of all of these, in as many calls as that takes."""
    found, now_ms = dict[str, Blocker](), 0
    for at in range(0, max(1, len(paths)), CALLED_PATHS_MAX):
        some, now_ms = loom.commits.held_by_others(caller, checkout, paths[at : at + CALLED_PATHS_MAX])
        found |= {one.claim: one for one in some}
    return tuple(found.values()), now_ms


def _by(caller: Caller | None, here: Here, situation: Situation) -> Situation:
    """Without a run: by a person under their account, or by an agent of whom no more is known."""
    actor = Actor(kind="agent" if caller else "human", developer=principal())
    return replace(situation, actor=actor, repo=here.checkout().identity, now_ms=round(time.time() * SECOND_MS))


@contextmanager
def _opened(here: Here) -> Iterator[Loom | None]:
    if not has_store(here.settings):
        yield None
        return
    with open_loom(here.settings) as loom:
        yield loom
