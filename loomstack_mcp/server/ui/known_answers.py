"""Answers that many pages ask for at once, made once: they hold as long as their repo has not moved."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

from loomstack_mcp.core.records import record
from loomstack_mcp.server.ui.replies import PageContent

_KEPT_MAX, _KEPT_BYTES_MAX = 200, 16_000_000
_HOLDS_S = 10.0
"""Ages, and what time has ended, are told anew after that."""


@record
class _Known:
    cursor: int
    until_s: float
    content: PageContent


class KnownAnswers:
    """What was told last, by whom it may be told to, and what was asked."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[Hashable, _Known] = OrderedDict()
        self._bytes = 0
        self._making: dict[Hashable, threading.Lock] = {}

    def content_at(self, key: Hashable, cursor: int, make: Callable[[str], PageContent]) -> PageContent:
        """What is known for a repo that is there; made, under a tag of its own, where it is not. One makes it for all
        who ask meanwhile.
        """
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        try:
            with making:
                if known := self._holding(key, cursor):
                    return known
                content = make(f"{cursor:x}-{time.time_ns():x}")
                self._keep(key, _Known(cursor=cursor, until_s=self._clock() + _HOLDS_S, content=content))
                return content
        finally:
            with self._lock:
                if not making.locked():
                    self._making.pop(key, None)

    def _holding(self, key: Hashable, cursor: int) -> PageContent | None:
        with self._lock:
            known = self._known.get(key)
            if known is None or known.cursor != cursor or known.until_s <= self._clock():
                return None
            self._known.move_to_end(key)
            return known.content

    def _keep(self, key: Hashable, known: _Known) -> None:
        with self._lock:
            if former := self._known.pop(key, None):
                self._bytes -= _bytes(former)
            self._known[key] = known
            self._bytes += _bytes(known)
            while len(self._known) > _KEPT_MAX or self._bytes > _KEPT_BYTES_MAX:
                self._bytes -= _bytes(self._known.popitem(last=False)[1])


def _bytes(known: _Known) -> int:
    return len(known.content.plain) + len(known.content.zipped)
