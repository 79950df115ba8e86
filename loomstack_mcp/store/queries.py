"""The named statements of `sql/queries/*.sql`, read once."""

from loomstack_mcp.store.base import Statement
from loomstack_mcp.store.plain import sql_texts

_POSTGRES = "@postgres"


def statements(noun: str) -> dict[str, Statement]:
    """The statements of one file, by name. A text that is for PostgreSQL alone is named `NAME@postgres`."""
    texts = sql_texts(noun)
    return {
        name: Statement(f"{noun}.{name}", text, postgres=texts.get(f"{name}{_POSTGRES}", ""))
        for name, text in texts.items()
        if not name.endswith(_POSTGRES)
    }
