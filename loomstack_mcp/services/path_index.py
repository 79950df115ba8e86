"""Which claims, waiters, runs and notes lie near some patterns: the index over literal folder prefixes."""

from collections.abc import Iterator, Sequence
from typing import Literal

from loomstack_mcp.core.errors import LimitExceeded
from loomstack_mcp.core.limits import CANDIDATES_MAX, PATHS_MAX
from loomstack_mcp.core.patterns.globs import first_overlap, pattern
from loomstack_mcp.core.patterns.keys import ancestors, keys_below
from loomstack_mcp.core.records import record
from loomstack_mcp.core.texts import within
from loomstack_mcp.store import queries, rows
from loomstack_mcp.store.base import Row, Tx

PATHS = queries.statements("paths")
REPOS = queries.statements("repos")

Indexed = Literal["claim", "waiter", "run", "note", "change"]
COMPARED_MAX = 20_000
"""Patterns near some paths that a question is compared with where nothing may be missed; what is more is said."""
FIRST_PAGE = 256
"""Most requests see a handful of candidates; a wide one that conflicts finds its blockers among these."""


@record
class PathsFound:
    """What overlaps some paths, by id."""

    ids: tuple[str, ...]
    is_cut: bool = False
    """Whether more lay near than was compared, so that some may be missing."""


def refuse_many_paths(patterns: Sequence[str], *, least: int = 0) -> None:
    """Raises LimitExceeded for more paths than one call may name; each alternative in braces counts as one."""
    count = sum(len(pattern(text).ways) for text in patterns[:PATHS_MAX]) + len(patterns[PATHS_MAX:])
    within("the number of paths", count, least=least, most=PATHS_MAX)


def index_paths(tx: Tx, repo_id: str, noun: Indexed, id: str, patterns: Sequence[str]) -> None:  # noqa: A002
    """Record where something lies."""
    places = sorted({(way.key.casefold(), way.extension, text) for text in patterns for way in pattern(text).ways})
    tx.later(PATHS["insert"], repo_id=repo_id, noun=noun, id=id, places=rows.json_column(places))


def unindex_paths(tx: Tx, ids: Sequence[str]) -> None:
    """It lies nowhere any more."""
    tx.later(PATHS["delete"], ids=rows.json_column(ids))


def is_indexed(tx: Tx, id: str) -> bool:  # noqa: A002
    """Whether it lies anywhere still."""
    return bool(tx.all(PATHS["lies"], id=id))


def overlapping(
    tx: Tx, repo_id: str, noun: Indexed, wanted: Sequence[str], *, ignore_case: bool
) -> Iterator[list[str]]:
    """The ids of what overlaps `wanted`, exactly, in pages: a caller that has seen enough stops.

    Raises LimitExceeded when more than CANDIDATES_MAX patterns would have to be compared.
    """
    keys = nearness(wanted)
    seen: set[str] = set()
    done = 0
    for limit in (FIRST_PAGE, CANDIDATES_MAX + 1):
        found = tx.all(PATHS["near"], repo_id=repo_id, noun=noun, limit=limit, keys=keys)
        page = []
        for row in found[done:CANDIDATES_MAX]:
            if row["id"] not in seen and first_overlap(wanted, (row["pattern"],), ignore_case=ignore_case):
                seen.add(row["id"])
                page.append(row["id"])
        if page:
            yield page
        if len(found) < limit:
            return
        done = limit
    raise LimitExceeded(
        f"{', '.join(wanted)[:200]} is too wide: more than {CANDIDATES_MAX} {noun} patterns lie below it; "
        "name the folders you need"
    )


def all_overlapping(
    tx: Tx, repo_id: str, noun: Indexed, wanted: Sequence[str], *, ignore_case: bool, most: int = COMPARED_MAX
) -> PathsFound:
    """The ids of all that overlaps `wanted`, exactly, where no more than `most` patterns lie near."""
    if not wanted:
        return PathsFound(ids=())
    found = tx.all(PATHS["near"], repo_id=repo_id, noun=noun, limit=most + 1, keys=nearness(wanted))
    return overlapping_ids(found, wanted, ignore_case=ignore_case, most=most)


def overlapping_ids(
    found: Sequence[Row], wanted: Sequence[str], *, ignore_case: bool, most: int = COMPARED_MAX
) -> PathsFound:
    """Of candidates, as rows of `id` and `pattern`, those that overlap `wanted`. Each pattern is compared once."""
    overlaps = {
        pattern: bool(first_overlap(wanted, [pattern], ignore_case=ignore_case))
        for pattern in dict.fromkeys(row["pattern"] for row in found)
    }
    ids = tuple(dict.fromkeys(row["id"] for row in found if overlaps[row["pattern"]]))
    return PathsFound(ids=ids, is_cut=len(found) > most)


def ids_near(tx: Tx, repo_id: str, noun: Indexed, wanted: Sequence[str], *, limit: int) -> list[str]:
    """Ids of up to `limit` things at, above or below `wanted`: a guess at what overlaps, for reading only."""
    found = tx.all(PATHS["near"], repo_id=repo_id, noun=noun, limit=limit, keys=nearness(wanted))
    return list(dict.fromkeys(row["id"] for row in found))


def folds(tx: Tx, repo_id: str) -> bool:
    """Whether letter case tells no two paths of this repo apart."""
    return any(row["ignore_case"] for row in tx.all(REPOS["get"], repo_id=repo_id))


def cursor(tx: Tx, repo_id: str) -> int:
    """The sequence number of the repo's last change of state."""
    return sum(int(row["seq"]) for row in tx.all(REPOS["get"], repo_id=repo_id))


def nearness(wanted: Sequence[str]) -> str:
    """As JSON: the keys to look up one by one, and the ranges below them, where it helps only those of an extension.

    What lies below a literal path or folder conflicts whatever its extension.
    """
    above: set[str] = set()
    ranges: set[tuple[str, str]] = set()
    ranges_with: set[tuple[str, str, str]] = set()
    for way in (way for text in wanted for way in pattern(text).ways):
        key = way.key.casefold()
        above.update(ancestors(key))
        if way.literal or way.folder or not way.extension:
            ranges.add(keys_below(key))
        else:
            ranges_with.update((*keys_below(key), extension) for extension in ("", way.extension))
    return rows.json_column({"above": sorted(above), "below": sorted(ranges), "below_with": sorted(ranges_with)})
