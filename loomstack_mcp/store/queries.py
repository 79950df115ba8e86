"""The named statements of `sql/queries/*.sql`, read once."""

import re
from pathlib import Path

from loomstack_mcp.store.base import Statement

_FOLDER = Path(__file__).parent / "sql" / "queries"  # importlib.resources costs some 40 ms more at start
_NAMED = re.compile(r"^-- :name (?P<name>\w+)\n(?P<text>.*?)(?=^-- :name |\Z)", re.MULTILINE | re.DOTALL)


def statements(noun: str) -> dict[str, Statement]:
    """The statements of one file, by name. A statement starts with `-- :name NAME` and a line of purpose."""
    source = (_FOLDER / f"{noun}.sql").read_text(encoding="utf-8")
    return {m["name"]: Statement(f"{noun}.{m['name']}", m["text"].strip()) for m in _NAMED.finditer(source)}
