"""A request for paths: what it meets, asked in one statement, and what of that stands in its way."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal

from loomstack_mcp.core.claims import Blocker, Claim, Waiter, blockers
from loomstack_mcp.core.limits import BLOCKERS_MAX
from loomstack_mcp.core.records import record
from loomstack_mcp.core.runs import Run
from loomstack_mcp.services import events
from loomstack_mcp.services.acting import RUNS, lineage
from loomstack_mcp.services.blockers import CLAIMS, WAITERS, held_against, kin
from loomstack_mcp.services.path_index import FIRST_PAGE, nearness, overlapping, overlapping_ids
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Tx


@record
class Met:
    """What a request meets. Most meet nothing, and then nobody has to be asked any more."""

    ignore_case: bool
    """Whether letter case tells no two paths of its repo apart."""
    is_child: bool
    """Whether its run was started in another one."""
    longest_ms: int
    """The longest lease that its run asked for with what it holds; 0 where it holds nothing."""
    was_refused: bool
    """Whether its run remembers any refused request."""
    has_alerts: bool
    """Whether its run has something to hear."""
    is_told: bool
    """Whether a note, or a landed change, lies near its paths."""
    fresh_id: str
    """An id that no claim has."""
    near: tuple[tuple[str, str, str], ...]
    """The first claims and earlier requests near its paths, as noun, id and pattern."""

    @property
    def is_whole(self) -> bool:
        """Whether no more than those lie near its paths."""
        return len(self.near) < FIRST_PAGE

    def may_renew(self, wanted: Waiter) -> bool:
        """Whether its run may hold just these paths already."""
        same = any(noun == "claim" and text in wanted.patterns for noun, _, text in self.near)
        return bool(self.longest_ms) and (same or not self.is_whole)


@record
class Near:
    """Where a request is looked at, and the id that its claim may get: the same ahead of the lock and under it."""

    keys: str
    fresh_id: str


def near_of(patterns: Sequence[str], /) -> Near:
    """That of a request for these."""
    return Near(keys=nearness(patterns), fresh_id=events.fresh_id("claim"))


def meet_ahead(tx: Tx, run: Run, near: Near, /) -> None:
    """Have what a request of that run meets told with the lock."""
    tx.ahead(CLAIMS["met"], **_asked(run.repo_id, run.id, near))


def met(tx: Tx, wanted: Waiter, near: Near | None = None, /) -> Met:
    """What a request meets, asked once."""
    near = near or near_of(wanted.patterns)
    while True:
        [found] = tx.all(CLAIMS["met"], **_asked(wanted.repo_id, wanted.run_id, near))
        if not found["is_taken"]:
            break
        near = replace(near, fresh_id=events.fresh_id("claim"))
    flags = {name: bool(found[name]) for name in ("ignore_case", "is_child", "was_refused", "has_alerts", "is_told")}
    others = tuple(map(tuple, rows.list_column(found["near"])))
    return Met(**flags, longest_ms=found["longest_ms"], fresh_id=near.fresh_id, near=others)


def _asked(repo_id: str, run_id: str, near: Near) -> dict[str, Any]:
    return {"repo_id": repo_id, "run_id": run_id, "keys": near.keys, "fresh_id": near.fresh_id, "limit": FIRST_PAGE}


def in_the_way(tx: Tx, wanted: Waiter, here: Met, /, *, before: Waiter | None) -> tuple[list[Blocker], list[Claim]]:
    """The blockers of a request, and, where there are none, the claims that its grant ends.

    Those have lapsed, or they are automatic ones of its own session.

    `before` is the same request's earlier refusal: only who came before that is ahead of it.
    """
    family = lineage(tx, wanted.run_id) if here.is_child else frozenset([wanted.run_id])
    claims = pages_met(tx, wanted, here, "claim")
    found, ending = held_against(
        tx, wanted, family, claims, kin=partial(_kin_of_run, tx, wanted.run_id), ignore_case=here.ignore_case
    )
    if len(found) >= BLOCKERS_MAX:
        return found, []
    for page in pages_met(tx, wanted, here, "waiter"):
        found += blockers(wanted, waiters_ahead(tx, page, before), lineage=family, ignore_case=here.ignore_case)
    return found, ending


def pages_met(tx: Tx, wanted: Waiter, here: Met, noun: Literal["claim", "waiter"]) -> Iterable[Sequence[str]]:
    """The ids of what overlaps a request, exactly, in pages."""
    if not here.is_whole:
        return overlapping(tx, wanted.repo_id, noun, wanted.patterns, ignore_case=here.ignore_case)
    near = [{"id": near_id, "pattern": text} for kind, near_id, text in here.near if kind == noun]
    found = overlapping_ids(near, wanted.patterns, ignore_case=here.ignore_case)
    return [found.ids] if found.ids else []


def waiters_ahead(tx: Tx, ids: Sequence[str], before: Waiter | None) -> Iterator[Waiter]:
    """The waiters among `ids` that keep a place ahead of this request."""
    mine = before.seq if before and before.place_until_ms > tx.now_ms else None
    for waiter in rows.as_records(Waiter, tx.all(WAITERS["by_ids"], ids=rows.json_column(ids))):
        if waiter.place_until_ms > tx.now_ms and (mine is None or waiter.seq < mine):
            yield waiter


def _kin_of_run(tx: Tx, run_id: str) -> frozenset[str]:
    [run] = rows.as_records(Run, tx.all(RUNS["get"], id=run_id))
    return kin(tx, run)
