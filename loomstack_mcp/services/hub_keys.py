"""The hub's key, and the key of each repo's lines that is made of it: who knows one cannot tell another."""

import hashlib
import hmac
import os

from loomstack_mcp.store import queries
from loomstack_mcp.store.base import Store

TOKENS = queries.statements("tokens")

_KEY_BYTES = 32
_NAME = "hub"


class HubKeyService:
    """Keys that are handed only to those who may read a repo."""

    def __init__(self, private: Store) -> None:
        self._private = private
        self._key = b""

    def line_key(self, repo_id: str) -> bytes:
        """The key under which a repo's lines are hashed on this hub."""
        return hmac.digest(self._hub_key(), f"lines {repo_id}".encode(), hashlib.sha256)

    def close(self) -> None:
        """Give back the database."""
        self._private.close()

    def _hub_key(self) -> bytes:
        if not self._key:
            with self._private.append() as tx:
                tx.run(TOKENS["keep_hub_key"], which=_NAME, value=os.urandom(_KEY_BYTES).hex())
                [kept] = tx.all(TOKENS["hub_key"], which=_NAME)
            self._key = bytes.fromhex(kept["value"])
        return self._key
