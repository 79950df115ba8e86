"""The audit as a lead reads it in a terminal: totals, the stops with what they took, the rest in a line each."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap

import click

from loomstack_mcp.adapters.git.audit import Audit
from loomstack_mcp.cli import output
from loomstack_mcp.cli.audit_cases import Case, signed_name
from loomstack_mcp.cli.audit_text import (
    agreed_phrase,
    day,
    fate_phrase,
    loss_lines,
    plain,
    shortened,
    shown_line,
    span_phrase,
    undone_phrase,
)
from loomstack_mcp.core.changes.conflict_records import Intent
from loomstack_mcp.core.changes.verdicts import Reversal
from loomstack_mcp.core.changes.words import VERBS
from loomstack_mcp.core.phrases import counted

_UNDONE_SHOWN = 3
_PATHS_SHOWN = 4
_WARNINGS_SHOWN = 10
_MOST_SHOWN = 10
_LINE_CHARS = 100
_SHA_CHARS = 10
_ROOM_LEAST = 20
_COLORS = {"stop": "red", "warn": "yellow"}
_INDENT = " " * 6


def report(found: Audit, told: Sequence[Case], *, stops_only: bool, width: int) -> Iterator[str]:
    """All lines; those of prose end at `width` (0: never), what somebody copies stays whole."""
    yield from _totals(found, told)
    yield ""
    for case in told:
        if case.one.verdict == "stop":
            yield from (_folded(case, width),) if case.is_of_bots else _stop(case, found.intents, width)
            yield ""
    if stops_only:
        return
    yield from _warnings([case for case in told if case.one.verdict == "warn"], width)
    if told:
        yield from _most_often(told)


def _totals(found: Audit, told: Sequence[Case]) -> Iterator[str]:
    stops = [case.one for case in told if case.one.verdict == "stop"]
    yield f"{span_phrase(found)}, {found.seconds:.1f} s."
    if found.commits:
        warns = len(told) - len(stops)
        counts = f"{len(stops)} silently took back what others had landed (stop), {warns} may have (warn);"
        yield click.style(counts, bold=True)
        yield f"{agreed_phrase(found)}."
    yield from loss_lines(stops)
    yield from (click.style(f"Not checked: {output.harmless(gap)}.", fg="yellow") for gap in found.unchecked)


def _stop(case: Case, intents: Mapping[str, Intent], width: int) -> Iterator[str]:
    one = case.one
    told = (
        f"{_sha(one)}  {day(one.change.at_ms)}  {signed_name(one.change.author)}: {output.harmless(one.change.title)}"
    )
    yield _marked(one, told, width)
    for undone in case.most_undone[:_UNDONE_SHOWN]:
        yield from _wrapped(f"{VERBS[one.kind]} {undone_phrase(one, undone)}", width)
        if intent := intents.get(undone.change.sha):
            yield from _wrapped(f"on purpose: {output.harmless(intent.text)} ({output.harmless(intent.who)})", width)
    if (more := len(case.most_undone) - _UNDONE_SHOWN) > 0:
        yield _prose(f"and {counted(more, 'more change')}", width)
    if case.line:
        sign, color = ("+", "green") if case.line.returned else ("-", "red")
        room = min(_LINE_CHARS, width - len(_INDENT) - 2) if width else _LINE_CHARS
        yield f"{_INDENT}{click.style(f'{sign} {shortened(shown_line(case.line.text), room)}', fg=color)}"
    yield f"{_INDENT}in {_few_paths(case.paths, width)}"
    if fate := fate_phrase(one):
        yield _INDENT + click.style(fate, fg="green" if one.state == "restored" else None, bold=True)
    yield f"{_INDENT}{case.command}"
    if page := case.page(one.change):
        yield f"{_INDENT}{page}"


def _warnings(warned: Sequence[Case], width: int) -> Iterator[str]:
    """One line each, those with only dependencies or bots' work in one line together."""
    set_back = [case for case in warned if case.one.manifests]
    of_bots = [case for case in warned if case.is_of_bots and not case.one.manifests]
    others = [case for case in warned if not (case.one.manifests or case.is_of_bots)]
    yield from (_folded(case, width) for case in others[:_WARNINGS_SHOWN])
    if (more := len(others) - _WARNINGS_SHOWN) > 0:
        yield _prose(f"and {counted(more, 'more warning')} (--json, --html)", width)
    yield from _together("dependencies set back", set_back, width)
    yield from _together("bots’ work taken back", of_bots, width)
    yield from [""] * bool(warned)


def _together(what: str, cases: Sequence[Case], width: int) -> Iterator[str]:
    if cases:
        named = ", ".join(f"{_sha(case.one)} of {signed_name(case.one.change.author)}" for case in cases)
        yield _marked(cases[0].one, f"{what}, {counted(len(cases), 'commit')}: {named}", width)


def _folded(case: Case, width: int) -> str:
    one = case.one
    [undone, *more] = case.most_undone
    whom = f"{signed_name(undone.change.author)}{f' +{len(more)}' if more else ''}"
    hunks = counted(sum(each.hunks for each in case.most_undone), "hunk")
    fate = f"; {told}" if (told := fate_phrase(one)) else ""
    who, title = signed_name(one.change.author), output.harmless(one.change.title)
    return _marked(one, f"{_sha(one)}  {day(one.change.at_ms)}  {who} → {whom}, {hunks}{fate}: {title}", width)


def _most_often(told: Sequence[Case]) -> Iterator[str]:
    """Between whom it happened most often, and where."""
    yield click.style("Who undid whom", bold=True)
    pairs = Counter((case.one.change.author, undone.change.author) for case in told for undone in case.most_undone)
    for (who, whom), times in pairs.most_common(_MOST_SHOWN):
        yield f"  {times:>4} ×  {signed_name(who)} → {signed_name(whom)}"
    yield click.style("Where", bold=True)
    for path, times in Counter(path for case in told for path in case.paths).most_common(_MOST_SHOWN):
        yield f"  {times:>4} ×  {output.harmless(plain(path))}"


def _few_paths(paths: Sequence[str], width: int) -> str:
    """As many as a line holds, and one at least."""
    named = [output.harmless(plain(path)) for path in paths[:_PATHS_SHOWN]]
    while width and len(named) > 1 and len(", ".join(named)) > width - len(_INDENT) - len("in  and 1,000 more"):
        named.pop()
    more = f" and {len(paths) - len(named):,} more" if len(paths) > len(named) else ""
    return ", ".join(named) + more


def _marked(one: Reversal, told: str, width: int) -> str:
    mark = click.style(f"{one.verdict.upper():<4}", fg=_COLORS[one.verdict], bold=True)
    return f"{mark}  {shortened(told, width - len(_INDENT) if width else 0)}"


def _wrapped(told: str, width: int) -> Iterator[str]:
    """On two lines at most."""
    room = width - len(_INDENT)
    lines = wrap(told, room, subsequent_indent="  ", max_lines=2, placeholder=" …") if room > _ROOM_LEAST else [told]
    yield from (f"{_INDENT}{line}" for line in lines)


def _prose(told: str, width: int) -> str:
    return _INDENT + shortened(told, width - len(_INDENT) if width else 0)


def _sha(one: Reversal) -> str:
    return one.change.sha[:_SHA_CHARS]
