"""The threads on which pages ask the services."""

from collections.abc import Callable
from typing import TypeVar

import anyio
import anyio.to_thread

_THREADS = 8

_Told = TypeVar("_Told")


class PageWork:
    """Few at a time, so that whatever else the process serves has threads of its own."""

    def __init__(self) -> None:
        self._threads = anyio.CapacityLimiter(_THREADS)

    async def __call__(self, ask: Callable[[], _Told]) -> _Told:
        """What is asked for, with the principal of the request that asks."""
        return await anyio.to_thread.run_sync(ask, limiter=self._threads)
