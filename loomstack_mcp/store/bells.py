"""Bells: an empty file beside the store for each session that something happened to, for whoever watches for that.

A watcher asks the file system for one name and needs no store, so that it costs next to nothing while nothing happens.
"""

import os
import time

_KEPT_S = 24 * 60 * 60
"""Most sessions are watched by nobody: what they were not told by a bell, they are told with their next call."""
_NAME_CHARS_MAX = 120


def ring(store: str, name: str, /) -> None:
    """Ring for a session. Whoever cannot is no worse off than without bells."""
    bell = _bell(store, name)
    try:
        if not os.path.isdir(os.path.dirname(bell)):
            os.mkdir(os.path.dirname(bell), 0o700)
        os.close(os.open(bell, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        _forget_old(os.path.dirname(bell))
    except OSError:
        pass


def was_rung(store: str, name: str, /) -> bool:
    """Whether it was rung for a session since this was last asked."""
    try:
        os.unlink(_bell(store, name))
    except OSError:
        return False
    return True


def _bell(store: str, name: str) -> str:
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name[:_NAME_CHARS_MAX])
    return os.path.join(f"{store}-bells", plain)


def _forget_old(folder: str) -> None:
    for entry in os.scandir(folder):
        if entry.stat().st_mtime < time.time() - _KEPT_S:
            os.unlink(entry.path)
