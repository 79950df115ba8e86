"""Whose a commit is, found out within a transaction and kept for good."""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace
from itertools import groupby

from loomstack_mcp.core.changes.attributions import (
    Attribution,
    Candidate,
    CommitFacts,
    RunEvidence,
    attribution_by,
    units_of,
)
from loomstack_mcp.core.changes.imprints import Imprint, range_mark
from loomstack_mcp.core.changes.landings import LandedPart
from loomstack_mcp.core.changes.meaning import MEANING
from loomstack_mcp.core.changes.mentions import Mentions
from loomstack_mcp.core.forges import pull_of
from loomstack_mcp.core.wire import built_value
from loomstack_mcp.services.hints import known_hints
from loomstack_mcp.services.landed import CHANGES
from loomstack_mcp.store import queries, rows
from loomstack_mcp.store.base import Row, Tx

ATTRIBUTIONS = queries.statements("attributions")
IMPRINTS = queries.statements("imprints")
REPOS = queries.statements("repos")
_COMPARED_MAX = 50
"""Runs that a commit is compared with, those that share most with it."""


@dataclass(frozen=True, kw_only=True)
class FoundAttribution:
    """Whose a commit is, as it is about to be kept."""

    facts: CommitFacts
    attribution: Attribution
    marks: Sequence[frozenset[int]] | None
    """See `attribution_by`; None where what was kept of its lines before stays."""


def found_attribution(tx: Tx, repo_id: str, facts: CommitFacts) -> FoundAttribution:
    """Whose a commit is, by all that the store knows now.

    What was found while more was known stays: what a run made is forgotten, and whose it is is not.
    """
    attribution, marks = attribution_by(facts, _evidence(tx, repo_id, facts))
    [before] = kept_attributions(tx, _row_of(tx, repo_id, facts.sha)) or (attribution,)
    is_less = before.run_id not in ("", attribution.run_id) and before.confidence > attribution.confidence
    if is_less and before.bound_by != "sha" and not _imprints(tx, [before.run_id]):
        return FoundAttribution(facts=facts, attribution=before, marks=None)
    return FoundAttribution(facts=facts, attribution=attribution, marks=marks)


def late_attribution(tx: Tx, repo_id: str, sha: str, did: Imprint) -> FoundAttribution | None:
    """The same of a commit that was kept before, by what is known of runs by now; None of one that was not."""
    for row in _row_of(tx, repo_id, sha):
        told = built_value(rows.object_column(row["mentions"]), Mentions)
        facts = CommitFacts(
            sha=sha,
            made_at_ms=row["made_at_ms"],
            landed_at_ms=row["landed_at_ms"],
            title=row["title"],
            author=row["author"],
            mentions=told,
            imprint=did,
        )
        return found_attribution(tx, repo_id, facts)
    return None


def landed_facts(part: LandedPart, *, is_trunk: bool) -> CommitFacts:
    """What the last part of a landed change tells of it."""
    return CommitFacts(
        sha=part.sha,
        made_at_ms=part.made_at_ms,
        landed_at_ms=part.at_ms if is_trunk else 0,
        title=part.title,
        author=part.author,
        mentions=part.mentions,
        imprint=part.imprint,
    )


def keep_attribution(tx: Tx, repo_id: str, found: FoundAttribution) -> Attribution:
    """Keep whose a commit is, for good. Returns what is kept: without runs that went since it was found."""
    found = _of_runs_there(tx, found)
    facts, whose = found.facts, found.attribution
    columns = rows.row(whose, only=("sha", "run_id", "bound_by", "confidence", "flags", "title", "author"))
    told = {
        "mentions": rows.json_column(vars(facts.mentions)),
        "made_at_ms": facts.made_at_ms,
        "landed_at_ms": facts.landed_at_ms,
    }
    [row] = tx.all(ATTRIBUTIONS["keep"], repo_id=repo_id, **columns, **told)
    number = row["number"]
    if found.marks is None:
        return whose
    tx.later(ATTRIBUTIONS["forget_lines"], number=number)
    tx.later(ATTRIBUTIONS["forget_runs"], number=number)
    for place, one in enumerate(whose.candidates):
        tx.later(ATTRIBUTIONS["keep_run"], number=number, place=place, **vars(one))
    for place, some in enumerate(found.marks):
        tx.later(ATTRIBUTIONS["keep_lines"], number=number, place=place, lines=rows.json_column(sorted(some)))
    if whose.reverts:
        tx.later(ATTRIBUTIONS["keep_reverts"], number=number, reverted=rows.json_column(whose.reverts))
    return whose


