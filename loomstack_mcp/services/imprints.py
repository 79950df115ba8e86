"""Imprints: what runs made, kept so that it is known again however it lands, and whose a landed change is by that."""

from collections.abc import Collection, Iterable, Sequence
from itertools import groupby

from loomstack_mcp.core.changes.imprints import Imprint, KnownRun, Maker, imprint, range_mark, recognised
from loomstack_mcp.core.changes.meaning import MEANING
from loomstack_mcp.core.changes.works import RunWork, WantedWork, Work, older_than_all, own_work
from loomstack_mcp.core.limits import IMPRINT_KEPT_MS
from loomstack_mcp.core.runs import Run
from loomstack_mcp.services import landed, landed_index, slices
from loomstack_mcp.services.acting import RUNS
from loomstack_mcp.services.attributed import keep_attribution, late_attribution
from loomstack_mcp.services.hints import known_hints
from loomstack_mcp.services.line_keys import hold_key
from loomstack_mcp.store import queries, rows
from loomstack_mcp.store.base import Row, Store, Tx

IMPRINTS = queries.statements("imprints")

_WAITING_MAX = 500
_CLOCKS_MS = 5_000
"""Git dates commits to the second, and a run may start while its first commit is being made."""


def wanted_work(store: Store, repo_id: str) -> tuple[WantedWork, ...]:
    """The commits that runs said to have made, and whose content is not known yet, the newest runs first."""
    with store.read() as tx:
        since_ms = tx.now_ms - IMPRINT_KEPT_MS
        asked = {"repo_id": repo_id, "meaning": MEANING, "since_ms": since_ms, "limit": _WAITING_MAX}
        waiting = tx.all(IMPRINTS["waiting"], **asked)
    by_run = groupby(waiting, key=lambda row: (row["run_id"], row["started_at_ms"] - _CLOCKS_MS))
    return tuple(_wanted(run_id, since_ms, list(named)) for (run_id, since_ms), named in by_run)


def wanted_signed(store: Store, repo_id: str, hints: Iterable[str]) -> tuple[WantedWork, ...]:
    """Of the runs that messages name those that recorded nothing, with where they may have signed something."""
    with store.read() as tx:
        named = known_hints(tx, repo_id, dict.fromkeys(hints))
        silent = [run for run in named if not tx.all(IMPRINTS["of_run"], run_id=run.id, meaning=MEANING)]
    return tuple(
        WantedWork(run_id=run.id, since_ms=run.started_at_ms - _CLOCKS_MS, worktree=run.worktree) for run in silent
    )


def keep_work(store: Store, repo_id: str, made: RunWork, *, key_name: str) -> None:
    """Keep the content of what a run made, but for what is another's, or nobody said to be its.

    What landed before it was known whose it is, is known now. Raises StoreUnavailable where the repo has another key.
    """
    with store.read() as tx:
        if not known_hints(tx, repo_id, [made.run_id]):
            return
        shas = [sha for one in (*made.commits, *made.branches, *made.signed) for sha in one.shas]
        bound = tx.all(IMPRINTS["bound_to"], repo_id=repo_id, shas=rows.json_column(shas))
    own = [row for row in bound if row["run_id"] == made.run_id]
    others = {row["sha"] for row in bound if row["run_id"] != made.run_id}
    kept = own_work(made, its={row["sha"] for row in own}, others=others)
    keep_imprint(store, repo_id, made.run_id, (*kept.commits, *kept.signed), branches=kept.branches, key_name=key_name)
    _mark_read(store, repo_id, kept, own, key_name=key_name)


def keep_imprint(
    store: Store,
    repo_id: str,
    run_id: str,
    made: Sequence[Work],
    *,
    branches: Sequence[Work] = (),
    key_name: str = "",
) -> None:
    """These are that run's, and the `branches` as wholes; also what of them has landed in another form already."""
    works = (*made, *branches)
    lines = {mark for one in works for mark in (*one.imprint.telling, *one.imprint.placed)}
    marks = {mark for one in works for mark in (*one.imprint.marks, *one.imprint.rest)}
    marks |= {range_mark(one.imprint.whole) for one in branches if one.imprint.whole}
    if not (marks or lines):
        return
    with store.append() as tx:
        hold_key(tx, repo_id, key_name)
        number, made_at_ms = _begun(tx, repo_id, run_id, works)

    def add(tx: Tx, some: Sequence[int]) -> None:
        hold_key(tx, repo_id, key_name)
        tx.later(IMPRINTS["add"], imprint=number, marks=rows.json_column(some))

    def add_lines(tx: Tx, some: Sequence[int]) -> None:
        hold_key(tx, repo_id, key_name)
        new = tx.run(IMPRINTS["add"], imprint=number, marks=rows.json_column(some))
        tx.later(IMPRINTS["count_lines"], imprint=number, new=new)

    slices.in_slices(store, sorted(lines), add_lines)
    slices.in_slices(store, sorted(marks - lines), add)
    names = {path for one in works for path in one.paths}
    _recognise_landed(store, repo_id, run_id, names, made_at_ms=made_at_ms)


