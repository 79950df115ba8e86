"""Refused requests: their place in the queue, and the word to those whose paths are free again."""

import contextlib
from collections.abc import Sequence
from dataclasses import replace

from loomstack_mcp.core.claims import Blocker, Claim, Waiter, few_listed
from loomstack_mcp.core.errors import LimitExceeded
from loomstack_mcp.core.patterns.globs import first_overlap, pattern
from loomstack_mcp.services import events, path_index
from loomstack_mcp.services.blockers import WAITERS
from loomstack_mcp.services.requests import in_the_way, met
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Tx

_REMEMBERED_MAX = 20
"""Refused requests that one run is told about; the oldest is forgotten first."""


def refused_before(tx: Tx, wanted: Waiter, /) -> Waiter | None:
    """The earlier refusal of the very same request."""
    patterns = rows.json_column(wanted.patterns)
    found = tx.all(WAITERS["of_request"], run_id=wanted.run_id, mode=wanted.mode, patterns=patterns)
    return rows.as_record(Waiter, found[0]) if found else None


def keep_waiter(tx: Tx, wanted: Waiter, /, *, before: Waiter | None, blocker: Blocker) -> None:
    """Keep a refused request, with the place in the queue that it asked for.

    Asking again changes nothing but the end of that place; a place that lapsed is queued for anew.
    """
    keeps_place = before is not None and before.place_until_ms > tx.now_ms
    if before and (keeps_place or not wanted.place_until_ms):
        until_ms = max(before.place_until_ms, wanted.place_until_ms)
        tx.later(WAITERS["keep"], id=before.id, seq=before.seq, place_until_ms=until_ms, intent=wanted.intent)
        path_index.index_paths(tx, wanted.repo_id, "waiter", before.id, wanted.patterns)
        return
    payload = {"patterns": wanted.patterns, "intent": wanted.intent, "blocked_by": blocker.run}
    seq = events.append(tx, wanted.repo_id, "claim.refused", about=blocker.claim, run_id=wanted.run_id, payload=payload)
    if before:
        place = wanted.place_until_ms
        tx.later(WAITERS["keep"], id=before.id, seq=seq, place_until_ms=place, intent=wanted.intent)
        path_index.index_paths(tx, wanted.repo_id, "waiter", before.id, wanted.patterns)
        return
    drop_waiters(tx, _all_of(tx, wanted.run_id)[_REMEMBERED_MAX - 1 :])
    stored = rows.row(replace(wanted, seq=seq), only=_COLUMNS)
    waiter = events.drawn("wait", lambda id: tx.run(WAITERS["insert"], id=id, **stored))  # noqa: A006
    path_index.index_paths(tx, wanted.repo_id, "waiter", waiter, wanted.patterns)


def alert_freed(tx: Tx, ended: Sequence[Claim | Waiter], /) -> tuple[str, ...]:
    """Alert the runs whose refused requests nothing blocks any more; returns their ids, first come first.

    Who keeps no place is told once; the request itself is remembered, so that its grant settles the alert.
    """
    repo_id = ended[0].repo_id
    awaited = tx.all(WAITERS["awaited"], repo_id=repo_id)
    if not awaited:
        return ()
    ignore_case = bool(awaited[0]["ignore_case"])
    freed = tuple(sorted({text for claim in ended for text in claim.patterns}))
    waiting: list[str] = []
    with contextlib.suppress(LimitExceeded):  # too many to tell them all; who is not told finds out by asking
        for page in path_index.overlapping(tx, repo_id, "waiter", freed, ignore_case=ignore_case):
            waiting += page
    runs: dict[str, None] = {}
    for waiter in rows.as_records(Waiter, tx.all(WAITERS["by_ids"], ids=rows.json_column(waiting))):
        if waiter.run_id != ended[0].run_id and _is_free(tx, waiter):
            _tell_freed(tx, waiter)
            runs[waiter.run_id] = None
    return tuple(runs)


