"""A store with what a hub keeps to itself beside it, for commands on the hub's machine."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from loomstack_mcp.loom import is_hub_store
from loomstack_mcp.services.ledger_keys import KeyedStore
from loomstack_mcp.store.base import Store


@contextmanager
def keyed_store(store: Store, url: str) -> Iterator[KeyedStore]:
    """With what a hub keeps to itself, where there is a hub."""
    if not is_hub_store(url):
        yield KeyedStore(store=store)
        return
    with closing(store.private()) as private:
        yield KeyedStore(store=store, private=private)
