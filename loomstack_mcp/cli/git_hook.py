"""Git's hooks that may stop git: `loomstack-hook git NAME` hands these on, which need more than a hook may load."""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from loomstack_mcp.adapters.client_shell import shell_caller
from loomstack_mcp.adapters.git.messages import message_text
from loomstack_mcp.adapters.install.git_hooks import REFUSED
from loomstack_mcp.adapters.system import current_folder
from loomstack_mcp.cli.output import harmless
from loomstack_mcp.core.changes.conflicts import conflict_advice, conflict_words
from loomstack_mcp.core.changes.trailers import said_message
from loomstack_mcp.core.edits import refused_edit
from loomstack_mcp.core.errors import LoomError
from loomstack_mcp.core.policy.decide import Decision
from loomstack_mcp.core.policy.decision_views import reasons_shown
from loomstack_mcp.core.policy.violations import Unknown
from loomstack_mcp.edge.gate import Judgement, Update
from loomstack_mcp.edge.here import Here

_STDIN_BYTES_MAX = 10_000_000
_REASONS_MAX = 5


def judged_git_hook(name: str, given: Sequence[str]) -> int:
    """Judge what git is about to do; REFUSED stops it, and what cannot be judged here goes on, for others decide."""
    here = Here(current_folder(), {}, elsewhere="go to a worktree")
    try:
        lines, is_stopped = _ANSWERS[name](here, given)
    except (LoomError, Unknown, OSError) as error:
        why = f"{error.code}: {error}" if isinstance(error, LoomError) else str(error)
        print(f"loomstack: {name} did not check this: {harmless(why)}", file=sys.stderr)
        return 0
    for line in lines:
        print(f"loomstack: {harmless(line)}", file=sys.stderr)
    return REFUSED if is_stopped else 0


_Answer = tuple[list[str], bool]


def _staged(here: Here, _: Sequence[str]) -> _Answer:
    from loomstack_mcp.edge.committing import judged_staged

    answer = judged_staged(here, shell_caller(os.environ))
    held = [refused_edit(answer.held, now_ms=answer.now_ms)] if answer.held else []
    unchecked = [f"not checked: {what}" for what in answer.unchecked]
    return [*held, *_reasons(answer.decision), *unchecked, *_verdict("commit", answer.is_stopped)], answer.is_stopped


def _message(here: Here, given: Sequence[str]) -> _Answer:
    from loomstack_mcp.edge.committing import judged_message

    answer = judged_message(here, shell_caller(os.environ), said_message(message_text(Path(given[0]))))
    if answer is None:
        return [], False
    return [*_reasons(answer.decision), *_verdict("message", answer.is_stopped)], answer.is_stopped


def _pushed(here: Here, _: Sequence[str]) -> _Answer:
    from loomstack_mcp.edge.pushing import judged_push

    by_agent = shell_caller(os.environ) is not None
    lines: list[str] = []
    is_stopped = False
    for update, lands, found in judged_push(here, list(_updates()), by_agent=by_agent):
        lines += [f"{update.ref}: {line}" for line in (*_conflicts(found), *_reasons(found.decision))]
        stops = found.decision.answer == "deny" or (by_agent and found.decision.answer == "require_approval")
        is_stopped |= stops or (lands and found.is_stopped)
    return [*lines, *_verdict("push", is_stopped)], is_stopped


def _updates() -> Iterator[Update]:
    """What git is about to push (githooks(5), pre-push): `LOCAL-REF LOCAL-ID REMOTE-REF REMOTE-ID` a line."""
    given = sys.stdin.buffer.read(_STDIN_BYTES_MAX).decode("utf-8", "surrogateescape")
    for words in (line.split(" ") for line in given.split("\n")):
        if len(words) == 4:
            yield Update(old=words[3], new=words[1], ref=words[2])


def _reasons(decision: Decision) -> list[str]:
    """Each rule that has something to say, with what to do instead."""
    lines = []
    for reason in reasons_shown(decision)[:_REASONS_MAX]:
        matched = "; ".join(reason.get("matched", ()))
        fix = f" \u2192 {reason['fix']}" if "fix" in reason else ""
        outcome = f" ({reason['outcome']})" if "outcome" in reason else ""
        lines.append(f"{reason['effect']}{outcome} {reason['rule']}: {reason['why']} [{matched}]{fix}")
    return lines


def _conflicts(judgement: Judgement) -> Iterator[str]:
    if found := judgement.conflicts:
        for one in found.conflicts:
            words = conflict_words(one, now_ms=found.now_ms)
            yield f"{one.verdict} {words} \u2192 {conflict_advice(one, target=found.target)}"


def _verdict(what: str, is_stopped: bool) -> list[str]:
    return [f"this {what} was stopped; nothing was changed"] if is_stopped else []


_ANSWERS = {"pre-commit": _staged, "commit-msg": _message, "pre-push": _pushed}
