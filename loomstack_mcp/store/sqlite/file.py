"""The store's file: private, a regular one, and still the one that was opened."""

import os
import sqlite3
import stat
from pathlib import Path

from loomstack_mcp.core.errors import StoreUnavailable

_OLDEST = (3, 37)  # STRICT tables


def prepare_file(path: Path) -> None:
    """A private file in a private folder, made where there is none.

    Raises StoreUnavailable where that cannot be, and for what is no regular file, which could hang whoever opens it.
    """
    if sqlite3.sqlite_version_info < _OLDEST:
        raise StoreUnavailable(f"SQLite {sqlite3.sqlite_version} is too old; LoomStack needs 3.37: use a newer Python")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists() and not stat.S_ISREG(path.stat().st_mode):
            raise StoreUnavailable(f"{path} is no file; choose another path with --store or LOOMSTACK_STORE")
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise StoreUnavailable(
            f"cannot make {path}: {why}; choose another path with --store or LOOMSTACK_STORE"
        ) from None


def refuse_moved(path: Path, inode: int) -> None:
    """Raises StoreUnavailable where the path leads to another file by now, which others would write to."""
    try:
        found = os.stat(path).st_ino  # noqa: PTH116 at every transaction
    except OSError:
        found = None
    if found != inode:
        raise StoreUnavailable(
            f"{path} was moved, removed or replaced while it was open; put it back, or restart the session"
        )
