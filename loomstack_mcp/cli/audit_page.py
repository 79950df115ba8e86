"""The audit as one page: no script, nothing loaded, and every case with its before, change and undo."""

from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from loomstack_mcp.adapters.git.audit import Audit
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.cli.audit_text import day, paths_taken_back, plain, undone_phrase
from loomstack_mcp.cli.output import harmless
from loomstack_mcp.core.changes.reversals import Undone, UndonePlace
from loomstack_mcp.core.changes.verdicts import Reversal
from loomstack_mcp.core.phrases import counted

_CASES_MAX = 60
_PLACES_MAX = 4
_CONTEXT = 2
_LINES_MAX = 30
_SHOWN_BYTES_MAX = 1_000_000
_WIDTH, _HEIGHT = 1000, 120
_CSS = Path(__file__).with_name("audit_page.css")


def page(found: Audit, repo: Repository) -> str:
    """The whole HTML document."""
    told = [one for one in found.reversals if one.verdict != "clear"]
    order = sorted(told, key=lambda one: (one.verdict != "stop", -one.change.at_ms))
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width,initial-scale=1">',
            f"<title>What was taken back</title><style>{_CSS.read_text('utf-8')}</style></head><body>",
            *_head(found, told, repo),
            *_timeline(found, told),
            *_tables(told),
            "<h2>The cases</h2>",
            *(part for one in order[:_CASES_MAX] for part in _case(one, repo)),
            f"<p class=soft>and {len(order) - _CASES_MAX} more</p>" if len(order) > _CASES_MAX else "",
            "</body></html>\n",
        ]
    )


def _head(found: Audit, told: Sequence[Reversal], repo: Repository) -> Iterator[str]:
    stops = sum(one.verdict == "stop" for one in told)
    yield "<h1>Changes that took back what others had landed</h1>"
    name = _text(repo.folder.resolve().name)
    commits = counted(found.commits, "commit")
    yield f"<p class=soft>{name}: {commits} from {day(found.first_ms)} to {day(found.last_ms)}</p>"
    yield '<div class="figures">'
    yield f'<div><b class="stop">{stops}</b>silently took back others’ work</div>'
    yield f'<div><b class="warn">{len(told) - stops}</b>worth a look</div>'
    yield f"<div><b>{len(found.reversals) - len(told)}</b>were agreed: an author’s own, or of one branch</div></div>"
    yield "<p class=soft>A case is a fact of the history: these lines had landed, and went. "
    yield "Whether that was right is for the people named to say.</p>"
    yield from (f'<p class="warn">Not checked: {_text(gap)}.</p>' for gap in found.unchecked)


def _timeline(found: Audit, told: Sequence[Reversal]) -> Iterator[str]:
    """Each case as an arc from the newest change that it takes back to itself."""
    if not told:
        return
    span = max(1, found.last_ms - found.first_ms)
    yield "<h2>When</h2>"
    yield f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="The cases over time">'
    yield f'<line x1="0" x2="{_WIDTH}" y1="100" y2="100" stroke="var(--line)"/>'
    for one in told:
        end = 10 + (_WIDTH - 20) * (one.change.at_ms - found.first_ms) / span
        start = max(0.0, end - (_WIDTH - 20) * one.age_ms / span)
        rise = min(90.0, 12 + (end - start) / 2)
        title = f"<title>{_text(one.change.author)}: {_text(one.change.title)}</title>"
        yield f'<path d="M{start:.1f} 100 Q{(start + end) / 2:.1f} {100 - rise:.1f} {end:.1f} 100" fill="none" '
        yield f'stroke="var(--{one.verdict})" opacity=".6"/>'
        yield f'<circle cx="{end:.1f}" cy="100" r="4" fill="var(--{one.verdict})">{title}</circle>'
    yield f'<text x="0" y="118" font-size="12" fill="var(--soft)">{day(found.first_ms)}</text>'
    yield f'<text x="{_WIDTH}" y="118" font-size="12" fill="var(--soft)" text-anchor="end">{day(found.last_ms)}</text>'
    yield "</svg>"


def _tables(told: Sequence[Reversal]) -> Iterator[str]:
    if not told:
        return
    pairs = Counter((one.change.author, undone.change.author) for one in told for undone in one.silent)
    files = Counter(path for one in told for path in paths_taken_back(one))
    yield '<div class="columns"><div><h2>Who undid whom</h2><table>'
    for (who, whom), times in pairs.most_common(10):
        yield f"<tr><td>{times} ×<td>{_text(who)} → {_text(whom)}"
    yield "</table></div><div><h2>Where</h2><table>"
    yield from (f"<tr><td>{times} ×<td><code>{_text(path)}</code>" for path, times in files.most_common(10))
    yield "</table></div></div>"


def _case(one: Reversal, repo: Repository) -> Iterator[str]:
    yield '<div class="case">'
    said_so = f"{_text(one.change.author)}: {_text(one.change.title)}"
    yield f'<h3><span class="{one.verdict}">{one.verdict}</span> {said_so}</h3>'
    kind = one.kind.replace("_", " ")
    yield f"<p class=soft><code>{one.change.sha[:12]}</code>, {day(one.change.at_ms)}, {kind}</p>"
    for undone in one.silent:
        yield f"<p>Takes back {_text(undone_phrase(one, undone))}</p>"
        yield from (part for place in undone.places[:_PLACES_MAX] for part in _place(one, undone, place, repo))
        if len(undone.places) > _PLACES_MAX:
            yield f"<p class=soft>and {counted(len(undone.places) - _PLACES_MAX, 'more place')}</p>"
    yield "</div>"


def _place(one: Reversal, undone: Undone, place: UndonePlace, repo: Repository) -> Iterator[str]:
    parent = undone.change.parents[0] if undone.change.parents else ""
    old, new = place.hunk, place.by[0] if place.by else None
    yield '<div class="sides">'
    yield _side("before", place.old_path, _lines_of(repo, parent, place.old_path), old.before, old.before_lines, "out")
    yield _side(
        f"changed by {undone.change.author}",
        place.path,
        _lines_of(repo, undone.change.sha, place.path),
        old.after,
        old.after_lines,
        "in",
    )
    after = _lines_of(repo, one.change.sha, place.by_path)
    at = (new.after, new.after_lines) if new else (old.before, old.before_lines)
    yield _side(f"undone by {one.change.author}", place.by_path, after, *at, "out")
    yield "</div>"


def _side(caption: str, path: str, lines: Sequence[str], first: int, count: int, mark: str) -> str:
    start = max(0, first - 1 - _CONTEXT) if count else max(0, first - _CONTEXT)
    shown = lines[start : first + max(0, count - 1) + _CONTEXT][:_LINES_MAX]
    rows = []
    for number, line in enumerate(shown, start=start + 1):
        marked = f' class="{mark}"' if count and first <= number < first + count else ""
        rows.append(f"<span{marked}>{number:>5}  {_text(line) or ' '}</span>")
    body = "".join(rows) or "<span>not there</span>"
    return f"<figure><figcaption>{_text(caption)} · <code>{_text(path)}</code></figcaption><pre>{body}</pre></figure>"


def _lines_of(repo: Repository, sha: str, path: str) -> list[str]:
    """The lines of a file in a commit as git counts them, to be shown; none where it is not there or too large."""
    content = repo.file(sha, path) if sha else b""
    return content[:_SHOWN_BYTES_MAX].decode("utf-8", "replace").split("\n")


def _text(text: str) -> str:
    return escape(harmless(plain(text).expandtabs(4)))
