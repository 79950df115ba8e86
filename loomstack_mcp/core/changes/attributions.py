"""Attributions: whose a commit is, by what binds it to a run, and how sure that is; below a threshold nobody's.

Nothing that a message says counts against the content. How often that is right on real histories that landed
squashed, rebased, renamed, reformatted and edited is measured by `python -m tests.eval attribution`.
"""

from collections.abc import Iterable, Sequence, Set
from typing import Literal

from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.imprints import Imprint, imprint, part_shared, range_mark
from loomstack_mcp.core.changes.mentions import Mentions
from loomstack_mcp.core.limits import NAME_CHARS_MAX
from loomstack_mcp.core.records import record
from loomstack_mcp.core.texts import redacted

Binding = Literal["", "sha", "trailer", "text", "pr", "patch", "range", "files", "lines", "cherry_pick"]
"""By what a commit is known as a run's, the surest first: its id was recorded, a trailer, an id in the text of its
message, its pull request, the whole patch of a commit or of a branch, files, lines, the commit it was picked from."""
Flag = Literal["trailer_mismatch", "several_runs", "partly", "unread", "uncompared"]
"""A named run made nothing of it; several made it; most of it is nobody's; its content was not here to compare; words
alone say whose it is, which anybody may write, for nothing of it can be compared with what that run made."""

CANDIDATES_SHOWN_MAX = 5
SHARE_LEAST = 0.6
"""Of a commit's lines, below which they bind nothing."""
_LINES_LEAST = 3
_COVERS_LEAST = 0.6
_COVERED_LEAST = 5
"""So much, and so many, of a run's own lines make a commit its, whatever else is in that: files indented anew, say."""
_ADDS_LEAST = 0.05
_ADDS_COVERS_LEAST = 0.4
"""Of a commit's lines, or of its own, that one run more has to explain to count as one of its makers."""
_HALF = 0.5
_STRONG = 0.8
"""Of a commit's lines, where no side of a file, nor most of what the run made, says the same."""
_MOVED_MAX = 100
_FEW = 20
_MANY_COVERED, _COVERS_OF_MANY = 15, 0.3
"""The same of a run of many lines, some of which were wrapped anew."""
_SAME = 0.99
"""Of a whole patch that is the same."""
_CLAIMED = 0.6
"""What a message says, where some of the content agrees; the more of it, the surer."""
_UNCOMPARED: dict[Binding, float] = {"trailer": 0.7, "text": 0.65, "pr": 0.65, "cherry_pick": 0.8}
"""Where there is no content to compare."""


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
class RunEvidence:
    """What is known of one run about a commit."""

    run_id: str
    shared: frozenset[int] = frozenset()
    """The marks that both have."""
    lines: int = 0
    """How many lines the run left in all; 0 where they were not counted."""
    is_known: bool = False
    """Whether anything is known of what it made."""
    has_sha: bool = False
    """Whether it was recorded as the maker of this very commit."""
    has_pull: bool = False
    """Whether it recorded a pull request that the commit says it landed with."""
    was_picked: bool = False
    """Whether the commit says that it was picked from one of its."""


def commit_facts(change: Change, /, *, is_landed: bool) -> CommitFacts:
    """What a clone shows of a commit that was read."""
    return CommitFacts(
        sha=change.sha,
        made_at_ms=change.at_ms,
        landed_at_ms=change.at_ms if is_landed else 0,
        title=redacted(change.title, chars_max=NAME_CHARS_MAX),
        author=redacted(change.author, chars_max=NAME_CHARS_MAX),
        mentions=change.mentions,
        imprint=None if change.unread else imprint(change.files, lists=change.lists),
    )


