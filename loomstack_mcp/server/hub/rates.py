"""How much one token may ask: so many calls a second, and so many at once, that all others are served beside it."""

import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Hashable, Iterator
from contextlib import asynccontextmanager, contextmanager

import anyio

_KEPT_MAX = 10_000


class Rates:
    """A bucket of calls for each token: it fills by so many a second, and holds so many."""

    def __init__(self, *, per_s: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s, self._burst, self._clock = per_s, burst, clock
        self._left: dict[Hashable, tuple[float, float]] = {}

    def wait_s(self, key: Hashable) -> float:
        """0 where a call is taken out of the bucket; else in how many seconds one will be in it."""
        now = self._clock()
        left, at = self._left.get(key, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._per_s)
        taken = left >= 1
        if len(self._left) >= _KEPT_MAX:
            self._drop_full(now)
        self._left[key] = (left - taken, now)
        return 0 if taken else (1 - left) / self._per_s

    def give_back(self, key: Hashable) -> None:
        """The call that was taken last was none that counts."""
        left, at = self._left.get(key, (self._burst, self._clock()))
        self._left[key] = (min(self._burst, left + 1), at)

    def _drop_full(self, now: float) -> None:
        """A full bucket says nothing."""
        self._left = {
            key: (left, at) for key, (left, at) in self._left.items() if left + (now - at) * self._per_s < self._burst
        }


class TooMany(Exception):
    """A token has as many calls under way, and waiting, as it may."""


class Seats:
    """So many calls of a token are done at once, and a few more wait for those."""

    def __init__(self, *, most: int, queue: int) -> None:
        self._most, self._queue = most, queue
        self._under_way: defaultdict[Hashable, int] = defaultdict(int)
        self._free: dict[Hashable, anyio.Semaphore] = {}

    @asynccontextmanager
    async def seat_taken(self, key: Hashable) -> AsyncIterator[None]:
        """Waits for a seat. Raises TooMany."""
        with self._counted(key):
            async with self._free.setdefault(key, anyio.Semaphore(self._most)):
                yield

    @contextmanager
    def _counted(self, key: Hashable) -> Iterator[None]:
        if self._under_way[key] >= self._most + self._queue:
            raise TooMany
        self._under_way[key] += 1
        try:
            yield
        finally:
            self._under_way[key] -= 1
            if not self._under_way[key]:
                del self._under_way[key]
                self._free.pop(key, None)
