"""A log that nobody can flood: of each kind a line a second, with how many there were."""

import logging
import time

_APART_S = 1.0
_KINDS_MAX = 200


class OncePerSecond(logging.Filter):
    """Lets one record of a kind through in a second. A kind is who says what, whatever the figures in it."""

    def __init__(self) -> None:
        super().__init__()
        self._said_at: dict[tuple[str, str], float] = {}
        self._left_out: dict[tuple[str, str], int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is said; then with how many were not."""
        kind, now = (record.name, str(record.msg)[:_KINDS_MAX]), time.monotonic()
        if now - self._said_at.get(kind, -_APART_S) < _APART_S:
            self._left_out[kind] = self._left_out.get(kind, 0) + 1
            return False
        if len(self._said_at) >= _KINDS_MAX:
            self._said_at.clear()
            self._left_out.clear()
        self._said_at[kind] = now
        if more := self._left_out.pop(kind, 0):
            record.msg = f"{record.msg} (and {more} more like it)"
        return True


def quiet_log() -> None:
    """All that is logged in this process goes to stderr, through one such filter."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    handler.addFilter(OncePerSecond())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
