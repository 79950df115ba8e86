"""`audit`: which commits took back what others had landed, in any repository, without set-up."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from loomstack_mcp.adapters.git.audit import Audit, audited
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.cli import output
from loomstack_mcp.cli.audit_text import KINDS, day, paths_taken_back, plain, undone_phrase
from loomstack_mcp.cli.people import open_to_all
from loomstack_mcp.cli.spans import Span
from loomstack_mcp.core.changes.verdicts import Reversal
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.limits import DAY_MS, HOUR_MS, SECOND_MS
from loomstack_mcp.core.phrases import counted
from loomstack_mcp.edge.here import Here

_LAST = 1_000
_SCHEMA = 1
"""Of the JSON: it rises when a key changes its meaning or goes; keys may be added at any time."""
_PATHS_SHOWN = 4
_MOST_SHOWN = 10
_COLORS = {"stop": "red", "warn": "yellow"}


@open_to_all
@click.command()
@click.option("--since", type=Span(), help="Commits of the last 12h, 90d, 6w …")
@click.option("--last", type=click.IntRange(1, 1_000_000), help=f"The last N commits; default {_LAST:,}.")
@click.option("--window", type=Span(), help="How far back each is held against: 90d …; default: window_days.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a page to show around.")
@click.pass_obj
def audit(
    here: Here, since: int | None, last: int | None, window: int | None, as_json: bool, html: Path | None
) -> None:
    """Find commits that silently took back what others had landed. Needs git, and nothing else."""
    if since and last:
        raise click.UsageError("give --since or --last, not both")
    with here.repository() as repo:
        found = audited(
            repo,
            since_ms=round(time.time() * SECOND_MS) - since if since else 0,
            last=0 if since else last or _LAST,
            window_ms=window or here.settings.window_days * DAY_MS,
            generated=here.settings.generated,
            progress=output.progress,
        )
        if html:
            _write_page(html, found, repo)
    if as_json:
        click.echo(json.dumps(as_object(found), ensure_ascii=True))
    else:
        for line in _lines(found):
            click.echo(line)
        if html:
            click.echo(f"Written to {html}.")


def _write_page(path: Path, found: Audit, repo: Repository) -> None:
    from loomstack_mcp.cli.audit_page import page  # a page is rare, and what it needs is not small

    try:
        path.write_text(page(found, repo), encoding="utf-8")
    except OSError as error:
        raise Invalid(f"cannot write {path}: {error.strerror}; name another file") from None


def as_object(found: Audit) -> dict[str, Any]:
    """The audit for scripts: full hashes, ages in hours."""
    return {
        "schema": _SCHEMA,
        "commits": found.commits,
        "seconds": round(found.seconds, 2),
        "reversals": [_reversal_object(one) for one in found.reversals],
        "unchecked": list(found.unchecked),
    }


def _reversal_object(one: Reversal) -> dict[str, Any]:
    return {
        "commit": one.change.sha,
        "author": plain(one.change.author),
        "title": plain(one.change.title),
        "age_h": round(one.age_ms / HOUR_MS, 1),
        "verdict": one.verdict,
        "kind": one.kind,
        "undoes": [
            {
                "undone": undone.change.sha,
                "author": plain(undone.change.author),
                "hunks": undone.hunks,
                "share": undone.share,
                "agreed": agreed,
            }
            for undone, agreed in zip(one.undoes, one.agreed, strict=True)
        ],
        "paths": sorted({plain(path) for undone in one.undoes for path in undone.paths}),
    }


def _lines(found: Audit) -> Iterator[str]:
    silent = [one for one in found.reversals if one.verdict != "clear"]
    for one in silent:
        yield from _reversal_lines(one)
        yield ""
    if silent:
        yield from _most_often(silent)
        yield ""
    stops = sum(one.verdict == "stop" for one in silent)
    agreed = len(found.reversals) - len(silent)
    span = f" from {day(found.first_ms)} to {day(found.last_ms)}" if found.commits else ""
    yield f"{counted(found.commits, 'commit')}{span}, {found.seconds:.1f} s."
    yield (
        f"{stops} silently took back what others had landed (stop), {len(silent) - stops} may have (warn); "
        f"{agreed} were agreed: an author's own, or of one branch."
    )
    yield from (click.style(f"Not checked: {output.harmless(gap)}.", fg="yellow") for gap in found.unchecked)


def _most_often(silent: Sequence[Reversal]) -> Iterator[str]:
    """Between whom it happened most often, and where."""
    yield click.style("Who undid whom", bold=True)
    pairs = Counter((one.change.author, undone.change.author) for one in silent for undone in one.silent)
    for (who, whom), times in pairs.most_common(_MOST_SHOWN):
        yield f"  {times:>4} ×  {output.harmless(who)} → {output.harmless(whom)}"
    yield click.style("Where", bold=True)
    for path, times in Counter(path for one in silent for path in paths_taken_back(one)).most_common(_MOST_SHOWN):
        yield f"  {times:>4} ×  {_shown_path(path)}"


def _reversal_lines(one: Reversal) -> Iterator[str]:
    mark = click.style(f"{one.verdict.upper():<4}", fg=_COLORS[one.verdict], bold=True)
    yield f"{mark}  {one.change.sha[:10]}  {day(one.change.at_ms)}  {output.harmless(one.change.author)}: " + (
        output.harmless(one.change.title)
    )
    for undone in one.silent:
        yield f"      {KINDS[one.kind]} {undone_phrase(one, undone)}"
    paths = paths_taken_back(one)
    more = f" and {len(paths) - _PATHS_SHOWN} more" if len(paths) > _PATHS_SHOWN else ""
    yield f"      in {', '.join(_shown_path(path) for path in paths[:_PATHS_SHOWN])}{more}"


def _shown_path(path: str) -> str:
    return output.harmless(plain(path))