def attribution_by(
    facts: CommitFacts, known: Iterable[RunEvidence], /
) -> tuple[Attribution, tuple[frozenset[int], ...]]:
    """Whose a commit is, by all that is known of the runs that may have made it; of equals the one that comes first.

    With it the marks that each of its makers shares with it, in the order of its candidates, where not all of it is one
    run's.
    """
    wanted = facts.imprint or Imprint()
    judged = [_Judged(facts, wanted, one) for one in known]
    found = sorted((one for one in judged if one.confidence), key=_Judged.rank)
    makers = _makers(found, wanted)
    rest = [one for one in found if one not in makers]
    sure, is_partly = _together(makers, rest, wanted)
    if sure < SHARE_LEAST:
        makers, rest = [], found
    flags: dict[Flag, bool] = {
        "trailer_mismatch": any(one.is_mismatch for one in judged),
        "several_runs": len(makers) > 1,
        "partly": bool(makers) and is_partly,
        "unread": facts.imprint is None,
        "uncompared": bool(makers) and makers[0].is_uncompared,
    }
    attribution = Attribution(
        sha=facts.sha,
        run_id=makers[0].run_id if makers else "",
        bound_by=makers[0].bound_by if makers else "",
        confidence=round(sure, 3) if makers else 0.0,
        candidates=tuple(one.candidate for one in (*makers, *rest)[:CANDIDATES_SHOWN_MAX]),
        flags=tuple(name for name, is_so in flags.items() if is_so),
        reverts=facts.mentions.reverts,
        title=facts.title,
        author=facts.author,
        landed_at_ms=facts.landed_at_ms,
    )
    return attribution, _marks_of(makers[:CANDIDATES_SHOWN_MAX])


def _marks_of(makers: Sequence["_Judged"]) -> tuple[frozenset[int], ...]:
    is_all_one = len(makers) == 1 and (makers[0].is_all_its or not makers[0].lines)
    return () if is_all_one else tuple(one.marks for one in makers)


def units_of(did: Imprint, /) -> frozenset[int]:
    """The lines of a commit by which it is compared: of a small one also those that tell little."""
    return did.telling if len(did.telling) >= _FEW else did.telling | frozenset(did.placed)


def _rest_of(did: Imprint) -> frozenset[int]:
    """Its other lines, as far as somebody wrote them there: of what is only indented anew there are very many."""
    return frozenset((*did.placed, *did.moved)) if len(did.moved) <= _MOVED_MAX else frozenset(did.placed)


class _Judged:
    """What the evidence about one run comes to."""

    def __init__(self, facts: CommitFacts, wanted: Imprint, one: RunEvidence) -> None:
        self.run_id = one.run_id
        units = units_of(wanted)
        self.lines = one.shared & units
        self.marks = one.shared & (wanted.telling | wanted.rest)
        self.share = len(self.lines) / len(units) if units else part_shared(wanted, one.shared)
        left = one.shared & (wanted.telling | frozenset(wanted.placed))
        self.covers = min(1.0, len(left) / one.lines) if one.lines else 0.0
        self.rest = one.shared & _rest_of(wanted)
        self.has_all_rest = self.rest == _rest_of(wanted)
        self.has_all_moved = bool(wanted.moved) and one.shared.issuperset(wanted.moved)
        self.is_at_place = not one.shared.isdisjoint(wanted.places)
        self.has_same_side = not one.shared.isdisjoint(wanted.sides)
        claim = _claim(facts.mentions, one)
        is_compared = bool(facts.imprint and one.is_known and (wanted.marks or wanted.telling))
        self.is_mismatch = bool(claim) and is_compared and one.shared.isdisjoint(wanted.marks | wanted.telling)
        self.is_uncompared = bool(claim) and not is_compared and not one.has_sha
        self.bound_by, self.confidence = _by_content(wanted, one, self)
        if claim and not self.is_mismatch:
            self.bound_by, sure = claim, self.confidence
            self.confidence = max(sure, _CLAIMED + (1 - _CLAIMED) * self.share) if is_compared else _UNCOMPARED[claim]
        if one.has_sha:
            self.bound_by, self.confidence = "sha", 1.0

    @property
    def is_all_its(self) -> bool:
        """Whether nobody else can have written a line of it."""
        return self.bound_by in ("sha", "patch", "range") or (self.share == 1 and self.has_all_rest)

    @property
    def candidate(self) -> Candidate:
        """As it is shown."""
        return Candidate(run_id=self.run_id, bound_by=self.bound_by, confidence=round(self.confidence, 3))

    def rank(self) -> tuple[float, int, float, float]:
        """By which the likeliest sorts first."""
        return (-self.confidence, _ORDER.index(self.bound_by), -self.share, -self.covers)

    def adds(self, left: Set[int], wanted: Imprint) -> int:
        """How many lines it explains that nobody else does; 0 where that is more likely by chance."""
        adds = len((self.lines | self.rest) & left)
        is_much = adds >= max(_LINES_LEAST, _ADDS_LEAST * len(units_of(wanted))) and self.is_at_place
        return adds if is_much or self.covers >= _ADDS_COVERS_LEAST else 0


def _claim(told: Mentions, one: RunEvidence) -> Binding:
    """By what of its message, or of what was recorded, a commit is said to be a run's."""
    if one.run_id in told.trailers:
        return "trailer"
    if one.run_id in told.runs:
        return "text"
    if one.has_pull:
        return "pr"
    return "cherry_pick" if one.was_picked else ""


