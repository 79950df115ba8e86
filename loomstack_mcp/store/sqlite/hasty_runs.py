"""What git's hooks in a hurry ask the store: one question each, in few modules.

What it is not sure of is asked the way everybody else asks it.
"""

import sqlite3

from loomstack_mcp.core.limits import BUSY_WAIT_MS
from loomstack_mcp.store.plain import APPLICATION_ID, boot_and_clock_ms, newest_sqlite, sql_texts


def surely_committing_run(store: str, who: "dict[str, str]", *, agent: str, certain: bool, worktree: str) -> str:
    """The run in which an agent commits in a worktree; "" where only the service can tell, or has to write.

    It is sure where every live run of the session is of that agent, in that worktree, and needs no renewal, and where
    at most one of them was asked for.
    """
    boot_id, boot_ms = boot_and_clock_ms()
    found = _answers(store, "of_session", {**who, "boot_id": boot_id, "boot_ms": boot_ms}) or []
    runs = [run for run in found if run[1] == agent or not certain]
    if not runs or not all((run[1], run[3], run[4]) == (agent, worktree, 1) for run in runs):
        return ""
    asked = [run for run in runs if run[2] == "asked"]
    return str((asked or runs)[0][0]) if len(asked) < 2 else ""


def surely_holds_no_edits(store: str) -> bool:
    """Whether nothing is held for the edits of anybody, so that no commit ends such a claim."""
    return _answers(store, "edited", {}) == []


def _answers(store: str, name: str, parameters: "dict[str, str | int]") -> "list[tuple[str | int, ...]] | None":
    """None where the store does not answer, or is of another version."""
    try:
        connection = sqlite3.connect(_address(store), uri=True, isolation_level=None, timeout=BUSY_WAIT_MS / 1000)
        try:
            connection.execute("BEGIN")
            if connection.execute(sql_texts("glance")["file"]).fetchone() != (APPLICATION_ID, newest_sqlite()):
                return None
            return connection.execute(sql_texts("hasty_runs")[name], parameters).fetchall()
        finally:
            connection.close()
    except (sqlite3.Error, OSError):
        return None


def _address(store: str) -> str:
    name = store.replace("%", "%25").replace("?", "%3f").replace("#", "%23")  # https://sqlite.org/uri.html
    return f"file:{name}?mode=ro"
