"""A store by its address, as every process of a fire opens it."""

from loomstack_mcp.adapters.settings import Settings
from loomstack_mcp.loom import Loom, open_loom


def opened(store: str) -> Loom:
    """The services over the store."""
    return open_loom(Settings(store=store))