def _by_content(wanted: Imprint, one: RunEvidence, judged: _Judged) -> tuple[Binding, float]:
    """By what of its content it is the run's, and how much of it."""
    if _is_same(wanted, one, judged):
        return ("range" if range_mark(wanted.whole) in one.shared else "patch"), _SAME
    if sure := _by_files(wanted, judged):
        return "files", sure
    return "lines", _by_lines(judged)


def _is_same(wanted: Imprint, one: RunEvidence, judged: _Judged) -> bool:
    """Whether it is the same patch, in a change that says something."""
    if wanted.whole not in one.shared or not (wanted.tells or judged.lines or judged.has_all_moved):
        return False
    return judged.share >= _HALF or not units_of(wanted)


def _by_files(wanted: Imprint, judged: _Judged) -> float:
    is_listed = not wanted.whole and judged.share == 1 and judged.is_at_place
    if judged.share >= SHARE_LEAST and (judged.has_same_side or is_listed):
        return (1 + judged.share) / 2
    is_half = judged.share >= _HALF and judged.covers >= _HALF
    return SHARE_LEAST if is_half and judged.has_same_side else 0.0


def _by_lines(judged: _Judged) -> float:
    if not judged.lines:
        return _ADDS_LEAST if len(judged.rest) >= _LINES_LEAST and judged.is_at_place else 0.0
    if judged.share < _ADDS_LEAST and judged.covers < _ADDS_COVERS_LEAST:
        return 0.0
    if judged.covers == 1 and judged.share >= _HALF and judged.is_at_place:
        return max(SHARE_LEAST, judged.share)  # all that it made, and a person's line or two
    is_enough = len(judged.lines) >= _LINES_LEAST or (judged.covers >= _COVERS_LEAST and judged.is_at_place)
    return judged.share if is_enough else min(judged.share, _HALF)


def _makers(found: Sequence[_Judged], wanted: Imprint) -> list[_Judged]:
    """The likeliest run, and those that made what it did not."""
    makers = list(found[:1])
    if not makers or makers[0].bound_by == "sha":
        return makers
    left, others = set((units_of(wanted) | _rest_of(wanted)) - makers[0].lines - makers[0].rest), list(found[1:])
    while others and left:
        more = max(others, key=lambda one: (one.adds(left, wanted), one.covers))
        if not more.adds(left, wanted):
            break
        others.remove(more)
        makers.append(more)
        left -= more.lines | more.rest
    return makers


def _together(makers: Sequence[_Judged], rest: Sequence[_Judged], wanted: Imprint) -> tuple[float, bool]:
    """How sure it is that these made it, and whether most of it is nobody's all the same."""
    if not makers:
        return 0.0, False
    main = makers[0]
    lines = frozenset[int]().union(*(one.lines for one in makers))
    share_of_all = len(lines) / len(units_of(wanted)) if len(lines) >= _LINES_LEAST else 0.0
    is_one_of_several = len(makers) > 1 and (main.has_same_side or main.covers >= _HALF)
    sure = max(main.confidence, share_of_all if is_one_of_several else 0.0)
    is_copied = main.bound_by == "lines" and main.covers < _COVERS_LEAST and main.share < _STRONG
    if sure >= SHARE_LEAST and not (is_copied and _has_rival(main, rest)):
        return sure, False
    covering = max((one.covers for one in makers if _is_covered(one, rest)), default=0.0)
    return (SHARE_LEAST + (1 - SHARE_LEAST) * covering / 2 if covering else 0.0), True


def _is_covered(one: _Judged, rest: Sequence[_Judged]) -> bool:
    """Whether so much of what a run made is in a commit, and so little of any other's, that it is none by chance."""
    if not one.is_at_place or _has_rival(one, rest):
        return False
    is_most = len(one.lines) >= _COVERED_LEAST and one.covers >= _COVERS_LEAST
    return is_most or (len(one.lines) >= _MANY_COVERED and one.covers >= _COVERS_OF_MANY)


def _has_rival(one: _Judged, rest: Sequence[_Judged]) -> bool:
    """Whether another run has half as much of the commit: code is copied."""
    return any(2 * len(other.lines) > len(one.lines) for other in rest)


_ORDER: tuple[Binding, ...] = (
    *("sha", "trailer", "text", "pr", "patch", "range", "files", "lines", "cherry_pick", ""),
)
