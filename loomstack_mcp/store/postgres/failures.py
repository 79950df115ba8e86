"""What PostgreSQL and the network refuse, said with what helps."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from loomstack_mcp.core.errors import Invalid, LimitExceeded, StoreUnavailable

_ADVICE: tuple[tuple[type[psycopg.Error], str], ...] = (
    (errors.LockNotAvailable, "another session holds this repository for too long; try again in a moment"),
    (errors.QueryCanceled, "it took too long and was ended; try again, or ask for less"),
    (errors.DeadlockDetected, "two changes waited for one another and this one was ended; try again"),
    (errors.SerializationFailure, "another change came first; try again"),
    (errors.DiskFull, "the database's disk is full; its admin must free some space"),
    (errors.OutOfMemory, "the database has no memory left; try again later"),
    (
        errors.TooManyConnections,
        "the database has no connection left; raise max_connections, or use PgBouncer",
    ),
    (errors.ReadOnlySqlTransaction, "the server is a standby, or read only; name the primary in the store's URL"),
    (
        errors.InsufficientPrivilege,
        "its role may not do that; it needs CREATE on the database, or a schema loom of its own",
    ),
    (errors.InvalidPassword, "the password is wrong; see the store's URL"),
    (errors.InvalidCatalogName, "there is no such database; create it, or mend the store's URL"),
    (
        errors.IdleInTransactionSessionTimeout,
        "this process stood still too long in a change; try again",
    ),
)
_REFUSED = (
    psycopg.OperationalError,
    errors.InsufficientPrivilege,
    errors.ReadOnlySqlTransaction,
    errors.IdleInTransactionSessionTimeout,
)


@contextmanager
def explained_database(shown: str) -> Iterator[None]:
    """Let errors of the database at `shown` leave as StoreUnavailable."""
    try:
        yield
    except errors.ProgramLimitExceeded:
        raise LimitExceeded(f"store {shown}: a path or a name is too long for its indexes; use a shorter one") from None
    except _REFUSED as error:
        advice = next((text for kind, text in _ADVICE if isinstance(error, kind)), "") or _network(error)
        raise StoreUnavailable(f"store {shown}: {advice}. Nothing was written") from error
    except errors.UntranslatableCharacter:  # \u0000 in JSON
        raise Invalid("a list holds the character NUL; leave it out") from None
    except errors.NumericValueOutOfRange:
        raise Invalid("a number is out of all bounds; use a smaller one") from None


def _network(error: psycopg.Error) -> str:
    if "unsupported startup parameter" in str(error):
        return "PgBouncer stands before it; add ?pooler=transaction to the store's URL"
    # Of what the server says, more lines tell where it was said; of what the network says, the last tells why.
    told = error.diag.message_primary or str(error)
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    failed = next((line for line in lines if "failed: " in line), lines[-1] if lines else type(error).__name__)
    said = failed.rpartition("failed: ")[2].removeprefix("FATAL:").strip()
    if "certificate" in said:
        return f"{said}; see sslrootcert and the host in the store's URL"
    return f"{said}; check that it runs and can be reached, then try again"
