"""Uses of power: who did, or was refused, what takes a developer's or an admin's token."""

from loomstack_mcp.core.limits import MINUTE_MS, SENTENCE_CHARS_MAX
from loomstack_mcp.core.tokens import PowerVerdict, Principal
from loomstack_mcp.store import queries
from loomstack_mcp.store.base import Tx

TOKENS = queries.statements("tokens")


def count_power(
    tx: Tx, by: Principal, verdict: PowerVerdict, what: str, *, about: str, at_ms: int | None = None
) -> int:
    """Write it down, in the private database; what is the same within a minute is one row. How many it has by now."""
    at_ms = tx.now_ms if at_ms is None else at_ms
    columns = {"at_ms": at_ms if verdict == "granted" else at_ms // MINUTE_MS * MINUTE_MS, "verdict": verdict}
    about = about[:SENTENCE_CHARS_MAX]
    [row] = tx.all(TOKENS["count_power"], **columns, what=what, who=by.name, token_id=by.token, about=about, count=1)
    return int(row["count"])
