"""A repo out of one store into another, whole or not at all, with all that is known of it."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import count
from typing import cast

from loomstack_mcp.core.copying import Passage, Tally, carried_row, ended_row, tallied
from loomstack_mcp.core.errors import StoreUnavailable
from loomstack_mcp.core.ids import BITS, Noun, spelled_id
from loomstack_mcp.core.records import record
from loomstack_mcp.services import events
from loomstack_mcp.services.copied_tables import COPYING, LEDGER, TABLES, WITH_IDS, CopiedTable
from loomstack_mcp.services.copy_origins import CopyOrigin, arriving_repo, came_before, copy_origin, repo_seq
from loomstack_mcp.services.repos import REPOS
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Row, Store, Tx
from loomstack_mcp.store.many import write_rows

PAGE_ROWS = 20_000


@record
class RepoCopy:
    """What became, or would become, of one repo."""

    repo: str
    into: str
    """Its id where it arrives."""
    rows: int = 0
    is_joined: bool = False
    """Whether something was known of it there already."""
    has_ledger: bool = False
    """Whether what landed came along; else nothing is compared with it until clones tell it again."""
    before: str = ""
    """That it came before, and how much it has told since; "" where it did not."""


@record
class CopyWish:
    """How repos are to be copied, and by whom."""

    who: str
    names: Mapping[str, str]
    """New names of people."""
    has_ledger: bool
    """Whether the lines of both stores are hashed with one key."""
    is_tried: bool = False
    """Whether nothing is to be written."""


def copied_repo(
    source: Store, target: Store, repo_id: str, wish: CopyWish, *, told: Callable[[int], None] = lambda _: None
) -> RepoCopy:
    """The repo is in the target with all that the source knew of it, in one transaction; or came before.

    In a target that knew the repo its sequence goes behind what is there, and its live runs are lost: what they held
    others may hold. `told` hears now and then how many rows have gone. Raises Invalid for a repo whose names stand for
    two there, StoreUnavailable where what arrived is not what was sent.
    """
    with source.read() as out:
        origin = copy_origin(out, repo_id)
        with target.read() as tx:
            into = arriving_repo(tx, origin)
            found = RepoCopy(
                repo=repo_id,
                into=into,
                is_joined=repo_seq(tx, into) > 0,
                has_ledger=wish.has_ledger and not repo_seq(tx, into) and into == repo_id,
                before=came_before(tx, into, origin),
            )
        if found.before or wish.is_tried:
            wish = replace(wish, has_ledger=found.has_ledger)
            return found if found.before else replace(found, rows=sum(1 for _ in _all_rows(out, origin, wish)))
        with target.append() as tx:
            tx.later(REPOS["insert"], repo_id=into, ignore_case=origin.ignore_case, now_ms=origin.created_at_ms)
        with target.write(into) as tx:
            if before := came_before(tx, into, origin):  # another copy came first to the lock
                return replace(found, before=before)
            return _written(out, tx, found, origin, wish, told)


def _written(
    out: Tx, tx: Tx, found: RepoCopy, origin: CopyOrigin, wish: CopyWish, told: Callable[[int], None]
) -> RepoCopy:
    shift = repo_seq(tx, found.into)
    # The key of a repo's lines is made of its id, too; and what landed is not told twice.
    has_ledger = wish.has_ledger and not shift and found.into == origin.repo_id
    found, wish = replace(found, has_ledger=has_ledger), replace(wish, has_ledger=has_ledger)
    passage = Passage(
        repo_id=found.into,
        shift=shift,
        ids=_new_ids(out, tx, origin),
        names=wish.names,
        keeps_keys=not (shift or wish.names),
    )
    live = [row["id"] for row in _rows(out, TABLES[0], origin.repo_id) if shift and row["state"] == "live"]
    ends = _Ends(is_needed=shift > 0, live=frozenset(live), now_ms=tx.now_ms)
    total = 0
    for table in _tables(wish):
        before = total
        for sent in _moved(out, tx, table, origin, passage, wish, ends):
            total = before + sent.rows
            told(total)
    for name in (origin.repo_id, *origin.names):
        tx.later(REPOS["also"], identity=name, repo_id=found.into)
    if origin.ignore_case:
        tx.later(REPOS["fold"], repo_id=found.into)
    if has_ledger:
        tx.later(COPYING["put_filled"], repo_id=found.into, filled=origin.filled)
    _told(tx, origin, passage, ends, {"who": wish.who, "seq": origin.seq, "shift": shift, "rows": total})
    return replace(found, rows=total, is_joined=shift > 0)


def _told(tx: Tx, origin: CopyOrigin, passage: Passage, ends: "_Ends", payload: Mapping[str, object]) -> None:
    """The log goes on behind what came. Its numbers are given: a transaction may count from where it began."""
    first = passage.shift + origin.seq + 1
    last = first + len(ends.live)
    for seq, run_id in enumerate((passage.ids.get(one, one) for one in sorted(ends.live)), start=first):
        lost = {"status": "copied into a store that knew its repository"}
        events.append(tx, passage.repo_id, "run.lost", about=run_id, run_id=run_id, payload=lost, seq=seq)
    events.append(tx, passage.repo_id, "repo.copied", about=origin.told_by, payload=payload, seq=last)
    tx.later(COPYING["advance"], repo_id=passage.repo_id, seq=last)


@record
class _Ends:
    """What of the source is not to go on where it arrives."""

    is_needed: bool
    live: frozenset[str]
    now_ms: int


def _tables(wish: CopyWish) -> tuple[CopiedTable, ...]:
    return (*TABLES, *LEDGER) if wish.has_ledger else TABLES


def _moved(
    out: Tx, tx: Tx, table: CopiedTable, origin: CopyOrigin, passage: Passage, wish: CopyWish, ends: _Ends
) -> Iterator[Tally]:
    """The rows of one table arrive, and are read again there; what has gone after each page of them.

    Raises StoreUnavailable where they differ.
    """
    before = tallied(Tally(), _rows(tx, table, passage.repo_id))
    sent = Tally()
    for page in _pages(out, table, origin.repo_id):
        arriving = [carried_row(row, passage) for row in _ended(_taken(page, table, wish), table, ends)]
        write_rows(tx, table.put, arriving)
        sent = tallied(sent, arriving)
        yield sent
    if tallied(Tally(), _rows(tx, table, passage.repo_id)) - before != sent:
        raise StoreUnavailable(
            f"{origin.repo_id}: what arrived in {table.noun} is not what was sent, so nothing of this repository was "
            "kept; check both stores with `db check`, and try again"
        )


def _taken(page: Iterable[Row], table: CopiedTable, wish: CopyWish) -> Iterator[Row]:
    """Without what the ledger made of it, where that stays."""
    for row in page:
        if table.noun == "path_key" and row["noun"] == "change" and not wish.has_ledger:
            continue
        yield {**row, "imprinted": 0} if table.noun == "binding" and not wish.has_ledger else row


def _ended(page: Iterable[Row], table: CopiedTable, ends: _Ends) -> Iterator[Row]:
    if not ends.is_needed:
        yield from page
        return
    for row in page:
        if (found := ended_row(table.noun, row, live=ends.live, now_ms=ends.now_ms)) is not None:
            yield found


def _pages(tx: Tx, table: CopiedTable, repo_id: str) -> Iterator[list[Row]]:
    for at in count(0, PAGE_ROWS):
        page = tx.all(table.read, repo_id=repo_id, limit=PAGE_ROWS, offset=at)
        if page:
            yield page
        if len(page) < PAGE_ROWS:
            return


def _rows(tx: Tx, table: CopiedTable, repo_id: str) -> Iterator[Row]:
    for page in _pages(tx, table, repo_id):
        yield from page


def _all_rows(out: Tx, origin: CopyOrigin, wish: CopyWish) -> Iterator[Row]:
    for table in _tables(wish):
        yield from _taken(_rows(out, table, origin.repo_id), table, wish)


def _new_ids(out: Tx, tx: Tx, origin: CopyOrigin) -> dict[str, str]:
    """New ids for those of its things that something else there has."""
    changed: dict[str, str] = {}
    for table in (table for table in TABLES if table.noun in WITH_IDS):
        for page in _pages(out, table, origin.repo_id):
            ids = rows.json_column([row["id"] for row in page])
            changed |= {str(row["id"]): _free_id(tx, str(row["id"])) for row in tx.all(COPYING["taken_ids"], ids=ids)}
    return changed


def _free_id(tx: Tx, taken: str) -> str:
    noun = cast("Noun", taken.partition("_")[0])
    while True:
        drawn = spelled_id(noun, int.from_bytes(os.urandom(BITS // 8), "big"))
        if not tx.all(COPYING["taken_ids"], ids=rows.json_column([drawn])):
            return drawn
