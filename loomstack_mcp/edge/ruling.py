"""What the rules say of an agent's next step: asked in the worktree first, and of the store where that decides."""

import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from loomstack_mcp.adapters.git.worktree import Worktree, marked_top
from loomstack_mcp.adapters.git.written import Writes, Written
from loomstack_mcp.adapters.policy import early
from loomstack_mcp.core.clients.arguments import takes_folders
from loomstack_mcp.core.clients.payload import Action
from loomstack_mcp.core.errors import LoomError
from loomstack_mcp.core.limits import SECOND_MS
from loomstack_mcp.core.policy.decide import Decision, decide
from loomstack_mcp.core.policy.digests import bound
from loomstack_mcp.core.policy.pretool import (
    asks_store,
    decision_words,
    edit_patterns,
    has_word,
    is_lasting,
    looks_at_calls,
    speaking_rules,
)
from loomstack_mcp.core.policy.rules import Answer, Rulebook
from loomstack_mcp.core.policy.situation import Actor, ClaimFacts, Situation
from loomstack_mcp.core.records import record
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.edge.bearings import Stand
from loomstack_mcp.edge.steps import cwd_of, worktrees_above
from loomstack_mcp.quick import Quick


@record
class Ruling:
    """What the rules of one worktree say of a step."""

    stand: Stand
    situation: Situation
    answer: Answer
    words: str = ""
    """What an agent is to read; "" where nothing is said."""
    is_lasting: bool = False
    """Whether the same holds until somebody writes to a file that decides it."""
    is_plain: bool = False
    """Whether no rule looks at calls of tools, and none but the built-in ones at shell lines."""
    patterns: tuple[str, ...] | None = None
    """Of the files that its rules on edits are about; None where these may be any."""


def edit_situations(action: Action, here: Worktree | None, writes: Writes) -> Iterator[tuple[Worktree, Situation]]:
    """An edit, or a call of another server's tool, as the rules of each worktree that it meets are asked about it."""
    if here is not None:
        for worktree in (here, *worktrees_above(here, writes)):
            yield worktree, _situation(action, worktree.root, cwd_of(action), action.paths)
    else:
        for written in writes.found.values():
            if paths := _below(action, written):
                root = written.worktree.root
                yield written.worktree, _situation(action, root, root, paths)


def ruling_of(quick: Quick | None, caller: Caller, stand: Stand, situation: Situation) -> Ruling:
    """What the rules say, kept where it is no plain allowance. Raises what the rules raise where they do not load.

    Without a store nobody holds anything and no work went back. Where one does not answer, a refusal holds
    all the same; an allowance that would depend on it raises StoreUnavailable.
    """
    book = stand.rules
    seen = _standing(stand, situation)
    speaking = speaking_rules(book, seen)
    asked = any(asks_store(rule, seen) for rule in speaking)
    decision, approval = decide(book, _by_agent(seen, caller)), ""
    if quick and (asked or has_word(decision)):
        decision, approval = _with_store(quick, caller, stand, book, seen, decision, must=asked)
    outcomes = {reason.outcome for reason in decision.reasons}
    return Ruling(
        stand=stand,
        situation=situation,
        # A rule that only misses a fact would warn of every step that there is.
        answer=decision.answer if "fired" in outcomes else "allow",
        words=decision_words(decision, approval=approval),
        is_lasting=is_lasting(speaking, seen) and "approved" not in outcomes,  # an approval is of one edit alone
        is_plain=not looks_at_calls(book),
        patterns=edit_patterns(book),
    )


def _standing(stand: Stand, situation: Situation) -> Situation:
    """The situation on the branch of a worktree; what is named was held against claims before a rule is asked."""
    is_free = all(one.path for one in situation.touched or ())
    return replace(situation, branch=stand.checkout.branch or None, claims=ClaimFacts() if is_free else None)


def _with_store(
    quick: Quick, caller: Caller, stand: Stand, book: Rulebook, seen: Situation, decision: Decision, *, must: bool
) -> tuple[Decision, str]:
    """The decision as the store makes it; where it does not answer, a refusal that was found without it."""
    try:
        return _kept(quick, caller, stand, book, seen)
    except LoomError:
        if must and decision.answer not in ("deny", "require_approval"):
            raise
        return decision, ""


def broken_rules(caller: Caller, stand: Stand, situation: Situation) -> str:
    """What is said of an edit that was made already, and that a rule would have refused; "" where none would."""
    seen = replace(situation, branch=stand.checkout.branch or None, claims=ClaimFacts())
    decision = decide(stand.rules, _by_agent(seen, caller))
    if decision.answer not in ("deny", "require_approval"):
        return ""
    return f"{decision_words(decision)} This was changed while your line ran: leave it out of your commits."


def _situation(action: Action, root: Path, cwd: Path, paths: Sequence[str]) -> Situation:
    """An edit; or the call of a tool, and an edit of what it writes: of folders only where it takes these along."""
    content = json.dumps(action.arguments, sort_keys=True, ensure_ascii=False)  # a person reads it
    if action.kind == "edit":
        return early.edit(root, cwd, paths, point="pretool", content=content)
    called = early.tool(action.tool, point="pretool", content=content)
    is_wide = bool(paths) and takes_folders(action.tool)
    files = [path for path in paths if is_wide or not os.path.isdir(cwd / path)]  # noqa: PTH112 nor does one too long raise
    if not files:
        return called
    edited = early.edit(root, cwd, files, point="pretool")
    both = replace(edited, actions=called.actions | edited.actions, tool=called.tool)
    return bound(both, content, shown=(*called.shown, *edited.shown[: len(files)]))


def _below(action: Action, written: Written) -> list[str]:
    """Those of an action's files that lie in a repository."""
    tops = set(map(str, written.tops))
    return [path for path in action.paths if marked_top(Path(os.path.realpath(path)).parent) in tops]


def _by_agent(situation: Situation, caller: Caller) -> Situation:
    """By whom and when, as far as it is known without a store."""
    actor = Actor(kind="loop", developer=caller.principal, agent=caller.agent, roles=("developer",))
    return replace(situation, actor=actor, now_ms=round(time.time() * SECOND_MS))


def _kept(quick: Quick, caller: Caller, stand: Stand, book: Rulebook, situation: Situation) -> tuple[Decision, str]:
    """The decision with what the store knows, kept under the run of this agent; and how a person is asked."""
    from loomstack_mcp.core.policy.approvals import approval_advice  # for the few steps that the store is asked about
    from loomstack_mcp.core.policy.facts import completed, facts_query, told_situation

    situation = told_situation(book, situation, lambda: quick.ledger.key(stand.checkout))
    run_id = quick.policy.session_run(caller, stand.checkout)
    facts = quick.policy.facts_of_run(caller, run_id, facts_query(book, situation))
    if not has_word(decision := decide(book, completed(situation, facts))):
        return decision, ""
    result = import_module("loomstack_mcp.edge.deciding").decided_action(quick.policy, caller, run_id, book, situation)
    return result.decision, approval_advice(result.approval, result.refused)
