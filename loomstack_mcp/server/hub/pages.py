"""What people see of a hub in a browser, as its door knows it."""

from collections.abc import Callable
from typing import Protocol

from loomstack_mcp.loom import Loom
from loomstack_mcp.server.hub.hosts import Arrival
from loomstack_mcp.server.hub.keys import Keys
from loomstack_mcp.server.hub.replies import Receive, Scope, Send


class Pages(Protocol):
    """The pages of one process."""

    def takes(self, path: str) -> bool:
        """Whether a path, as it was sent, is one of theirs."""

    async def answer(self, scope: Scope, receive: Receive, send: Send, arrival: Arrival) -> None:
        """Answer a request that came under a name of the hub's."""

    async def tell_nothing_here(self, scope: Scope, send: Send) -> None:
        """A page for a path that nobody has."""

    async def watch(self) -> None:
        """Look for what happens, until cancelled."""

    def end(self) -> None:
        """The process ends."""


PagesMaker = Callable[[Loom, Keys], Pages]
"""Makes them of the services and of what opens the hub."""


def wants_page(scope: Scope, /) -> bool:
    """Whether a browser asks for something to show to a person."""
    taken = next((value for name, value in scope["headers"] if name == b"accept"), b"")
    return scope["method"] == "GET" and b"text/html" in taken
