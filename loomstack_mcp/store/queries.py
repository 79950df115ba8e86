"""The named statements of `sql/queries/*.sql`, read once."""

from loomstack_mcp.store.base import Statement
from loomstack_mcp.store.plain import sql_texts


def statements(noun: str) -> dict[str, Statement]:
    """The statements of one file, by name."""
    return {name: Statement(f"{noun}.{name}", text) for name, text in sql_texts(noun).items()}
