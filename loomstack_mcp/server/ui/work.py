"""The threads on which pages ask the services."""

from collections.abc import Callable
from typing import TypeVar

import anyio
import anyio.to_thread

_THREADS, _GIT_THREADS = 8, 2

_Told = TypeVar("_Told")


class PageWork:
    """Few at a time, so that whatever else the process serves has threads of its own."""

    def __init__(self) -> None:
        self._threads, self._git_threads = anyio.CapacityLimiter(_THREADS), anyio.CapacityLimiter(_GIT_THREADS)

    async def __call__(self, ask: Callable[[], _Told], *, asks_git: bool = False) -> _Told:
        """What is asked for, with the principal of the request that asks; what asks git keeps no other waiting."""
        return await anyio.to_thread.run_sync(ask, limiter=self._git_threads if asks_git else self._threads)
