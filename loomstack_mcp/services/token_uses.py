"""When a token was last used, and how often one opened nothing: written once a minute, beside the requests."""

import threading
import time
from collections import Counter
from contextlib import suppress

from loomstack_mcp.core.errors import StoreUnavailable
from loomstack_mcp.core.limits import MINUTE_MS
from loomstack_mcp.core.tokens import Token
from loomstack_mcp.store import queries
from loomstack_mcp.store.base import Store

TOKENS = queries.statements("tokens")

_STRANGERS_MAX = 100
"""Ids that are counted by name within a minute; all others are one."""


class TokenUses:
    """No request waits for what is written here, and none fails because it could not be."""

    def __init__(self, private: Store) -> None:
        self._private = private
        self._lock = threading.Lock()
        self._used: dict[str, int] = {}
        self._noted_at_ms: dict[str, int] = {}
        self._strangers: Counter[str] = Counter()
        self._counted_at_s = time.monotonic()
        self._writer: threading.Thread | None = None

    def note_use(self, token: Token, *, now_ms: int) -> None:
        """It was used now; written where the last use that is written is a minute old."""
        with self._lock:
            if now_ms - max(token.used_at_ms, self._noted_at_ms.get(token.id, 0)) < MINUTE_MS:
                return
            self._noted_at_ms[token.id] = self._used[token.id] = now_ms
            self._start()

    def count_stranger(self, token_id: str) -> None:
        """A request came with what opens nothing, and perhaps begins as a token did."""
        with self._lock:
            known = token_id in self._strangers or len(self._strangers) < _STRANGERS_MAX
            self._strangers[token_id if known else "…"] += 1
            if time.monotonic() - self._counted_at_s >= MINUTE_MS / 1000:
                self._start()

    def settle(self) -> None:
        """What was begun to be written is."""
        with self._lock:
            writer = self._writer
        if writer:
            writer.join()

    def close(self) -> None:
        """Write what is left."""
        self.settle()
        if self._strangers or self._used:
            self._write()

    def _start(self) -> None:
        if self._writer is None or not self._writer.is_alive():
            self._writer = threading.Thread(target=self._write, daemon=True)
            self._writer.start()

    def _write(self) -> None:
        with self._lock:
            used, self._used = self._used, {}
            strangers, self._strangers = self._strangers, Counter()
            self._counted_at_s = time.monotonic()
        with suppress(StoreUnavailable), self._private.append() as tx:
            for token_id, used_at_ms in sorted(used.items()):
                tx.run(TOKENS["use_token"], id=token_id, used_at_ms=used_at_ms)
            minute = {"at_ms": tx.now_ms // MINUTE_MS * MINUTE_MS, "verdict": "refused", "what": "enter", "who": ""}
            for token_id, count in sorted(strangers.items()):
                tx.all(TOKENS["count_power"], **minute, token_id=token_id, about="", count=count)
