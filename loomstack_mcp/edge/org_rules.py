"""The organisation's rules, looked at anew where a hub has them, so that no developer configures anything."""

import os
from contextlib import suppress

from loomstack_mcp.adapters.hub_tokens import hub_token
from loomstack_mcp.adapters.policy.folders import asked_ago_ms, has_layer
from loomstack_mcp.adapters.settings import Settings, hub_of
from loomstack_mcp.core.errors import Invalid, LoomError, PolicyError, StoreUnavailable
from loomstack_mcp.core.limits import MINUTE_MS
from loomstack_mcp.core.phrases import age

LOOK_AGAIN_MS = MINUTE_MS
"""A session looks again after so long; a hook, of which each is waited for, later."""


class UntoldRules(PolicyError):
    """The organisation's rules are a hub's that is away, and no copy of them is here."""


def lacks_token(settings: Settings) -> str:
    """The hub that the settings name and nothing opens from here; "" where there is none, or a token for it."""
    hub = hub_of(settings)
    return hub if hub and not hub_token(settings.home, hub, os.environ).get("token") else ""


def look_at_org_rules(settings: Settings, *, within_ms: int = 0, is_hasty: bool = False) -> str:
    """The copy of a hub's rules is as the hub has them, or had within that time; else why not, as a half sentence.

    A hub that is away, or whose answer is none, leaves the copy as it is. Raises PolicyError where there is none,
    UntoldRules among them for want of the hub.
    """
    if not (hub := hub_of(settings)):
        return ""
    home = settings.rules_home
    ago_ms = asked_ago_ms(home)
    if ago_ms is not None and ago_ms < within_ms and has_layer(home):
        return ""
    # Sockets, and what reads rules, for a look that is due.
    from loomstack_mcp.adapters.policy.hub_layer import keep_layer, kept_hash
    from loomstack_mcp.remote.opening import line_to

    line = line_to(hub, settings.home, is_hasty=is_hasty)
    try:
        keep_layer(home, line.hub_answer("/api/policies", None).get("answer"), hub=hub)
    except (LoomError, OSError) as error:
        said = error if isinstance(error, LoomError) else Invalid(f"the copy cannot be written: {error.strerror}")
        if ago_ms is None or not kept_hash(home):
            kind = UntoldRules if isinstance(error, StoreUnavailable) else PolicyError
            raise kind(f"org:1: the organisation's rules are the hub's, and none are known here: {said}") from None
        return f"the organisation's rules were not read anew, they are those of {age(ago_ms)} ago ({said})"
    finally:
        with suppress(OSError):
            line.close()
    return ""
