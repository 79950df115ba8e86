"""`audit`: which commits took back what others had landed, in any repository, without set-up."""

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from loomstack_mcp.adapters.git.audit import Audit, audited
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.settings import has_store
from loomstack_mcp.cli import output
from loomstack_mcp.cli.audit_cases import Case, told_cases
from loomstack_mcp.cli.audit_json import audit_object
from loomstack_mcp.cli.audit_report import report
from loomstack_mcp.cli.people import open_to_all
from loomstack_mcp.cli.spans import Span
from loomstack_mcp.core.changes.conflict_records import Intent
from loomstack_mcp.core.changes.undone import Undone
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.limits import DAY_MS, SECOND_MS
from loomstack_mcp.edge.clones import clone_of_meant
from loomstack_mcp.edge.here import Here
from loomstack_mcp.edge.people import persons_on_trunk
from loomstack_mcp.loom import open_loom

_LAST = 1_000


@open_to_all
@click.command()
@click.option("--since", type=Span(), help="Commits of the last 12h, 90d, 6w …")
@click.option("--last", type=click.IntRange(1, 1_000_000), help=f"The last N commits; default {_LAST:,}.")
@click.option("--window", type=Span(), help="How far back each is held against: 90d …; default: window_days.")
@click.option("--stops-only", is_flag=True, help="Show the stops alone; the totals count all.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a page to show around.")
@click.pass_obj
def audit(
    here: Here,
    since: int | None,
    last: int | None,
    window: int | None,
    stops_only: bool,
    as_json: bool,
    html: Path | None,
) -> None:
    """Find commits that silently took back what others had landed. Needs git, and nothing else."""
    if since and last:
        raise click.UsageError("give --since or --last, not both")
    with here.repository() as repo, _known_intents(here) as intent_on:
        found = audited(
            repo,
            since_ms=round(time.time() * SECOND_MS) - since if since else 0,
            last=0 if since else last or _LAST,
            window_ms=window or here.settings.window_days * DAY_MS,
            generated=here.settings.generated,
            people=persons_on_trunk(repo),
            intent_on=intent_on,
            progress=output.progress,
        )
        told = told_cases(found, repo, is_top=_is_top(here, repo))
        if html:
            _write_page(html, found, told, repo, stops_only=stops_only)
    if as_json:
        click.echo(json.dumps(audit_object(found, told, stops_only=stops_only), ensure_ascii=True))
        return
    for line in report(found, told, stops_only=stops_only, width=_width()):
        click.echo(line)
    if html:
        click.echo(f"Written to {html}.")


@contextmanager
def _known_intents(here: Here) -> Iterator[Callable[[Undone], Intent | None]]:
    """Why landed changes were made, where a store beside the clone knows; nobody has to have one."""
    if not has_store(here.settings):
        yield lambda _: None
        return
    with open_loom(here.settings) as loom:
        checkout = (clone_of_meant(here, loom) or here).checkout()
        yield lambda one: loom.conflicts.intent_on(checkout, one.change.sha, one.paths)


def _width() -> int:
    """Of the terminal; 0 where there is none."""
    return shutil.get_terminal_size((200, 24)).columns if sys.stdout.isatty() else 0


def _is_top(here: Here, repo: Repository) -> bool:
    """Whether a path that somebody types here counts from the top of the worktree."""
    root = repo.place.root
    return root is None or here.folder is None or here.folder.resolve() == root.resolve()


def _write_page(path: Path, found: Audit, told: Sequence[Case], repo: Repository, *, stops_only: bool) -> None:
    from loomstack_mcp.cli.audit_page import page  # a page is rare, and what it needs is not small

    text = page(found, told, repo, stops_only=stops_only)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Invalid(f"cannot write {path}: {error.strerror}; name another file") from None
