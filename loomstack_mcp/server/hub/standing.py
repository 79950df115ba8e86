"""Whether the hub may be asked: it is not about to end, and its store answers."""

import logging
from collections.abc import Callable

import anyio
import anyio.to_thread

from loomstack_mcp.core.errors import LoomError

_log = logging.getLogger(__name__)
_ANSWER_S = 1.0


class Standing:
    """How the hub stands."""

    def __init__(self, ask_store: Callable[[], object]) -> None:
        """`ask_store` raises LoomError where the store does not answer."""
        self.is_stopping = False
        self._ask = ask_store
        self._asking = anyio.CapacityLimiter(1)
        """A store that hangs holds one thread, however often it is asked for."""

    async def is_ready(self) -> bool:
        """Whether a load balancer may send requests here. Answers within a second."""
        if self.is_stopping:
            return False
        with anyio.move_on_after(_ANSWER_S):
            return await anyio.to_thread.run_sync(self._answers, limiter=self._asking, abandon_on_cancel=True)
        return False

    def log_error(self, text: str) -> None:
        """What nobody foresaw is told whole here, and to nobody else."""
        _log.error("internal error in a call:\n%s", text)

    def _answers(self) -> bool:
        try:
            self._ask()
        except LoomError:
            return False
        return True
