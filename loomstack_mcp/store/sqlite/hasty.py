"""The store as a hook in a hurry reads and tells it: one connection, a few statements, few modules.

Nothing here explains what goes wrong, or waits: whoever gets no answer asks the store as everybody else does.
"""

import fcntl
import json
import os
import sqlite3

from loomstack_mcp.core.limits import BUSY_WAIT_MS
from loomstack_mcp.core.patterns.keys import ancestors, keys_below
from loomstack_mcp.core.step_names import edit_step
from loomstack_mcp.store.plain import APPLICATION_ID, boot_and_clock_ms, newest_sqlite, sql_texts, wall_ms

TYPE_CHECKING = False  # `typing` costs a hook 4 ms
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


def seen_stamps(
    store: str, caller: "Mapping[str, str]", places: "Sequence[tuple[str, str]]", *, claim_edits: str
) -> list[str]:
    """By what a caller's edits of files were judged, each by worktree and path there; "" where one was not.

    None at all where a claim that is not its own may be in the way of these files, in whatever repo they lie, where one
    is still to be held for it, where the caller checks another's work, or where the store does not answer.
    `claim_edits` is what the environment says of holding, "" for nothing.
    """
    try:
        with _Connection(store, mode="ro") as connection:
            connection.execute("BEGIN")
            return list(_stamps(connection, caller, places, claim_edits))
    except _REFUSED:
        return []


def remembered_stamps(
    store: str, caller: "Mapping[str, str]", places: "Sequence[tuple[str, str]]"
) -> "list[tuple[str, ...]]":
    """Of edits as a hub's edge remembers them: by what each was judged, the setting of holding, and its repo.

    And "", or of one that was not judged itself the patterns, as JSON, of all that rules are about there. None at all
    where neither is known of one of them.
    """
    found = []
    for folder, path in places:
        asked = {**caller, "folder": folder, "step": edit_step(path)}
        if not (rows := answers(store, sql_texts("glance")["remembered"], asked)):
            return []
        found.append(tuple(map(str, rows[0])))
    return found


def line_stamp(store: str, caller: "Mapping[str, str]", folder: str) -> str:
    """By what it is known of a worktree that no rule looks at calls of tools, and none but the built-in ones at lines.

    "" where one does, where that is not known, and where the store does not answer.
    """
    found = answers(store, sql_texts("glance")["line"], {**caller, "folder": folder})
    return str(found[0][0]) if found else ""


def line_began(store: str, session: str, tool_use: str) -> bool:
    """Whether a shell line was seen to begin; True, too, where the store does not answer."""
    return answers(store, sql_texts("glance")["began"], {"session": session, "tool_use": tool_use}) != []


def has_no_alerts(store: str, caller: "Mapping[str, str]") -> bool:
    """Whether an agent's runs surely have nothing to hear; False where the store does not answer."""
    return answers(store, sql_texts("glance")["alerts"], caller) == []


def answers(store: str, statement: str, asked: "Mapping[str, object]") -> "list[tuple[str | int, ...]] | None":
    """What one statement finds; None where the store does not answer, or is of another version."""
    try:
        with _Connection(store, mode="ro") as connection:
            connection.execute("BEGIN")
            _must_be_ours(connection, sql_texts("glance")["file"])
            return connection.execute(statement, asked).fetchall()
    except _REFUSED:
        return None


def noted_call(store: str, call: "Mapping[str, str | int]", *, kept_for_ms: int) -> bool:
    """Note that a call of ours is made, as `sightings.saw_call` does; False where that cannot be done at once."""
    try:
        gate = os.open(f"{store}-gate", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(gate, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with _Connection(store, mode="rw") as connection:  # which is closed, and the log checkpointed, at the gate
                connection.execute("PRAGMA synchronous = NORMAL")
                connection.execute("BEGIN IMMEDIATE")
                _note(connection, call, kept_for_ms)
                connection.execute("COMMIT")
        finally:
            os.close(gate)
    except _REFUSED:
        return False
    return True


class _NotSure(Exception):
    pass


_REFUSED = (sqlite3.Error, OSError, _NotSure)


class _Connection:
    """A connection that is closed at the end; `contextlib` costs a hook a millisecond."""

    def __init__(self, store: str, *, mode: str) -> None:
        name = store.replace("%", "%25").replace("?", "%3f").replace("#", "%23")  # https://sqlite.org/uri.html
        self._found = sqlite3.connect(
            f"file:{name}?mode={mode}", uri=True, isolation_level=None, timeout=BUSY_WAIT_MS / 1000
        )

    def __enter__(self) -> sqlite3.Connection:
        return self._found

    def __exit__(self, *_: object) -> None:
        self._found.close()


def _stamps(
    connection: sqlite3.Connection, caller: "Mapping[str, str]", places: "Sequence[tuple[str, str]]", claim_edits: str
) -> "Iterator[str]":
    texts = sql_texts("glance")
    _must_be_ours(connection, texts["file"])
    if connection.execute(texts["alerts"], caller).fetchone():  # which a closer look tells
        raise _NotSure
    if caller["agent"] and connection.execute(texts["check"], caller).fetchone():
        raise _NotSure
    boot_id, boot_ms = boot_and_clock_ms()
    for folder, path in places:
        key = f"{path}/".lower()  # ASCII, of which this is the casefolded text
        low, high = keys_below(key)
        near = {"above": json.dumps(ancestors(key)), "low": low, "high": high, "boot_id": boot_id, "boot_ms": boot_ms}
        asked = {**caller, **near, "folder": folder, "path": path}
        if connection.execute(texts["near"], asked).fetchone():
            raise _NotSure
        stamp, edits = connection.execute(texts["stamp"], {**asked, "step": edit_step(path)}).fetchone() or ("", "")
        if (claim_edits or edits) != "off" and not connection.execute(texts["own"], asked).fetchone():
            raise _NotSure
        yield stamp


def _note(connection: sqlite3.Connection, call: "Mapping[str, str | int]", kept_for_ms: int) -> None:
    _must_be_ours(connection, sql_texts("glance")["file"])
    boot, sightings = sql_texts("boot"), sql_texts("sightings")
    boot_id, boot_ms = boot_and_clock_ms()
    known = connection.execute(boot["known"], {"boot_id": boot_id}).fetchone()
    if not known:  # the first writer of a boot begins its clock
        raise _NotSure
    base_ms, floor_ms = known
    now_ms, shown_ms = base_ms + boot_ms, wall_ms()
    used_at_ms = shown_ms if shown_ms >= floor_ms else now_ms
    connection.execute(boot["use"], {"boot_id": boot_id, "used_at_ms": used_at_ms})
    connection.execute(sightings["sweep"], {"now_ms": now_ms})
    unsaid = {"stamp": "", "claim_edits": "", "repo_id": ""}
    connection.execute(sightings["insert"], {**call, **unsaid, "expires_at_ms": now_ms + kept_for_ms})


def _must_be_ours(connection: sqlite3.Connection, file: str) -> None:
    if connection.execute(file).fetchone() != (APPLICATION_ID, newest_sqlite()):
        raise _NotSure
