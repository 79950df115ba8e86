"""How a stdio server ends: with its stdin, by a signal, or with its client; and never held up for long."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable
from typing import NoReturn

from loomstack_mcp.core.limits import EOF_ANSWER_SECONDS_MAX

_CLOSE_S = 0.4
"""What must be done when the session is gone has this long."""


class Ending:
    """The end of the process, with status 0. A signal ends it at once: calls that run are cut off, and the store keeps

    of each all or nothing. `on_close` runs once, whatever ended the session.
    """

    def __init__(self, on_close: Callable[[], None]) -> None:
        self._closing = threading.Thread(target=on_close, daemon=True)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.now())

    def soon(self) -> None:
        """The client asks nothing more: what it asked has a while to be answered."""
        late = threading.Timer(EOF_ANSWER_SECONDS_MAX, self.now)
        late.daemon = True
        late.start()

    def now(self) -> NoReturn:
        """End the process. An ordinary exit would wait for a thread that is blocked in read(2)."""
        try:
            with contextlib.suppress(RuntimeError):  # a second signal, say in the midst of the first: it runs already
                self._closing.start()
            self._closing.join(_CLOSE_S)
        finally:
            os._exit(0)
