"""How a stdio server ends: with its stdin, by a signal, or with its client; and never held up for long."""

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
        self._on_close = on_close
        self._asked, self._ask = os.pipe()
        os.set_blocking(self._ask, False)
        self._closing = threading.Thread(target=self._close, daemon=True)
        self._closing.start()
        # Python writes to it from within the signal, where a handler is set. That would run once the main thread has
        # read something, where the signal came just before it blocked in read(2).
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(self._ask, warn_on_full_buffer=False)

    def soon(self) -> None:
        """The client asks nothing more: what it asked has a while to be answered."""
        late = threading.Timer(EOF_ANSWER_SECONDS_MAX, self.now)
        late.daemon = True
        late.start()

    def now(self) -> NoReturn:
        """End the process. An ordinary exit would wait for a thread that is blocked in read(2)."""
        try:
            os.write(self._ask, b"\0")
            self._closing.join()
        finally:
            os._exit(0)

    def _close(self) -> None:
        os.read(self._asked, 1)
        late = threading.Timer(_CLOSE_S, os._exit, (0,))
        late.daemon = True
        late.start()
        try:
            self._on_close()
        finally:
            os._exit(0)
