"""What many pages ask at once is asked once for all of them, and none hears what was known before it asked."""

import itertools
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

import anyio

from loomstack_mcp.core.records import record

_Told = TypeVar("_Told")


@record
class _Answer(Generic[_Told]):
    began: int
    told: Callable[[], _Told]
    """Tells it, or raises it."""


class AskedTogether(Generic[_Told]):
    """One question under a key is under way at a time; who comes meanwhile shares the next."""

    def __init__(self) -> None:
        self._steps = itertools.count()
        self._locks: dict[Hashable, anyio.Lock] = {}
        self._last: dict[Hashable, _Answer[_Told]] = {}

    async def __call__(self, key: Hashable, ask: Callable[[], Awaitable[_Told]]) -> _Told:
        """What `ask` tells, begun after this was called. Under one key stands what has one answer for whoever asks it:
        who asks belongs to it. Raises what `ask` raises.
        """
        came = next(self._steps)
        lock = self._locks.setdefault(key, anyio.Lock(fast_acquire=True))
        try:
            async with lock:
                if (last := self._last.get(key)) and last.began > came:
                    return last.told()
                began = next(self._steps)
                answer = self._last[key] = _Answer(began=began, told=await _outcome(ask))
                return answer.told()
        finally:
            if self._locks.get(key) is lock and not lock.locked():
                del self._locks[key]
                self._last.pop(key, None)


async def _outcome(ask: Callable[[], Awaitable[_Told]]) -> Callable[[], _Told]:
    try:
        told = await ask()
    except Exception as error:  # noqa: BLE001 it is raised again, once for each who asked
        failed, way = error, error.__traceback__

        def raised() -> _Told:
            raise failed.with_traceback(way)

        return raised
    return lambda: told
