"""A hub has what is too old removed, once a day, for as long as it serves."""

from collections.abc import Callable

import anyio
import anyio.to_thread

_LOOKS_S = 60 * 60


async def tidy_daily(tidy: Callable[[], None]) -> None:
    """Ask for it now and each hour, until cancelled: whether it is due, it finds out itself."""
    while True:
        await anyio.to_thread.run_sync(tidy)
        await anyio.sleep(_LOOKS_S)