def told_lapsed(tx: Tx, run_id: str, /) -> bool:
    """A run is told of what it was refused and is free by time alone; returns whether it waits for more.

    Whoever keeps a place in the queue asks by itself, and is asked for again here once that is over.
    """
    untold = [waiter for waiter in _requests(tx, run_id) if path_index.is_indexed(tx, waiter.id)]
    waiting = [waiter for waiter in untold if waiter.place_until_ms > tx.now_ms or not _is_free(tx, waiter)]
    for waiter in untold:
        if waiter not in waiting:
            _tell_freed(tx, waiter)
    return bool(waiting)


def _tell_freed(tx: Tx, waiter: Waiter) -> None:
    text = f"{few_listed(waiter.patterns)} is free now: call claim_paths again"
    seq = path_index.cursor(tx, waiter.repo_id)
    events.alert(tx, waiter.run_id, "freed", seq=seq, about=waiter.id, text=text)
    if waiter.place_until_ms <= tx.now_ms:
        path_index.unindex_paths(tx, [waiter.id])


def settle_waiters(tx: Tx, granted: Waiter, /) -> None:
    """The run was granted these paths: it waits for them no longer, and need not be told that they are free."""
    ids = [waiter.id for waiter in _requests(tx, granted.run_id) if _is_within(waiter, granted)]
    drop_waiters(tx, ids)
    for waiter_id in ids:
        tx.later(events.ALERTS["settle"], run_id=granted.run_id, about=waiter_id)


def forget_waiters(tx: Tx, run_id: str, /) -> None:
    """A run that is about to be over waits for nothing; who was behind it alone is told."""
    withdraw_waiters(tx, _requests(tx, run_id))


def leave_queues(tx: Tx, run_id: str, /) -> None:
    """Nobody waits for answers of this run any more; what it was refused otherwise is remembered."""
    withdraw_waiters(tx, [waiter for waiter in _requests(tx, run_id) if waiter.place_until_ms > tx.now_ms])


def withdraw_waiters(tx: Tx, gone: Sequence[Waiter], /) -> None:
    """Nobody waits any more for the answer to these requests: their places are free for those behind."""
    drop_waiters(tx, [waiter.id for waiter in gone])
    placed = [waiter for waiter in gone if waiter.place_until_ms > tx.now_ms]
    for waiter in placed:
        events.append(tx, waiter.repo_id, "claim.withdrawn", about=waiter.id, run_id=waiter.run_id)
        alert_freed(tx, [waiter])


def drop_waiters(tx: Tx, ids: Sequence[str], /) -> None:
    """These requests wait no longer, and nobody is told of them."""
    if ids:
        path_index.unindex_paths(tx, ids)
        tx.later(WAITERS["delete"], ids=rows.json_column(ids))


def _is_within(waiter: Waiter, granted: Waiter) -> bool:
    """Whether a grant holds all of a refused request: the very same, or files of it."""
    if (waiter.mode, waiter.patterns) == (granted.mode, granted.patterns):
        return True
    stronger = granted.mode in ("exclusive", waiter.mode)
    return stronger and all(
        pattern(text).literal and first_overlap([text], granted.patterns) for text in waiter.patterns
    )


def _is_free(tx: Tx, waiter: Waiter) -> bool:
    """Whether nothing blocks this request any more; a request that became too wide to tell is not."""
    try:
        return not in_the_way(tx, waiter, met(tx, waiter), before=waiter)[0]
    except LimitExceeded:
        return False


def _requests(tx: Tx, run_id: str) -> tuple[Waiter, ...]:
    return rows.as_records(Waiter, tx.all(WAITERS["by_ids"], ids=rows.json_column(_all_of(tx, run_id))))


def _all_of(tx: Tx, run_id: str) -> list[str]:
    return [row["id"] for row in tx.all(WAITERS["of_run"], run_id=run_id)]


_COLUMNS = ("repo_id", "run_id", "seq", "mode", "intent", "patterns", "place_until_ms")
