"""What an agent's runs have to hear, told by its client's hooks: with a prompt, and before and after a step."""

from collections.abc import Mapping
from contextlib import suppress

from loomstack_mcp.adapters.settings import load_settings
from loomstack_mcp.adapters.user import principal
from loomstack_mcp.core.briefing.alerts import alerts_told
from loomstack_mcp.core.clients.payload import Payload, advice
from loomstack_mcp.core.errors import StoreUnavailable
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.quick import open_quick

_NO_FLAGS: Mapping[str, str | None] = {}


def told_alerts(session: str, agent: str, event: str, *, flags: Mapping[str, str | None] = _NO_FLAGS) -> Payload | None:
    """What exactly this agent has to hear, as its client passes it to the model; None where there is nothing.

    A store that does not answer is no reason to disturb anybody: what is due is told later.
    """
    with suppress(StoreUnavailable), open_quick(load_settings(flags)) as quick:
        caller = Caller(principal=principal(), session=session, agent=agent)
        if quick and (due := quick.alerts.due(caller)):
            quick.alerts.heard(due)
            return advice(alerts_told(due), event=event)
    return None
