"""Git's hooks that may stop git: `loomstack-hook git NAME` hands these on, which need more than a hook may load."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from loomstack_mcp.adapters.client_shell import shell_agent, shell_caller
from loomstack_mcp.adapters.git.messages import message_text
from loomstack_mcp.adapters.install.hooks_folders import REFUSED
from loomstack_mcp.adapters.pauses import refuse_paused
from loomstack_mcp.adapters.system import current_folder
from loomstack_mcp.cli.git_words import decision_lines
from loomstack_mcp.core.changes.trailers import said_message
from loomstack_mcp.core.edits import held_words, refused_edit
from loomstack_mcp.core.errors import LoomError
from loomstack_mcp.core.policy.violations import Unknown
from loomstack_mcp.edge.here import Here

if TYPE_CHECKING:
    from loomstack_mcp.edge.committing import CommitAnswer


def judged_git_hook(name: str, given: Sequence[str]) -> int:
    """Judge what git is about to do; REFUSED stops it, and what cannot be judged here goes on, for others decide."""
    here = Here(current_folder(), {}, elsewhere="go to a worktree")
    agent = shell_agent(os.environ)
    try:
        refuse_paused(here.own_settings.home, lambda: here.checkout().identity, agent[0] if agent else "")
        lines, is_stopped = _ANSWERS[name](here, given)
    except (LoomError, Unknown, OSError) as error:
        why = f"{error.code}: {error}" if isinstance(error, LoomError) else str(error)
        _say(f"{name} did not check this: {why}")
        return 0
    _say(*lines)
    return REFUSED if is_stopped else 0


def _say(*lines: str) -> None:
    if not lines:
        return
    from loomstack_mcp.cli.output import harmless  # click, for the few that have something to say

    for line in lines:
        print(f"loomstack: {harmless(line)}", file=sys.stderr)


_Answer = tuple[list[str], bool]


def _staged(here: Here, _: Sequence[str]) -> _Answer:
    from loomstack_mcp.edge.committing import judged_staged

    answer = judged_staged(here, shell_caller(os.environ))
    words = refused_edit if answer.by_agent else held_words
    lines = [words(answer.held, now_ms=answer.now_ms)] if answer.held else []
    lines += _told(answer)
    lines += [f"not checked: {what}" for what in answer.unchecked]
    return [*lines, *_verdict("commit", answer.is_stopped)], answer.is_stopped


def _message(here: Here, given: Sequence[str]) -> _Answer:
    from loomstack_mcp.edge.committing import judged_message

    answer = judged_message(here, shell_caller(os.environ), said_message(message_text(Path(given[0]))))
    if answer is None:
        return [], False
    return [*_told(answer), *_verdict("message", answer.is_stopped)], answer.is_stopped


def _pushed(here: Here, _: Sequence[str]) -> _Answer:
    from loomstack_mcp.cli.git_push import push_answer  # changes and how they are compared, which no commit needs

    lines, is_stopped = push_answer(here, by_agent=shell_caller(os.environ) is not None)
    return [*lines, *_verdict("push", is_stopped)], is_stopped


def _told(answer: "CommitAnswer") -> list[str]:
    return decision_lines(answer.decision, approval=answer.approval, refused=answer.refused)


def _verdict(what: str, is_stopped: bool) -> list[str]:
    return [f"this {what} was stopped; nothing was changed"] if is_stopped else []


_ANSWERS = {"pre-commit": _staged, "commit-msg": _message, "pre-push": _pushed}