def keep_bound(tx: Tx, repo_id: str, run_id: str, shas: Sequence[str]) -> None:
    """A run said that these are its, after it was found whose they are."""
    asked = {"repo_id": repo_id, "run_id": run_id, "shas": rows.json_column(list(shas))}
    for row in tx.all(ATTRIBUTIONS["bind_late"], **asked) if shas else ():
        tx.later(ATTRIBUTIONS["forget_lines"], number=row["number"])
        tx.later(ATTRIBUTIONS["forget_runs"], number=row["number"])
        found = Candidate(run_id=run_id, bound_by="sha", confidence=1.0)
        tx.later(ATTRIBUTIONS["keep_run"], number=row["number"], place=0, **vars(found))


def keep_pulls(tx: Tx, repo_id: str, run_id: str, links: Iterable[str]) -> None:
    """A run named these pages, some of which may be pull requests of its repo."""
    pulls = [found for link in links if (found := pull_of(link))]
    if not pulls:
        return
    names = identities_of(tx, repo_id)
    for identity, number in pulls:
        if identity in names or not has_address(names):
            tx.later(ATTRIBUTIONS["keep_pull"], repo_id=repo_id, pull=number, run_id=run_id)


def identities_of(tx: Tx, repo_id: str) -> set[str]:
    """By what a repo is known: its id, and the addresses of its clones."""
    return {repo_id, *(str(row["identity"]) for row in tx.all(REPOS["names"], repo_id=repo_id))}


def has_address(names: Iterable[str]) -> bool:
    """Whether it is known where the pages of a repo are: not by a root commit, a folder or the name of an SSH alias."""
    return any("." in name.partition("/")[0] for name in names)


def _of_runs_there(tx: Tx, found: FoundAttribution) -> FoundAttribution:
    """The same without the runs that are gone; the others stay until this has ended."""
    runs = [one.run_id for one in found.attribution.candidates]
    if not runs:
        return found
    there = {str(row["id"]) for row in tx.all(ATTRIBUTIONS["hold_runs"], runs=rows.json_column(runs))}
    return found if there.issuperset(runs) else _without_others(found, there)


def _without_others(found: FoundAttribution, there: Set[str]) -> FoundAttribution:
    whose = found.attribution
    stay = {at: one for at, one in enumerate(whose.candidates) if one.run_id in there}
    marks = found.marks and [some for at, some in enumerate(found.marks) if at in stay]
    whose = replace(whose, candidates=tuple(stay.values()))
    if whose.run_id not in there:
        whose = replace(whose, run_id="", bound_by="", confidence=0.0)
    return replace(found, attribution=whose, marks=marks)


def _row_of(tx: Tx, repo_id: str, sha: str) -> list[Row]:
    return tx.all(ATTRIBUTIONS["of_shas"], repo_id=repo_id, shas=rows.json_column([sha]))


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
    pulls = runs_of_pulls(tx, repo_id, told.pulls)
    is_its_pull = bool(pulls) and has_address(identities_of(tx, repo_id))  # else content must tell
    picked = runs_of_commits(tx, repo_id, told.picks)
    reverted = runs_of_commits(tx, repo_id, told.reverts)
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
            has_pull=run_id in pulls and bool(is_its_pull or shared.get(run_id)),
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
    looked_for = wanted.marks | units_of(wanted)
    looked_for |= {range_mark(wanted.whole)} if wanted.whole else frozenset()
    asked = {"repo_id": repo_id, "meaning": MEANING, "made_at_ms": facts.made_at_ms, "sha": facts.sha}
    if not (looked_for and tx.all(IMPRINTS["any"], repo_id=repo_id, meaning=MEANING)):
        return {}
    found: dict[tuple[int, str], set[int]] = {}
    for row in tx.all(IMPRINTS["sharing"], marks=rows.json_column(sorted(looked_for)), **asked):
        found.setdefault((row["number"], row["run_id"]), set()).add(row["mark"])
    most = sorted(found.items(), key=lambda one: (-len(one[1]), one[0]))
    return {run_id: some for (_, run_id), some in most[:_COMPARED_MAX]}


def runs_of_pulls(tx: Tx, repo_id: str, pulls: Sequence[int]) -> list[str]:
    """The runs that recorded one of these pull requests."""
    asked = {"repo_id": repo_id, "pulls": rows.json_column(list(pulls))}
    return [str(row["run_id"]) for row in tx.all(ATTRIBUTIONS["of_pulls"], **asked)] if pulls else []


def runs_of_commits(tx: Tx, repo_id: str, shas: Sequence[str]) -> list[str]:
    """The runs whose some other commits are, as far as is known."""
    asked = {"repo_id": repo_id, "shas": rows.json_column(list(shas))}
    return [str(row["run_id"]) for row in tx.all(ATTRIBUTIONS["runs_of_commits"], **asked)] if shas else []
