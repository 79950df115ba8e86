"""Attributions: whose a commit is, by what binds it to a run, and how sure that is; below a threshold nobody's.

Nothing that a message says counts against the content. How often that is right on real histories that landed
squashed, rebased, renamed, reformatted and edited is measured by `python -m tests.eval attribution`.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

from loomstack_mcp.core.changes.imprints import Imprint, range_mark
from loomstack_mcp.core.changes.mentions import Mentions
from loomstack_mcp.core.records import record

Binding = Literal["", "sha", "trailer", "text", "pr", "patch", "range", "files", "lines", "cherry_pick"]
"""By what a commit is known as a run's, the surest first: its id was recorded, a trailer, an id in the text of its
message, its pull request, the whole patch of a commit or of a branch, files, lines, the commit it was picked from."""
Flag = Literal["trailer_mismatch", "several_runs", "partly", "unread"]
"""A named run made nothing of it; more than one run did; most of it is nobody's; its content was not here to compare."""

CANDIDATES_SHOWN_MAX = 5
SHARE_LEAST = 0.6
"""Of a commit's lines, below which they bind nothing."""
_LINES_LEAST = 3


@record
class Candidate:
    """A run that may have made some of a commit, by what, and how sure that is, from 0 to 1."""

    run_id: str
    bound_by: Binding
    confidence: float


@record
class Attribution:
    """Whose a commit is."""

    sha: str
    run_id: str = ""
    """The run that made most of it; "" is unattributed."""
    bound_by: Binding = ""
    confidence: float = 0.0
    candidates: tuple[Candidate, ...] = ()
    """Who made it, or some of it, the likeliest first."""
    flags: tuple[Flag, ...] = ()
    reverts: tuple[str, ...] = ()
    """The commits that it takes back, as its message says and as was found."""
    title: str = ""
    author: str = ""
    landed_at_ms: int = 0
    """When it landed on the trunk; 0 where it has not, as far as was seen."""


@record
class CommitFacts:
    """A commit, as a clone shows it to whoever asks whose it is."""

    sha: str
    made_at_ms: int
    landed_at_ms: int = 0
    """0 where it is not on the trunk."""
    title: str = ""
    author: str = ""
    mentions: Mentions = Mentions()
    imprint: Imprint | None = None
    """What it did; None where that is not in the clone."""


@record
class LineMaker:
    """Who wrote a line of a commit: the runs, the last writer first."""

    line: int
    """Its number, as `Lines` has it."""
    runs: tuple[str, ...] = ()


@record
class RunEvidence:
    """What is known of one run about a commit."""

    run_id: str
    shared: frozenset[int] = frozenset()
    """The marks that both have."""
    size: int = 0
    """How many marks the run has in all; 0 where nothing is known of what it made."""
    made_at_ms: int = 0
    """When it made the first of that, else when it began."""
    has_sha: bool = False
    """Whether it was recorded as the maker of this very commit."""
    has_pull: bool = False
    """Whether it recorded a pull request that the commit landed with."""
    was_picked: bool = False
    """Whether the commit was picked from one of its."""


def attribution_by(facts: CommitFacts, known: Iterable[RunEvidence], /) -> Attribution:
    """Whose a commit is, by all that is known of the runs that may have made it; of equals the one that comes first."""
    evidence = tuple(known)
    wanted = facts.imprint or Imprint()
    found = [(one, found) for one in evidence if (found := _candidate(facts, wanted, one))]
    found.sort(key=lambda pair: _rank(pair[1]))
    candidates = tuple(candidate for _, candidate in found)
    main = candidates[0] if candidates and candidates[0].confidence >= SHARE_LEAST else None
    shown = candidates[:CANDIDATES_SHOWN_MAX]
    return Attribution(
        sha=facts.sha,
        run_id=main.run_id if main else "",
        bound_by=main.bound_by if main else "",
        confidence=main.confidence if main else 0.0,
        candidates=shown,
        reverts=facts.mentions.reverts,
        title=facts.title,
        author=facts.author,
        landed_at_ms=facts.landed_at_ms,
    )


_ORDER: tuple[Binding, ...] = ("sha", "patch", "range", "files", "trailer", "text", "pr", "lines", "cherry_pick", "")


def _rank(one: Candidate) -> tuple[float, int]:
    return (-one.confidence, _ORDER.index(one.bound_by))


def _candidate(facts: CommitFacts, wanted: Imprint, one: RunEvidence) -> Candidate | None:
    share = _share(wanted, one.shared)
    bound_by, confidence = _content(wanted, one, share)
    if one.has_sha:
        bound_by, confidence = "sha", 1.0
    return Candidate(run_id=one.run_id, bound_by=bound_by, confidence=round(confidence, 3)) if confidence else None


def _content(wanted: Imprint, one: RunEvidence, share: float) -> tuple[Binding, float]:
    if wanted.whole and wanted.tells and wanted.whole in one.shared:
        return "range" if range_mark(wanted.whole) in one.shared else "patch", 0.99
    if len(one.shared.intersection(wanted.lines)) >= _LINES_LEAST:
        return "lines", share
    return "", 0.0


def _share(wanted: Imprint, shared: frozenset[int]) -> float:
    return len(shared.intersection(wanted.lines)) / len(wanted.lines) if wanted.lines else 0.0
