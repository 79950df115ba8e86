"""What SQLite and the file system refuse, said with what helps."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loomstack_mcp.core.errors import StoreUnavailable

_ADVICE = {
    "SQLITE_FULL": "the disk is full; free some space and try again",
    "SQLITE_READONLY": "the file or its folder is read-only; change that, or choose another path with --store",
    "SQLITE_BUSY": "another program holds a lock on it; close that program (a database browser?) and try again",
    "SQLITE_CANTOPEN": "it cannot be opened; check that its folder exists and that you may write there",
    "SQLITE_NOTADB": "it is no SQLite database; choose another path with --store or LOOMSTACK_STORE",
    "SQLITE_CORRUPT": "it is damaged; `loomstack-mcp db check` says where, and backups lie beside it",
    "SQLITE_IOERR": "the disk failed to read or write; check it, then try again",
    "SQLITE_PERM": "you may not open it; check its permissions",
}


@contextmanager
def explained(store: Path, gate: Path) -> Iterator[None]:
    """Let errors of a store's file, and of its gate files, leave as StoreUnavailable."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise  # a constraint that our own code broke is a bug, not the store's state
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "") or ""
        advice = next((text for prefix, text in _ADVICE.items() if name.startswith(prefix)), None)
        if advice is None:
            raise
        raise StoreUnavailable(f"store {store}: {advice}. Nothing was written") from error
    except OSError as error:
        if error.filename is None or not str(error.filename).startswith(str(gate)):  # or the turn's, beside it
            raise
        raise StoreUnavailable(f"store {store}: {error.strerror}; its folder must be writable") from None
