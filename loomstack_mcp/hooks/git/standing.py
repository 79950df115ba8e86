"""Where a hook of git stands: the repository that git runs it for, by the folder that git starts it in."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from loomstack_mcp.adapters.client_shell import shell_agent
from loomstack_mcp.adapters.git.worktree import Worktree
from loomstack_mcp.adapters.pauses import refuse_paused
from loomstack_mcp.adapters.settings import load_settings
from loomstack_mcp.core.limits import CALL_GATE_WAIT_MS
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.edge.bearings import stand_of
from loomstack_mcp.hooks.git.places import hooked_place
from loomstack_mcp.quick import Quick, open_quick


def hooked_worktree() -> Worktree:
    """The worktree that git works in. Raises as `hooked_place`."""
    root, place = hooked_place()
    return Worktree(root=root, place=place)


@contextmanager
def opened_store(worktree: Worktree) -> Iterator[tuple[Quick, Checkout] | None]:
    """The store, and what a worktree is to it; None where there is no store yet. Raises what `refuse_paused` raises."""
    settings = load_settings({})
    with open_quick(settings, gate_wait_ms=CALL_GATE_WAIT_MS) as quick:
        if quick is None:
            yield None
            return
        checkout = stand_of(quick, worktree).checkout
        agent = shell_agent(os.environ)
        refuse_paused(settings.home, lambda: checkout.identity, agent[0] if agent else "")
        yield quick, checkout
