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
from loomstack_mcp.core.changes.imprints import Imprint
from loomstack_mcp.core.changes.meaning import MEANING
from loomstack_mcp.services.imprints import IMPRINTS
from loomstack_mcp.services.landed import CHANGES
from loomstack_mcp.store import queries, rows
from loomstack_mcp.store.base import Row, Tx

ATTRIBUTIONS = queries.statements("attributions")


def attribution_of(tx: Tx, repo_id: str, facts: CommitFacts) -> Attribution:
    """Whose a commit is, by all that the store knows now."""
    return attribution_by(facts, _evidence(tx, repo_id, facts))


def keep_attribution(tx: Tx, repo_id: str, facts: CommitFacts, found: Attribution) -> None:
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
    makers = {row["run_id"] for row in tx.all(CHANGES["makers"], repo_id=repo_id, sha=facts.sha)}
    wanted = facts.imprint or Imprint()
    marks = rows.json_column(sorted(wanted.marks))
    asked = {"repo_id": repo_id, "meaning": MEANING, "made_at_ms": facts.made_at_ms, "marks": marks}
    shared: dict[tuple[int, str], set[int]] = {}
    for row in tx.all(IMPRINTS["sharing"], **asked) if wanted.marks else ():
        shared.setdefault((row["number"], row["run_id"]), set()).add(row["mark"])
    found = {
        run_id: RunEvidence(run_id=run_id, shared=frozenset(some), has_sha=run_id in makers)
        for (_, run_id), some in sorted(shared.items())
    }
    return (*found.values(), *(RunEvidence(run_id=one, has_sha=True) for one in sorted(makers - found.keys())))
