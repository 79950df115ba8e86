"""Whose one line is: by its own keyed number, else by those beside it, else by the commit that git blames for it."""

from collections import Counter
from collections.abc import Iterable, Sequence

from loomstack_mcp.core.changes.attributions import Attribution, Binding, Candidate
from loomstack_mcp.core.changes.hunks import Change, Hunk
from loomstack_mcp.core.changes.imprints import Imprint, line_mark, listed_mark, place_mark, placed_mark
from loomstack_mcp.core.records import record
from loomstack_mcp.core.texts import encodable

_BESIDE_MAX = 200
"""Lines of its hunk that are asked for."""
_OWN = 0.95
_BESIDE = 0.7
"""How sure it is by the line itself, and by those beside it where it says too little."""


@record
class LineMaker:
    """Who wrote a line of a commit: the runs, the last writer first."""

    line: int
    """Its mark, as an imprint has it."""
    runs: tuple[str, ...] = ()


@record
class LineAttribution:
    """Whose a line is."""

    path: str
    """The file as it was called in that commit."""
    line: int
    """The line's number there, from 1."""
    commit: Attribution
    """The commit that git blames for it, which may be several runs'."""
    run_id: str = ""
    """The run that wrote the line; "" is unattributed."""
    bound_by: Binding = ""
    """"lines" where the line itself, or those beside it, are known as the run's, else by what the commit is."""
    confidence: float = 0.0
    candidates: tuple[Candidate, ...] = ()
    """Who may have written it, the likeliest first."""


@record
class AskedLine:
    """A line of a commit, by the marks that it may be known by."""

    own: tuple[int, ...] = ()
    """Its own, the one that tells most first."""
    is_told: bool = False
    """Whether that tells so much that the line is nobody else's who has not left it."""
    beside: tuple[int, ...] = ()
    """Those of the lines that came with it."""
    place: int = 0
    """That of its file."""

    @property
    def marks(self) -> tuple[int, ...]:
        """All of them."""
        return tuple(dict.fromkeys((*self.own, *self.beside, self.place)))


def asked_line(change: Change, did: Imprint, /, *, path: str, line: int, number: int) -> AskedLine:
    """A line that a commit brought to one of its files, by the line's `number`."""
    hunks = (hunk for file in (*change.files, *change.lists) if file.path == path for hunk in file.hunks)
    beside = next((hunk.added for hunk in hunks if _holds(hunk, line)), ())
    own = _marks_of(did, path, number)
    marks = (mark for one in beside[:_BESIDE_MAX] for mark in _marks_of(did, path, one))
    return AskedLine(
        own=own,
        is_told=bool(own) and own[0] in did.telling,
        beside=tuple(dict.fromkeys(marks)),
        place=place_mark(encodable(path)),
    )


def _marks_of(did: Imprint, path: str, number: int) -> tuple[int, ...]:
    """Those marks of a line that the commit has."""
    known = (line_mark(number), listed_mark(number), placed_mark(encodable(path), number))
    return tuple(mark for mark in known if mark in did.telling or mark in did.rest)


def line_attribution(
    commit: Attribution, makers: Iterable[LineMaker] | None, /, *, asked: AskedLine, path: str, line: int
) -> LineAttribution:
    """Whose a line of a commit is. `makers` are None where all of that is one run's, as far as is known."""
    runs = {one.line: one.runs for one in makers or ()}
    beside = Counter(run for mark in asked.beside for run in runs.get(mark, ()))
    wrote = next((found for mark in asked.own if (found := runs.get(mark))), ())
    is_own = bool(wrote) or asked.is_told
    if not is_own:
        wrote = tuple(beside) or runs.get(asked.place, ())
    if makers is None or not (is_own or wrote):
        return LineAttribution(
            path=path,
            line=line,
            commit=commit,
            run_id=commit.run_id,
            bound_by=commit.bound_by,
            confidence=min([commit.confidence, *(one.confidence for one in commit.candidates[:1])]),
            candidates=commit.candidates,
        )
    ranked = _ranked(wrote, beside)
    sure = _OWN if is_own else _BESIDE
    candidates = tuple(
        Candidate(run_id=run, bound_by="lines", confidence=round(sure / len(ranked) if at else sure, 3))
        for at, run in enumerate(ranked)
    )
    return LineAttribution(
        path=path,
        line=line,
        commit=commit,
        run_id=ranked[0] if ranked else "",
        bound_by="lines" if ranked else "",
        confidence=candidates[0].confidence if candidates else 0.0,
        candidates=candidates,
    )


def _ranked(wrote: Sequence[str], beside: Counter[str]) -> list[str]:
    """Of those who wrote it whoever wrote most beside it; of equals the last."""
    return sorted(wrote, key=lambda run: (-beside[run], wrote.index(run)))


def _holds(hunk: Hunk, line: int) -> bool:
    return hunk.after <= line < hunk.after + hunk.after_lines