def _begun(tx: Tx, repo_id: str, run_id: str, works: Sequence[Work]) -> tuple[int, int]:
    """The number of a run's imprint, to which these works come, and when the first of all was made."""
    made_at_ms = min((one.at_ms for one in works if one.at_ms), default=0)
    older = older_than_all(one.older for one in works)
    columns = {"repo_id": repo_id, "run_id": run_id, "meaning": MEANING, "now_ms": tx.now_ms}
    [row] = tx.all(IMPRINTS["insert"], made_at_ms=made_at_ms, older=rows.json_column(older), **columns)
    before = rows.list_column(row["older"])
    if (still := older_than_all((before, older))) != before:
        tx.later(IMPRINTS["keep_older"], imprint=row["number"], older=rows.json_column(still))
    return row["number"], row["made_at_ms"]


def maker_of(
    tx: Tx, repo_id: str, sha: str, wanted: Imprint, *, made_at_ms: int, hints: Collection[str] = ()
) -> Maker | None:
    """Whose a commit is by its content alone; of what several made, whoever left it first."""
    if not wanted.marks or not tx.all(IMPRINTS["any"], repo_id=repo_id, meaning=MEANING):
        return None
    asked = {"repo_id": repo_id, "meaning": MEANING, "made_at_ms": made_at_ms, "sha": sha}
    found: dict[tuple[int, str], set[int]] = {}
    for row in tx.all(IMPRINTS["sharing"], marks=rows.json_column(list(wanted.marks)), **asked):
        found.setdefault((row["number"], row["run_id"]), set()).add(row["mark"])
    known = []
    for (number, run_id), shared in sorted(found.items()):
        [size] = tx.all(IMPRINTS["size"], imprint=number)
        known.append(KnownRun(run_id=run_id, shared=frozenset(shared), size=size["marks"]))
    return recognised(wanted, known, hints=hints)


def forget_imprints(store: Store, repo_id: str) -> None:
    """What runs made so long ago that it will hardly land, or is of another meaning, is forgotten."""
    with store.read() as tx:
        faded = tx.all(IMPRINTS["fade"], repo_id=repo_id, before_ms=tx.now_ms - IMPRINT_KEPT_MS, meaning=MEANING)
    for row in faded:
        slices.until_none(store, IMPRINTS["forget_marks"], imprint=row["number"])
        with store.append() as tx:
            tx.later(IMPRINTS["forget"], imprint=row["number"])


def _wanted(run_id: str, since_ms: int, named: Sequence[Row]) -> WantedWork:
    return WantedWork(
        run_id=run_id,
        since_ms=since_ms,
        commits=tuple(row["sha"] for row in named),
        after_ms=tuple(row["made_at_ms"] - since_ms if row["made_at_ms"] else None for row in named),
    )


def _mark_read(store: Store, repo_id: str, kept: RunWork, own: Sequence[Row], *, key_name: str) -> None:
    read = {sha for one in kept.commits for sha in one.shas}
    if digits := [row["digits"] for row in own if row["sha"] in read]:
        asked = {"repo_id": repo_id, "run_id": kept.run_id, "meaning": MEANING}
        with store.append() as tx:
            hold_key(tx, repo_id, key_name)
            tx.later(IMPRINTS["imprinted"], shas=rows.json_column(digits), **asked)


def _recognise_landed(store: Store, repo_id: str, run_id: str, names: Collection[str], *, made_at_ms: int) -> None:
    """What landed on some files as nobody's, and is a run's by what is known now."""
    found, told = [], []
    with store.read() as tx:
        [run] = rows.as_records(Run, tx.all(RUNS["get"], id=run_id))
        since_ms = min(run.started_at_ms, made_at_ms or run.started_at_ms)
        asked = {"repo_id": repo_id, "since_ms": since_ms, "paths": rows.json_column(sorted(names))}
        for row in tx.all(IMPRINTS["nobodys"], **asked):
            known_by, hints = imprint(landed.files_of(tx, repo_id, row["sha"])), rows.list_column(row["hints"])
            if maker := maker_of(tx, repo_id, row["sha"], known_by, made_at_ms=row["made_at_ms"], hints=hints):
                found.append((row["sha"], maker))
            if (late := late_attribution(tx, repo_id, row["sha"], known_by)) and late.attribution.run_id:
                told.append(late)
    for sha, maker in found:
        whose = {"run_id": maker.run_id, "bound_by": maker.bound_by}
        with store.append() as tx:
            known = tx.all(IMPRINTS["know"], repo_id=repo_id, sha=sha, **whose)
        if any(row["is_trunk"] for row in known):
            landed_index.index_bound(store, maker.run_id, repo_id, [sha])
    for late in told:
        with store.append() as tx:
            keep_attribution(tx, repo_id, late)
