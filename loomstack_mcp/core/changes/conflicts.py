"""Conflicts with what has landed: what a change takes back or touches, whose it was, why, and what to do."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import islice
from typing import Literal

from loomstack_mcp.core.changes.conflict_records import Conflict, ConflictKind, Intent, Verdict
from loomstack_mcp.core.changes.hunks import Change, Hunk
from loomstack_mcp.core.changes.repeats import Branch, Repeat
from loomstack_mcp.core.changes.undone import TouchedChange, Undone, UndonePlace
from loomstack_mcp.core.changes.verdicts import Reversal
from loomstack_mcp.core.changes.words import VERBS, share_words
from loomstack_mcp.core.limits import SENTENCE_CHARS_MAX, WINDOW_MS
from loomstack_mcp.core.phrases import age, counted
from loomstack_mcp.core.records import record
from loomstack_mcp.core.texts import encodable, quoted

_PLACES_SHOWN = 4
OWN_MARKS_MAX = 50


@record
class Proposal:
    """What a worktree would land, and the history that it would land on."""

    changes: tuple[Change, ...]
    """Of the files as they are, and of the index and HEAD where those would land something else."""
    history: tuple[Change, ...]
    """The commits of the window, parents first: when each landed and on what, not what it changed."""
    window_ms: int = WINDOW_MS
    """How long what landed is remembered."""
    target: str
    """What it would land on, as people call it."""
    pushing: tuple[Change, ...] = ()
    """Where the trunk itself is checked out, the same with its commits that were not pushed yet."""
    pushed: tuple[Change, ...] = ()
    """The history without those commits."""
    reformatting: tuple[str, ...] = ()
    """Commits of it that only reformat."""
    unchecked: tuple[str, ...] = ()
    """What could not be known, in sentences."""
    branch: Branch | None = None
    """What of it may have landed already; None where nothing has since it left the target."""
    accounts: tuple[tuple[str, str], ...] = ()
    """Accounts of persons that the trunk knows, each with a name that ties those of one person together."""
    key_name: str = ""
    """Of the key that its lines are hashed with; "" where nobody says so."""


def conflicts(
    reversal: Reversal | None,
    touched: Sequence[TouchedChange],
    /,
    *,
    intent_on: Callable[[Change, Sequence[str]], Intent | None],
) -> tuple[Conflict, ...]:
    """Every landed change that suffers without agreement: first what is taken back, then what is only touched."""
    return (*_taken_back(reversal, intent_on), *_touched(touched, intent_on))


def already_landed(repeat: Repeat, /) -> Conflict:
    """What a branch would land once more. Nobody loses by it: there is nothing to agree to, and nobody to tell."""
    return _conflict("already_landed", "warn", repeat.change, repeat.paths, None, _repeated(repeat))


def hunk_marks(places: Sequence[UndonePlace], /) -> tuple[str, ...]:
    """What tells these landed hunks from all others of their change, whenever it is compared."""
    return tuple(sorted({_mark(place.path, place.hunk) for place in places}))


def first_own_marks(marks: Iterable[str], /) -> tuple[str, ...]:
    """Each once, as many as are kept."""
    return tuple(islice(dict.fromkeys(marks), OWN_MARKS_MAX))


def strictest_verdict(found: Sequence[Conflict], /, *, unchecked: Sequence[str] = ()) -> Verdict:
    """The answer for the whole change. What could not be checked is never clear."""
    if any(conflict.verdict == "stop" for conflict in found):
        return "stop"
    return "warn" if found or unchecked else "clear"


def conflict_words(conflict: Conflict, /, *, now_ms: int) -> str:
    """What it does to whose landed change, in the words of an audit: `takes back … of Bea, 3 d ago: “Net prices”`."""
    ago = age(max(0, now_ms - conflict.landed_at_ms))
    title = quoted(conflict.title, chars_max=SENTENCE_CHARS_MAX)
    return f"{VERBS[conflict.kind]} {conflict.sha[:10]} of {conflict.who}, {ago} ago: {title}"


def repair_words(undone: Undone, /) -> str:
    """What a change is told that puts back what another had silently taken: `puts back what … of Ana took of …`."""
    took = undone.change
    title = quoted(took.title, chars_max=SENTENCE_CHARS_MAX)
    return f"puts back what {took.sha[:10]} of {took.author} took of {undone.repairs[:10]}: {title}"


def conflict_advice(conflict: Conflict, /, *, target: str) -> str:
    """What to do next; never anything destructive."""
    short = conflict.sha[:10]
    holder = conflict.holder or conflict.who
    # Its run is most likely over; what is said to a loop reaches its next run, too.
    is_loop = "@" in holder and bool(conflict.with_run or conflict.intent)
    reach = f"share_context(to={holder.split('@', 1)[0]})" if is_loop else holder
    if conflict.kind == "ping_pong":
        return "Stop: this goes back and forth. record_outcome(status=blocked), so that a person decides."
    if conflict.kind == "stale_base":
        return f"You write an old copy over newer work: take {target}'s version of these files, then redo your change."
    if conflict.kind == "already_landed":
        return f"{target} has this as {short} already: rebase onto {target}, and land only what is new."
    if conflict.kind == "intent":
        return f"See that {short} still does what it is for; {reach} knows."
    first = _agreeing(conflict, reach, is_loop=is_loop)
    return f"Keep what {short} changed and redo only your own part; if it must go, agree first: {first}."


def _agreeing(conflict: Conflict, reach: str, *, is_loop: bool) -> str:
    """How to get a word that counts: of whose it is, where a loop is, or of a person."""
    if not conflict.id:
        return reach
    settle = f"a person runs `loomstack-mcp conflicts settle {conflict.id}`"
    return f"{reach} with this conflict's id, or {settle}" if is_loop else settle


def agreement_words(conflict: Conflict, /) -> str:
    """How the one whose change it is agrees to its loss."""
    return f"if it may go: share_context(kind=decision, supersedes={conflict.id}, to={conflict.run_id})"


def _taken_back(
    reversal: Reversal | None, intent_on: Callable[[Change, Sequence[str]], Intent | None]
) -> Iterator[Conflict]:
    if reversal is None or reversal.verdict == "clear":
        return
    for undone in reversal.silent:
        intent = intent_on(undone.change, undone.paths)
        if undone.own_repair and intent is None:
            continue
        bounces = reversal.kind == "ping_pong" and not undone.again
        yield _conflict(
            "undo" if bounces else reversal.kind,
            reversal.verdict,
            undone.change,
            tuple(sorted({place.by_path for place in undone.places})),
            intent,
            _evidence(undone),
            undone.places,
        )


def _touched(
    touched: Sequence[TouchedChange], intent_on: Callable[[Change, Sequence[str]], Intent | None]
) -> Iterator[Conflict]:
    for one in touched:
        if intent := intent_on(one.change, one.paths):
            # Of what was changed on purpose, a single line that is turned back is one too many.
            kind: ConflictKind = "undo" if one.restored else "intent"
            how = "brings back a line of before" if one.restored else "replaces" if one.overridden else "changes"
            evidence = f"{how} {'in' if one.restored else 'lines of'} {_few([encodable(path) for path in one.paths])}"
            yield _conflict(
                kind,
                "stop" if one.restored else "warn",
                one.change,
                one.paths,
                intent,
                evidence,
                one.places,
            )


def _conflict(
    kind: ConflictKind,
    verdict: Literal["warn", "stop"],
    landed: Change,
    paths: Sequence[str],
    intent: Intent | None,
    evidence: str,
    places: Sequence[UndonePlace] = (),
) -> Conflict:
    return Conflict(
        kind=kind,
        verdict=verdict,
        sha=landed.sha,
        title=landed.title,
        who=landed.author,
        with_run=landed.run,
        paths=tuple(encodable(path) for path in paths),
        intent=intent.text if intent else "",
        evidence=evidence + _mismatch(landed),
        landed_at_ms=landed.at_ms,
        marks=hunk_marks(places),
        own_marks=first_own_marks(one for place in places for one in _own_marks(place)),
        holder=intent.who if intent else landed.author,
    )


def _evidence(undone: Undone) -> str:
    """How much of the landed change goes, and where."""
    hunks = counted(undone.hunks, "hunk")
    before = f", {undone.hunks_before} more before" if undone.hunks_before else ""
    places = list(dict.fromkeys(_place(place) for place in undone.places))
    return f"{hunks} ({share_words(undone.share)} of it{before}) at {_few(places)}"


def _repeated(repeat: Repeat) -> str:
    """How much of which part of the branch has landed."""
    share = f"{repeat.share:.0%}"
    if repeat.of == "part":
        return f"{share} of what it did is done here again"
    mine = _few([commit.sha[:10] for commit in repeat.commits]) if repeat.commits else "what this branch does"
    return f"it has {share} of {mine}"


def _mismatch(landed: Change) -> str:
    """Where its message names runs that did not make it, as far as is known."""
    named = [] if landed.run in landed.hints else landed.hints
    return f"; trailer mismatch: it names {_few(named)}, whose work it is not" if named else ""


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _PLACES_SHOWN} more" if len(names) > _PLACES_SHOWN else ""
    return f"{', '.join(names[:_PLACES_SHOWN])}{more}"


def _place(place: UndonePlace) -> str:
    """Where the new change does it: a file, with the lines where they are known."""
    if not place.by:
        return encodable(place.by_path)
    return f"{encodable(place.by_path)}:{_lines(place.by)}"


def _own_marks(place: UndonePlace) -> Iterator[str]:
    path = encodable(place.by_path)
    if not place.by:
        yield f"  {path}"
    for hunk in place.by:
        yield f"{_mark(place.by_path, hunk)} {_lines([hunk])} {path}"


def _mark(path: str, hunk: Hunk) -> str:
    return sha256(repr((path, hunk)).encode("utf-8", "backslashreplace")).hexdigest()[:16]


def _lines(hunks: Sequence[Hunk]) -> str:
    """From the first of them to the last, in the file as it would be: `12-14`."""
    first = min(hunk.after for hunk in hunks)
    last = max(hunk.after + max(1, hunk.after_lines) - 1 for hunk in hunks)
    return f"{first}-{last}" if last > first else str(first)
