"""Where a session stands, as its hooks see it: who it is, in which worktree, and the store that knows of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loomstack_mcp.adapters.git.worktree import Worktree, worktree_at
from loomstack_mcp.adapters.pauses import is_paused
from loomstack_mcp.adapters.settings import load_settings
from loomstack_mcp.core.clients.steps import SessionStep
from loomstack_mcp.core.records import record
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.edge.bearings import stand_of
from loomstack_mcp.hooks.endings import caller_of_step
from loomstack_mcp.quick import Quick, open_quick


@record
class SessionStanding:
    """An agent of a session in a worktree, and the store."""

    quick: Quick
    caller: Caller
    worktree: Worktree
    checkout: Checkout
    claim_edits: str
    """As the repository's settings have it."""


@contextmanager
def session_standing(step: SessionStep, /) -> Iterator[SessionStanding | None]:
    """Where an agent stands; None outside of a repository, without a store or a session, and where it is paused.

    Raises what keeps a repository, its settings or the store from being read.
    """
    worktree = worktree_at(Path(step.cwd)) if step.session and step.cwd.startswith("/") else None
    if worktree is None:
        yield None
        return
    settings = load_settings({})
    with open_quick(settings) as quick:
        if quick is None:
            yield None
            return
        stand = stand_of(quick, worktree)
        if is_paused(settings.home, lambda: stand.checkout.identity, step.session):
            yield None
            return
        yield SessionStanding(
            quick=quick,
            caller=caller_of_step(step),
            worktree=worktree,
            checkout=stand.checkout,
            claim_edits=stand.settings.claim_edits,
        )
