"""One case of an audit as HTML: who took what back, what has become of it, and the lines before, changed and undone."""

from collections.abc import Iterator, Sequence
from html import escape

from loomstack_mcp.adapters.git.lost_lines import FileLines
from loomstack_mcp.cli.audit_cases import Case, signed_name
from loomstack_mcp.cli.audit_text import day, fate_phrase, plain, shown_line, undone_phrase
from loomstack_mcp.cli.output import harmless
from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.undone import Undone, UndonePlace
from loomstack_mcp.core.changes.verdicts import Reversal, State
from loomstack_mcp.core.changes.words import VERBS, taken_back
from loomstack_mcp.core.phrases import counted

STATES: dict[State, str] = {"missing": "still missing", "restored": "put back", "agreed": "agreed"}
KINDS = {"undo": "undo", "stale_base": "old copy", "ping_pong": "back and forth", "manifests": "dependencies set back"}
_PLACES_MAX = 4
_UNDONE_MAX = 20
_CONTEXT = 2
_LINES_MAX = 30


def html_text(text: str) -> str:
    """Text of others, as text of a page."""
    return escape(harmless(plain(text).expandtabs(4)))


def case_kind(one: Reversal) -> str:
    """The kind that a person filters by: a key of KINDS."""
    return "manifests" if one.manifests else one.kind


def case_people(one: Reversal) -> tuple[str, ...]:
    """Who took back, and whose work; of what was agreed only in part, the others."""
    return tuple(dict.fromkeys([one.change.author, *(each.change.author for each in taken_back(one) or one.undoes)]))


def filter_attributes(one: Reversal, name: str) -> str:
    """What the filters of the page ask of an element: its people, paths, state and kind, a line each."""
    people = "\n".join(map(html_text, case_people(one)))
    paths = "\n".join(sorted({html_text(path) for each in taken_back(one) or one.undoes for path in each.paths}))
    kind = case_kind(one)
    return f'id="{name}" data-state="{one.state}" data-kind="{kind}" data-people="{people}" data-paths="{paths}"'


def case_html(case: Case, files: FileLines, name: str, *, is_open: bool, has_sides: bool) -> Iterator[str]:
    """A case as a part that opens; without the lines themselves where `has_sides` is false."""
    one = case.one
    yield f'<details class="case" {filter_attributes(one, name)}{" open" if is_open else ""}><summary>'
    said_so = f"{html_text(signed_name(one.change.author))}: {html_text(one.change.title)}"
    yield f'<h3><span class="{one.verdict}">{one.verdict}</span> {said_so}</h3>'
    fate = html_text(fate_phrase(one)) or STATES[one.state]
    yield f"<p class=soft>{day(one.change.at_ms)} · {KINDS[case_kind(one)]} · <b>{fate}</b></p></summary>"
    if line := case.line:
        sign, mark = ("+", "in") if line.returned else ("-", "out")
        yield f'<pre><span class="{mark}">{sign} {html_text(shown_line(line.text))}</span></pre>'
    yield f"<p>{_sha(case, one.change)} · <code>{html_text(case.command)}</code></p>"
    for undone in case.most_undone[:_UNDONE_MAX]:
        phrase = html_text(undone_phrase(one, undone))
        yield f"<p>{VERBS[one.kind].capitalize()} {phrase}{_link(case, undone.change)}</p>"
        for place in undone.places[:_PLACES_MAX] if has_sides else ():
            yield from _sides(one, undone, place, files)
        if (more := len(undone.places) - _PLACES_MAX) > 0 and has_sides:
            yield f"<p class=soft>and {counted(more, 'more place')}</p>"
    if (more := len(case.most_undone) - _UNDONE_MAX) > 0:
        yield f"<p class=soft>and {counted(more, 'more change')}</p>"
    yield "</details>"


def agreed_html(one: Reversal, name: str) -> str:
    """A case that was agreed, in a line."""
    undone = one.undoes[0]
    more = f" and {counted(len(one.undoes) - 1, 'more change')}" if len(one.undoes) > 1 else ""
    said_so = f"{html_text(signed_name(one.change.author))}: {html_text(one.change.title)}"
    what = f"{VERBS[one.kind]} {html_text(undone_phrase(one, undone))}{more}"
    return f"<p {filter_attributes(one, name)}>{_short(one.change)} {said_so}<br><span class=soft>{what}</span></p>"


def _short(change: Change) -> str:
    return f"<code>{change.sha[:12]}</code>"


def _sha(case: Case, change: Change) -> str:
    page = case.page(change)
    return f'<a href="{escape(page)}" rel="noreferrer">{_short(change)}</a>' if page else _short(change)


def _link(case: Case, change: Change) -> str:
    page = case.page(change)
    return f' <a href="{escape(page)}" rel="noreferrer">open</a>' if page else ""


def _sides(one: Reversal, undone: Undone, place: UndonePlace, files: FileLines) -> Iterator[str]:
    parent = undone.change.parents[0] if undone.change.parents else ""
    old, new = place.hunk, place.by[0] if place.by else None
    yield '<div class="sides">'
    yield _side("before", place.old_path, files.of(parent, place.old_path), old.before, old.before_lines, "out")
    yield _side(
        f"changed by {undone.change.author}",
        place.path,
        files.of(undone.change.sha, place.path),
        old.after,
        old.after_lines,
        "in",
    )
    after = files.of(one.change.sha, place.by_path)
    at = (new.after, new.after_lines) if new else (old.before, old.before_lines)
    yield _side(f"undone by {one.change.author}", place.by_path, after, *at, "out")
    yield "</div>"


def _side(caption: str, path: str, lines: Sequence[str], first: int, count: int, mark: str) -> str:
    start = max(0, first - 1 - _CONTEXT) if count else max(0, first - _CONTEXT)
    shown = lines[start : first + max(0, count - 1) + _CONTEXT][:_LINES_MAX]
    rows = []
    for number, line in enumerate(shown, start=start + 1):
        marked = f' class="{mark}"' if count and first <= number < first + count else ""
        rows.append(f"<span{marked}>{number:>5}  {html_text(line) or ' '}</span>")
    body = "".join(rows) or "<span>no lines here</span>"
    head = f"{html_text(caption)} · <code>{html_text(path)}</code>"
    return f"<figure><figcaption>{head}</figcaption><pre>{body}</pre></figure>"
