"""Where a PostgreSQL store is: what libpq is told, and what people are, who are not shown the password."""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from loomstack_mcp.core.errors import StoreUnavailable
from loomstack_mcp.core.records import record

_POOLER = "pooler"
_TRANSACTION = "transaction"
_UNREADABLE = (
    "the store's postgresql:// URL cannot be read, and is not shown because of its password: write its special "
    "characters as %40 for @, %2F for /, %3A for : and %3F for ?; parameters are those of libpq, and pooler=transaction"
)
_DEFAULTS = {
    "application_name": "loomstack-mcp",
    "client_encoding": "utf8",
    "connect_timeout": "5",
    # A peer that is gone without a word is noticed within seconds, whether or not it owes an answer.
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "2",
    "tcp_user_timeout": "8000",
}


@record
class DatabaseAddress:
    """One `postgresql://` URL, read."""

    parameters: dict[str, Any]
    """For libpq: everything that the URL says, TLS among it, and defaults for the rest. Holds the password."""
    shown: str
    """For people."""
    is_pooled: bool
    """Whether a pooler gives each transaction another session, so that nothing may be left in one."""

    def __repr__(self) -> str:
        return f"DatabaseAddress({self.shown})"


def database_address(url: str, /) -> DatabaseAddress:
    """Raises StoreUnavailable for what is no such URL, without a word of it."""
    try:
        found, pooler = _read_url(url)
    except (psycopg.Error, ValueError):
        raise StoreUnavailable(_UNREADABLE) from None
    host, port, name = (str(found.get(key) or "") for key in ("host", "port", "dbname"))
    # A password with @, / or ? in it: parts of it would be taken for the host, and be told in errors.
    if "@" in host + port + name or port.strip("0123456789,") or pooler not in ([], [_TRANSACTION]):
        raise StoreUnavailable(_UNREADABLE)
    several = {"target_session_attrs": "read-write"} if "," in host else {}
    return DatabaseAddress(
        parameters={**_DEFAULTS, **several, **found},
        shown=f"postgresql://{host}{f':{port}' if port else ''}/{name}",
        is_pooled=bool(pooler),
    )


def _read_url(url: str) -> tuple[dict[str, Any], list[str]]:
    """What libpq makes of it, and what it says of a pooler, which libpq does not know."""
    parts = urlsplit(url)
    asked = parse_qsl(parts.query, keep_blank_values=True)
    query = urlencode([(name, value) for name, value in asked if name != _POOLER])
    found = dict(conninfo_to_dict(urlunsplit(parts._replace(query=query))))
    return found, [value for name, value in asked if name == _POOLER]
