"""The organisation's rules, looked at anew where a hub has them, so that no developer configures anything."""

from contextlib import suppress

from loomstack_mcp.adapters.policy.hub_layer import asked_ago_ms, keep_layer, kept_hash
from loomstack_mcp.adapters.settings import Settings, hub_of
from loomstack_mcp.core.errors import Invalid, LoomError
from loomstack_mcp.core.limits import MINUTE_MS
from loomstack_mcp.core.phrases import age

LOOK_AGAIN_MS = MINUTE_MS
"""A session looks again after so long; a hook, of which each is waited for, after five times as long."""
HOOK_LOOKS_AGAIN_MS = 5 * MINUTE_MS


def look_at_org_rules(settings: Settings, *, within_ms: int = 0, is_hasty: bool = False) -> str:
    """The copy of a hub's rules is as the hub has them, or had within that time; else why not, as a half sentence.

    A hub that is away, or whose answer is none, leaves the copy as it is: who loads it hears whether it holds.
    """
    if not (hub := hub_of(settings)):
        return ""
    home = settings.rules_home
    ago_ms = asked_ago_ms(home)
    if ago_ms is not None and ago_ms < within_ms and kept_hash(home):
        return ""
    from loomstack_mcp.remote.opening import line_to  # sockets, which nobody else needs

    line = line_to(hub, settings.home, is_hasty=is_hasty)
    try:
        keep_layer(home, line.asked("/api/policies", None))
    except (LoomError, OSError) as error:
        said = error if isinstance(error, LoomError) else Invalid(f"the copy cannot be written: {error.strerror}")
        known = "none are known here" if ago_ms is None else f"they are those of {age(ago_ms)} ago"
        return f"the organisation's rules were not read anew, {known} ({said})"
    finally:
        with suppress(OSError):
            line.close()
    return ""
