"""Which version a PostgreSQL schema has, and whether this one speaks it."""

import re
from pathlib import Path

from psycopg import Connection

from loomstack_mcp.core.errors import OlderStore, StoreUnavailable
from loomstack_mcp.store.postgres.line import TupleRow

FOLDER = Path(__file__).parent.parent / "sql" / "postgres"
_NUMBER = re.compile(r"^(\d{4})_\w+\.sql$")


def newest_schema(folder: Path = FOLDER) -> int:
    """The version that the migrations in `folder` lead to."""
    return max(schema_files(folder))


def schema_files(folder: Path) -> dict[int, Path]:
    """The migrations in a folder, by the version that each leads to."""
    return {int(match[1]): file for file in folder.iterdir() if (match := _NUMBER.match(file.name))}


def is_current_schema(found: int, version: int) -> bool:
    """Whether a schema has exactly this version. Raises StoreUnavailable for one that a newer version upgraded."""
    if found > version:
        raise StoreUnavailable(
            f"the store was upgraded by a newer loomstack-mcp (schema {found}, this one knows {version}); "
            "install that version, and restart the session"
        )
    return found == version


def refuse_older_schema(_: "Connection[TupleRow]", schema: str, __: Path) -> None:
    """Raises OlderStore: whoever opened it is not to upgrade it."""
    raise OlderStore(f"the store's schema {schema} is older or not there yet; any loomstack-mcp command makes it")
