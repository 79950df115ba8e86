"""The audit as one page: nothing is loaded, every case has its lines, and a small script filters them."""

import base64
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from loomstack_mcp.adapters.git.audit import Audit
from loomstack_mcp.adapters.git.lost_lines import FileLines
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.cli.audit_cases import Case, signed_name
from loomstack_mcp.cli.audit_page_case import KINDS, STATES, agreed_html, case_html, case_kind, case_people, html_text
from loomstack_mcp.cli.audit_text import agreed_phrase, day, loss_lines, span_phrase
from loomstack_mcp.core.changes.verdicts import Reversal
from loomstack_mcp.core.phrases import counted

_OPEN_MAX, _SIDES_MAX, _LISTED_MAX = 10, 60, 1_000
"""How many cases are open, have their lines, and are there at all."""
_WIDTH, _HEIGHT = 1000, 120
_CSS = Path(__file__).with_name("audit_page.css")
_SCRIPT = Path(__file__).with_name("audit_page.js")


def page(found: Audit, told: Sequence[Case], repo: Repository, *, stops_only: bool = False) -> str:
    """The whole HTML document. It runs its own script and has its own style, and a browser lets it do no more."""
    style, script = _CSS.read_text("utf-8"), _SCRIPT.read_text("utf-8")
    agreed = [] if stops_only else [one for one in found.reversals if one.verdict == "clear"]
    told = [case for case in told if case.one.verdict == "stop" or not stops_only]
    listed = [*(case.one for case in told), *agreed]
    policy = f"default-src 'none'; base-uri 'none'; style-src {_hashed(style)}; script-src {_hashed(script)}"
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width,initial-scale=1">',
            f"<title>What was taken back</title><style>{style}</style></head><body><main>",
            *_head(found, repo),
            *_timeline(found, told),
            *_tables(told),
            *(_filters(listed) if listed else ()),
            *_cases(told, repo),
            *_agreed(agreed),
            f"</main><script>{script}</script></body></html>\n",
        ]
    )


def _hashed(text: str) -> str:
    """As a Content-Security-Policy names what may stand in the page (CSP Level 3, 8.2)."""
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"


def _head(found: Audit, repo: Repository) -> Iterator[str]:
    stops = [one for one in found.reversals if one.verdict == "stop"]
    warns = sum(one.verdict == "warn" for one in found.reversals)
    yield "<h1>Changes that took back what others had landed</h1>"
    name = html_text(repo.folder.resolve().name)
    yield f"<p class=soft>{name}: {span_phrase(found)}</p>"
    yield '<div class="figures">'
    yield f'<div><b class="stop">{len(stops)}</b>silently took back others’ work</div>'
    yield f'<div><b class="warn">{warns}</b>worth a look</div>'
    agreed, _, what = agreed_phrase(found).partition(" ")
    yield f"<div><b>{agreed}</b>{html_text(what)}</div></div>"
    yield from (f"<p>{html_text(line)}</p>" for line in loss_lines(stops))
    yield "<p class=soft>A case is a fact of the history: these lines had landed, and went. "
    yield "Whether that was right is for the people named to say.</p>"
    yield from (f'<p class="warn">Not checked: {html_text(gap)}.</p>' for gap in found.unchecked)


def _timeline(found: Audit, told: Sequence[Case]) -> Iterator[str]:
    """Each case as an arc from the newest change that it takes back to itself."""
    if not told:
        return
    span = max(1, found.last_ms - found.first_ms)
    yield "<h2>When</h2>"
    yield f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="The cases over time">'
    yield f'<line x1="0" x2="{_WIDTH}" y1="100" y2="100" stroke="var(--line)"/>'
    for at, one in enumerate(case.one for case in told):
        end = 10 + (_WIDTH - 20) * (one.change.at_ms - found.first_ms) / span
        start = max(0.0, end - (_WIDTH - 20) * one.age_ms / span)
        rise = min(90.0, 12 + (end - start) / 2)
        title = f"<title>{html_text(one.change.author)}: {html_text(one.change.title)}</title>"
        arc = f"M{start:.1f} 100 Q{(start + end) / 2:.1f} {100 - rise:.1f} {end:.1f} 100"
        yield f'<g data-of="c{at}"><path d="{arc}" fill="none" stroke="var(--{one.verdict})" opacity=".6"/>'
        yield f'<circle cx="{end:.1f}" cy="100" r="4" fill="var(--{one.verdict})">{title}</circle></g>'
    yield f'<text x="0" y="118" font-size="12" fill="var(--soft)">{day(found.first_ms)}</text>'
    yield f'<text x="{_WIDTH}" y="118" font-size="12" fill="var(--soft)" text-anchor="end">{day(found.last_ms)}</text>'
    yield "</svg>"


def _tables(told: Sequence[Case]) -> Iterator[str]:
    if not told:
        return
    pairs = Counter((case.one.change.author, undone.change.author) for case in told for undone in case.most_undone)
    files = Counter(path for case in told for path in case.paths)
    yield '<div class="columns"><div><h2>Who undid whom</h2><table>'
    for (who, whom), times in pairs.most_common(10):
        yield f"<tr><td>{times} ×<td>{html_text(signed_name(who))} → {html_text(signed_name(whom))}"
    yield "</table></div><div><h2>Where</h2><table>"
    yield from (f"<tr><td>{times} ×<td><code>{html_text(path)}</code>" for path, times in files.most_common(10))
    yield "</table></div></div>"


def _filters(listed: Sequence[Reversal]) -> Iterator[str]:
    """Hidden until the script is there to obey them."""
    people = Counter(author for one in listed for author in case_people(one))
    states = {one.state for one in listed}
    kinds = {case_kind(one) for one in listed}
    yield "<h2>The cases</h2>"
    yield '<form id="filters" hidden><label>Person <select name="person"><option value="">anybody</option>'
    for name, times in sorted(people.items(), key=lambda one: (-one[1], one[0])):
        yield f'<option value="{html_text(name)}">{html_text(signed_name(name))} ({times})</option>'
    yield '</select></label><label>Path <input type="search" name="path" placeholder="part of a path"></label>'
    yield from _choice("State", {state: label for state, label in STATES.items() if state in states})
    yield from _choice("Kind", {kind: label for kind, label in KINDS.items() if kind in kinds})
    yield '<button type="reset">All</button><output id="count" aria-live="polite"></output></form>'


def _choice(label: str, options: dict[str, str]) -> Iterator[str]:
    yield f'<label>{label} <select name="{label.lower()}"><option value="">any</option>'
    yield from (f'<option value="{name}">{text}</option>' for name, text in options.items())
    yield "</select></label>"


def _cases(told: Sequence[Case], repo: Repository) -> Iterator[str]:
    files = FileLines(repo)
    for at, case in enumerate(told[:_LISTED_MAX]):
        yield from case_html(case, files, f"c{at}", is_open=at < _OPEN_MAX, has_sides=at < _SIDES_MAX)
    if len(told) > _LISTED_MAX:
        yield f"<p class=soft>and {len(told) - _LISTED_MAX:,} more</p>"


def _agreed(agreed: Sequence[Reversal]) -> Iterator[str]:
    """Folded, the newest first."""
    if agreed:
        yield f'<details id="agreed"><summary>{counted(len(agreed), "case")} agreed</summary>'
        yield from (agreed_html(one, f"a{at}") for at, one in enumerate(agreed[: -_LISTED_MAX - 1 : -1]))
        more = len(agreed) - _LISTED_MAX
        yield f"<p class=soft>and {more:,} older</p></details>" if more > 0 else "</details>"
