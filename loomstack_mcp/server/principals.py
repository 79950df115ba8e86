"""Whose request is being answered, and the services as that token opens them: for MCP over HTTP."""

import inspect
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import replace
from typing import Any, cast

from loomstack_mcp.core.errors import Unauthorized
from loomstack_mcp.core.permits import HubRole
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.core.tokens import Principal, has_role
from loomstack_mcp.loom import Loom

acting_principal: ContextVar[Principal | None] = ContextVar("acting_principal", default=None)
"""Set by the door for one request, and inherited by the tasks and threads that answer it."""
OWN = "own"
"""What the token is called of the person whose process this is: nothing stands between them and their store."""
TOOL_ROLES: dict[str, HubRole] = {"read_shared_context": "viewer"}
"""All other tools are an agent's."""
_OF_ONE_MACHINE = frozenset({"guard"})
"""Tools that look into the worktree of whoever runs the server."""
_REMEMBERED = frozenset({"sightings", "guards"})
"""What hooks saw on the hub's own machine is nobody's who comes from another."""
_PASSED = frozenset(
    {
        "send_notices",
        "close",
        "store",
        "over",
        "is_far",
        "listening",
        "tells_news",
        "cursor",
        "cursors",
        "telemetry",
        "tidy",
    }
)


def offers_tool(principal: Principal | None, name: str) -> bool:
    """Whether a tool is listed to, and works for, whoever asks."""
    if principal is None or principal.token == OWN:
        return True
    return name not in _OF_ONE_MACHINE and has_role(principal, TOOL_ROLES.get(name, "agent"))


def loom_as_opened(loom: Loom) -> Loom:
    """The services, each call of which is made as the principal of the request that it answers.

    Raises Unauthorized, at a call, where no request is answered.
    """
    return cast("Loom", _OpenedLoom(loom))


class _OpenedLoom:
    def __init__(self, loom: Loom) -> None:
        self._loom = loom

    def __getattr__(self, name: str) -> Any:
        principal = acting_principal.get()
        if name in _PASSED or (principal and principal.token == OWN):
            return getattr(self._loom, name)
        if principal is None:
            raise Unauthorized("no token came with this; send one as `Authorization: Bearer …`")
        return _NothingSeen(principal) if name in _REMEMBERED else _OpenedService(self._loom, name, principal)


class _OpenedService:
    def __init__(self, loom: Loom, name: str, principal: Principal) -> None:
        self._loom, self._name, self._principal = loom, name, principal

    def __getattr__(self, method: str) -> Callable[..., Any]:
        called = getattr(getattr(self._loom, self._name), method)
        signature = inspect.signature(called)

        def call(*given: Any, **named: Any) -> Any:
            arguments = dict(signature.bind(*given, **named).arguments)
            with self._loom.access.entered(self._principal, f"{self._name}.{method}", arguments) as entered:
                return entered.shown(called(**entered.arguments))

        return call


class _NothingSeen:
    """In the place of what hooks remember."""

    def __init__(self, principal: Principal) -> None:
        self._principal = principal

    def known_caller(self, caller: Caller, tool_use: str) -> Caller:  # noqa: ARG002 as the service has it
        return replace(caller, principal=self._principal.name, process="")
