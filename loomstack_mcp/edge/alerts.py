"""What an agent's runs have to hear, told by its client's hooks: with a prompt, and before and after a step."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from loomstack_mcp.adapters.pauses import is_paused
from loomstack_mcp.adapters.settings import load_settings
from loomstack_mcp.adapters.user import principal
from loomstack_mcp.core.clients.payload import Payload, advice
from loomstack_mcp.core.errors import StoreUnavailable
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.quick import Quick, open_quick

TYPE_CHECKING = False  # `typing` costs a hook 4 ms
if TYPE_CHECKING:
    from loomstack_mcp.core.events import DueAlert

_NO_FLAGS: Mapping[str, str | None] = {}


def told_alerts(
    session: str, agent: str, event: str, *, folder: str, flags: Mapping[str, str | None] = _NO_FLAGS
) -> Payload | None:
    """What exactly this agent has to hear, as its client passes it to the model.

    None where there is nothing, and where LoomStack is switched off for the session, or in its folder's repository.
    """
    settings = load_settings(flags)
    with suppress(StoreUnavailable), open_quick(settings) as quick:
        if quick and not is_paused(settings.home, lambda: _identity(quick, folder), session):
            words = due_words(quick, Caller(principal=principal(), session=session, agent=agent))
            return advice(words, event=event) if words else None
    return None


def due_words(quick: Quick, caller: Caller, due: "tuple[DueAlert, ...] | None" = None) -> str:
    """What exactly this agent has to hear, where that was not asked just now; "" for nothing.

    A store that does not answer is no reason to disturb anybody: what is due is told later.
    """
    with suppress(StoreUnavailable):
        due = quick.alerts.due(caller) if due is None else due
        if due:
            from loomstack_mcp.core.briefing.alerts import alerts_told  # for the few that have something to hear

            quick.alerts.heard(due)
            return alerts_told(due)
    return ""


def _identity(quick: Quick, folder: str) -> str:
    """Which repository a folder lies in; "" outside of any."""
    from loomstack_mcp.adapters.git.worktree import worktree_at  # with the next 20 ms, where anything is paused
    from loomstack_mcp.edge.bearings import stand_of

    worktree = worktree_at(Path(folder)) if folder.startswith("/") else None
    return stand_of(quick, worktree).checkout.identity if worktree else ""
