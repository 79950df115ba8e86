"""A store by its address, as every process of a fire opens it."""

import os

from loomstack_mcp.adapters.settings import Settings
from loomstack_mcp.loom import Loom, open_loom


def opened(store: str) -> Loom:
    """The services over the store; a hub's token lies in the home that the environment names."""
    return open_loom(Settings(store=store, home=os.environ.get("LOOMSTACK_HOME", "")))


def is_hub(store: str, /) -> bool:
    """Whether calls go through a hub, where one may be done after whoever sent it has given it up, or was killed."""
    return store.startswith("http")
