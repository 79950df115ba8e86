"""Which schema a SQLite file has, and whether this version speaks it."""

import re
import sqlite3
from pathlib import Path

from loomstack_mcp.core.errors import OlderStore, StoreUnavailable
from loomstack_mcp.store.plain import APPLICATION_ID

FOLDER = Path(__file__).parent.parent / "sql" / "sqlite"
PRIVATE_FOLDER = Path(__file__).parent.parent / "sql" / "private" / "sqlite"
# One statement, one snapshot: another process may be making the tables at this moment.
_STATE = """
    SELECT (SELECT user_version FROM pragma_user_version),
           (SELECT application_id FROM pragma_application_id),
           (SELECT COUNT(*) FROM sqlite_schema)
"""
_NUMBER = re.compile(r"^(\d{4})_\w+\.sql$")


def newest(folder: Path = FOLDER) -> int:
    """The version that the migrations in `folder` lead to."""
    return max(numbered(folder))


def is_current(connection: sqlite3.Connection, version: int) -> bool:
    """Whether the file has exactly this version. Raises StoreUnavailable for a foreign or a newer file."""
    found, owner, tables = connection.execute(_STATE).fetchone()
    if owner != APPLICATION_ID and (tables or found):
        raise StoreUnavailable(
            "the file is another program's database, not a LoomStack store; "
            "choose another path with --store or LOOMSTACK_STORE"
        )
    refuse_newer(found, version)
    return bool(found == version)


def refuse_newer(found: int, version: int) -> None:
    """Raises StoreUnavailable where a newer LoomStack has upgraded the file."""
    if found > version:
        raise StoreUnavailable(
            f"the store was upgraded by a newer loomstack-mcp (schema {found}, this one knows {version}); "
            "install that version, and restart the session"
        )


def refuse_older(_: sqlite3.Connection, path: Path, __: Path) -> None:
    """Raises OlderStore: whoever opened the file is not to upgrade it."""
    raise OlderStore(f"the store {path} has an older schema; any loomstack-mcp command upgrades it")


def numbered(folder: Path) -> dict[int, Path]:
    """The migrations in a folder, by the version that each leads to."""
    return {int(match[1]): file for file in folder.iterdir() if (match := _NUMBER.match(file.name))}
