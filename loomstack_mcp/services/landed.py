"""What landed, read back out of the ledger: by file, by path, and the claims that runs made it under."""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import replace

from loomstack_mcp.core.changes.conflict_records import Intent
from loomstack_mcp.core.changes.hunks import Change, FileChange
from loomstack_mcp.core.changes.packing import unpacked
from loomstack_mcp.core.claims import Claim
from loomstack_mcp.core.limits import PATTERN_CHARS_MAX
from loomstack_mcp.core.patterns.globs import first_overlap, literal
from loomstack_mcp.services import path_index
from loomstack_mcp.services.blockers import CLAIMS
from loomstack_mcp.store import queries, rows
from loomstack_mcp.store.base import Row, Tx

CHANGES = queries.statements("changes")

_CLAIMS_MAX = 100_000
"""More than a run can be granted within its days: no earlier claim hides one that says why."""


def at_paths(tx: Tx, repo_id: str, names: Iterable[str], *, among: Container[str] | None = None) -> dict[str, Change]:
    """What landed changes, all or those `among` some, did to some files, followed through renames, by commit.

    Bound ones bear their loop's name.
    """
    asked: set[str] = set()
    found: dict[tuple[str, str], FileChange] = {}
    new = set(names)
    while new:
        rows_ = tx.all(CHANGES["at_paths"], repo_id=repo_id, paths=rows.json_column(sorted(new)))
        asked |= new
        counted = (row for row in rows_ if among is None or row["sha"] in among)
        found |= {(row["sha"], row["path"]): _file(row) for row in counted}
        new = {name for row in rows_ for name in (row["path"], row["old_path"])} - asked
    files: dict[str, list[FileChange]] = {}
    for (sha, _), file in sorted(found.items(), key=lambda one: one[0]):
        files.setdefault(sha, []).append(file)
    return {change.sha: replace(change, files=tuple(files[change.sha])) for change in _changes(tx, repo_id, files)}


def authors(tx: Tx, repo_id: str) -> list[tuple[str, str]]:
    """Everybody, as account and name, whose changes the ledger has."""
    return [(row["account"], row["author"]) for row in tx.all(CHANGES["authors"], repo_id=repo_id)]


def paths_of(tx: Tx, repo_id: str, shas: Sequence[str]) -> set[str]:
    """All files of some landed changes."""
    return {row["path"] for row in tx.all(CHANGES["paths_of"], repo_id=repo_id, shas=rows.json_column(shas))}


def files_of(tx: Tx, repo_id: str, sha: str) -> tuple[FileChange, ...]:
    """All that a landed change did."""
    return tuple(map(_file, tx.all(CHANGES["files_of"], repo_id=repo_id, sha=sha)))


def on_purpose(
    tx: Tx, repo_id: str, wanted: Sequence[str], *, ignore_case: bool
) -> tuple[list[Change], path_index.PathsFound]:
    """Landed changes of runs that had claimed some of these paths for it, newest first, without their files."""
    found = path_index.all_overlapping(tx, repo_id, "change", wanted, ignore_case=ignore_case)
    return sorted(_changes(tx, repo_id, found.ids), key=lambda change: -change.at_ms), found


def literals(names: Sequence[str]) -> list[str]:
    """Files as patterns, without those whose names are too long to be claimed."""
    return [pattern for pattern in map(literal, names) if len(pattern) <= PATTERN_CHARS_MAX]


def claim_on(tx: Tx, run_id: str, wanted: Sequence[str], *, ignore_case: bool) -> Intent | None:
    """Why a run changed some paths, as its claim on them said, also one that has ended."""
    for claim in _claims_of(tx, run_id):
        if first_overlap(wanted, claim.patterns, ignore_case=ignore_case):
            return Intent(text=claim.intent, who=claim.who, run=claim.run_id)
    return None


def claimed_intent(tx: Tx, repo_id: str, sha: str, names: Sequence[str]) -> Intent | None:
    """Why a landed change did what it did to some files, as the claim of its run said."""
    runs = [change.run for change in _changes(tx, repo_id, [sha]) if change.run]
    ignore_case = path_index.folds(tx, repo_id)
    return claim_on(tx, runs[0], literals(names), ignore_case=ignore_case) if runs else None


def ever_claimed(tx: Tx, run_id: str) -> list[str]:
    """The patterns of all that a run ever claimed."""
    return [pattern for claim in _claims_of(tx, run_id) for pattern in claim.patterns]


def _claims_of(tx: Tx, run_id: str) -> tuple[Claim, ...]:
    """What it asked for: of a file that it merely edited it said nothing."""
    return rows.as_records(Claim, tx.all(CLAIMS["asked_of_run"], run_id=run_id, limit=_CLAIMS_MAX))


def _changes(tx: Tx, repo_id: str, shas: Iterable[str]) -> Iterator[Change]:
    for row in tx.all(CHANGES["by_shas"], repo_id=repo_id, shas=rows.json_column(list(shas))):
        change = rows.as_record(Change, row)
        if change.run:
            signed = (change.author, change.account)
            change = replace(change, author=f"{row['loop']}@{row['principal']}", account="", signed=signed)
        yield change


def _file(row: Row) -> FileChange:
    return FileChange(
        path=row["path"],
        old_path=row["old_path"],
        before=row["before"],
        after=row["after"],
        hunks=unpacked(row["hunks"]),
    )
