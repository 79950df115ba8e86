"""Whose a commit is, found out within a transaction and kept for good."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from loomstack_mcp.core.changes.attributions import (
    Attribution,
    Candidate,
    CommitFacts,
    RunEvidence,
    attribution_by,
)
from loomstack_mcp.core.changes.imprints import Imprint, range_mark
from loomstack_mcp.core.changes.meaning import MEANING
from loomstack_mcp.services.imprints import IMPRINTS, known_hints
from loomstack_mcp.services.landed import CHANGES
from loomstack_mcp.store import queries, rows
from loomstack_mcp.store.base import Row, Tx

ATTRIBUTIONS = queries.statements("attributions")
_COMPARED_MAX = 50
"""Runs that a commit is compared with, those that share most with it."""


def attribution_of(tx: Tx, repo_id: str, facts: CommitFacts) -> tuple[Attribution, Sequence[frozenset[int]]]:
    """Whose a commit is, by all that the store knows now; and what `attribution_by` says of its lines."""
    return attribution_by(facts, _evidence(tx, repo_id, facts))


def keep_attribution(
    tx: Tx, repo_id: str, facts: CommitFacts, found: Attribution, lines: Sequence[frozenset[int]]
) -> None:
    """Keep whose a commit is, for good."""
    columns = rows.row(found, only=("sha", "run_id", "bound_by", "confidence", "flags", "title", "author"))
    told = {
        "mentions": rows.json_column(vars(facts.mentions)),
        "made_at_ms": facts.made_at_ms,
        "landed_at_ms": facts.landed_at_ms,
    }
    [row] = tx.all(ATTRIBUTIONS["keep"], repo_id=repo_id, **columns, **told)
    number = row["number"]
    tx.later(ATTRIBUTIONS["forget_lines"], number=number)
    tx.later(ATTRIBUTIONS["forget_runs"], number=number)
    for place, one in enumerate(found.candidates):
        tx.later(ATTRIBUTIONS["keep_run"], number=number, place=place, **vars(one))
    for place, some in enumerate(lines):
        tx.later(ATTRIBUTIONS["keep_lines"], number=number, place=place, lines=rows.json_column(sorted(some)))
    if found.reverts:
        tx.later(ATTRIBUTIONS["keep_reverts"], number=number, reverted=rows.json_column(found.reverts))


def kept_attributions(tx: Tx, found: Sequence[Row]) -> tuple[Attribution, ...]:
    """Rows as they were kept, with their candidates and what they take back."""
    numbers = rows.json_column([row["number"] for row in found])
    runs = _grouped(tx.all(ATTRIBUTIONS["runs_of"], numbers=numbers)) if found else {}
    reverts = _grouped(tx.all(ATTRIBUTIONS["reverts_of"], numbers=numbers)) if found else {}
    return tuple(
        replace(
            rows.as_record(Attribution, row),
            candidates=rows.as_records(Candidate, runs.get(row["number"], ())),
            reverts=tuple(str(one["reverted"]) for one in reverts.get(row["number"], ())),
        )
        for row in found
    )


def _grouped(found: Iterable[Row]) -> dict[int, list[Row]]:
    return {number: list(some) for number, some in groupby(found, key=lambda row: int(row["attribution"]))}


def _evidence(tx: Tx, repo_id: str, facts: CommitFacts) -> tuple[RunEvidence, ...]:
    """All that is known of the runs that may have made a commit, those that left something like it first, in their

    order."""
    told = facts.mentions
    shared = _sharing(tx, repo_id, facts)
    makers = [str(row["run_id"]) for row in tx.all(CHANGES["makers"], repo_id=repo_id, sha=facts.sha)]
    pulls = _of_pulls(tx, repo_id, told.pulls)
    picked = _of_commits(tx, repo_id, told.picks)
    reverted = _of_commits(tx, repo_id, told.reverts)
    named = [run.id for run in known_hints(tx, repo_id, (*told.trailers, *told.runs))]
    claimed = [run_id for run_id in dict.fromkeys((*named, *pulls, *picked)) if run_id not in reverted]
    runs = dict.fromkeys((*makers, *shared, *claimed))
    left = {str(row["run_id"]): int(row["lines"]) for row in _imprints(tx, runs)} if runs else {}
    for row in _held(tx, list(left), facts.imprint):
        shared.setdefault(str(row["run_id"]), set()).add(row["mark"])
    return tuple(
        RunEvidence(
            run_id=run_id,
            shared=frozenset(shared.get(run_id, ())),
            lines=left.get(run_id, 0),
            is_known=run_id in left,
            has_sha=run_id in makers,
            has_pull=run_id in pulls,
            was_picked=run_id in picked,
        )
        for run_id in runs
    )


def _imprints(tx: Tx, runs: Iterable[str]) -> list[Row]:
    return tx.all(ATTRIBUTIONS["imprints_of"], runs=rows.json_column(list(runs)), meaning=MEANING)


def _held(tx: Tx, runs: Sequence[str], did: Imprint | None) -> list[Row]:
    """What else of a commit these runs left, by which nothing is known again."""
    if not (runs and did and did.rest):
        return []
    asked = {"runs": rows.json_column(runs[:_COMPARED_MAX]), "marks": rows.json_column(sorted(did.rest))}
    return tx.all(ATTRIBUTIONS["held"], meaning=MEANING, **asked)


def _sharing(tx: Tx, repo_id: str, facts: CommitFacts) -> dict[str, set[int]]:
    """What runs left that a commit has, too: those that share most first, of equals whoever was first."""
    wanted = facts.imprint or Imprint()
    looked_for = wanted.marks | wanted.telling or frozenset(wanted.placed)
    looked_for |= {range_mark(wanted.whole)} if wanted.whole else frozenset()
    asked = {"repo_id": repo_id, "meaning": MEANING, "made_at_ms": facts.made_at_ms}
    found: dict[tuple[int, str], set[int]] = {}
    for row in tx.all(IMPRINTS["sharing"], marks=rows.json_column(sorted(looked_for)), **asked) if looked_for else ():
        found.setdefault((row["number"], row["run_id"]), set()).add(row["mark"])
    most = sorted(found.items(), key=lambda one: (-len(one[1]), one[0]))
    return {run_id: some for (_, run_id), some in most[:_COMPARED_MAX]}


def _of_pulls(tx: Tx, repo_id: str, pulls: Sequence[int]) -> list[str]:
    """The runs that recorded one of these pull requests."""
    asked = {"repo_id": repo_id, "pulls": rows.json_column(list(pulls))}
    return [str(row["run_id"]) for row in tx.all(ATTRIBUTIONS["of_pulls"], **asked)] if pulls else []


def _of_commits(tx: Tx, repo_id: str, shas: Sequence[str]) -> list[str]:
    """The runs whose some other commits are, as far as is known."""
    asked = {"repo_id": repo_id, "shas": rows.json_column(list(shas))}
    return [str(row["run_id"]) for row in tx.all(ATTRIBUTIONS["runs_of_commits"], **asked)] if shas else []
