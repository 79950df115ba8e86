"""`db prune`: what is older than somebody wants to keep, and nothing needs, goes; and the file gives back its space."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path

import click

from loomstack_mcp.adapters.settings import Settings, postgres_url, sqlite_path
from loomstack_mcp.adapters.user import principal
from loomstack_mcp.cli import output
from loomstack_mcp.cli.lists import as_json
from loomstack_mcp.cli.people import configuring, private
from loomstack_mcp.cli.spans import Span
from loomstack_mcp.core.errors import Invalid, NotFound
from loomstack_mcp.core.limits import DAY_MS
from loomstack_mcp.core.phrases import counted
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import is_there, open_store
from loomstack_mcp.services.repos import RepoService
from loomstack_mcp.services.retention import before_of, pruned_repo
from loomstack_mcp.store.base import Store
from loomstack_mcp.store.sqlite.space import Space, drained, given_back, space_of

_NICE = 10
_MEGABYTE = 1_000_000
_KEPT = {
    "live": "of a session that is live",
    "recent": "at work since",
    "held": "hold paths",
    "conflict": "in a conflict",
    "made": "made commits",
    "approval": "asked people",
    "stopped": "ended by a person",
    "note": "told what still holds",
    "usage": "cost something",
    "many": "belong to very many others",
}
_BY_SETTING = "keep_days"
_RUN = "run"


@configuring
@click.command()
@click.option("--keep", type=Span(), help="How far back things are kept: 90d, 26w. Else `keep_days` of the settings.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and remove nothing.")
@as_json
@click.pass_obj
def prune(here: Here, keep: int | None, dry_run: bool, as_json: bool) -> None:
    """Remove what is older, over and needed by nothing: runs with all they left, and the log; others go on meanwhile.

    What made a commit stays, with its goal, claims, outcomes, decisions and approvals; so does what is live, told and
    not ended, in an open conflict, asked of people, or an audit's. The file gives back its space.
    """
    settings = here.settings
    days = _days(settings, keep)
    if not is_there(settings.store):
        raise NotFound("there is no store yet; `loomstack-mcp db path` says where it will be")
    with closing(open_store(settings.store)) as store:
        before_ms = before_of(store, days, window_days=settings.window_days)
        found = _pruned(
            store, before_ms=before_ms, who=principal(), is_tried=True, told=output.passing, drain=lambda: None
        )
        if not as_json:
            click.echo(_told("would go" if dry_run else "goes", found))
        file = None if postgres_url(settings) else sqlite_path(settings)
        before = space_of(file) if file else None
        if not dry_run:
            with _drained(file) as drain:
                found = _pruned(
                    store,
                    before_ms=before_ms,
                    who=principal(),
                    is_tried=False,
                    told=output.passing,
                    drain=drain,
                )
    after = given_back(file, told=_told_free) if file and not dry_run else before
    if as_json:
        space = {"space_before": asdict(before), "space": asdict(after)} if before and after else {}
        output.print_record({"keep_days": days, "dry_run": dry_run, **found, **space}, as_json=True)
    elif not dry_run:
        click.echo(_told("gone", found))
        click.echo(_told_space(before, after))


@private
@click.command(hidden=True)
@click.pass_obj
def tidy(here: Here) -> None:
    """Do what the settings say, quietly; started once a day by whatever process of ours ends then."""
    settings = here.own_settings
    if not settings.keep_days:
        return
    os.nice(_NICE)
    file = None if postgres_url(settings) else sqlite_path(settings)
    with closing(open_store(settings.store)) as store, _drained(file) as drain:
        before_ms = before_of(store, settings.keep_days, window_days=settings.window_days)
        _pruned(store, before_ms=before_ms, who=_BY_SETTING, is_tried=False, told=lambda _: None, drain=drain)
    if file:
        given_back(file)


@contextmanager
def _drained(file: Path | None) -> Iterator[Callable[[], None]]:
    """As of a file; a database sees to it itself."""
    if not file:
        yield lambda: None
        return
    with drained(file) as drain:
        yield drain


def _days(settings: Settings, keep_ms: int | None) -> int:
    if keep_ms is None and not settings.keep_days:
        raise click.UsageError("say how far back things are kept: --keep 90d; or set keep_days in your settings")
    if keep_ms is not None and keep_ms < DAY_MS:
        raise Invalid("what landed is compared with who intended what; keep whole days: --keep 90d")
    return settings.keep_days if keep_ms is None else keep_ms // DAY_MS


def _pruned(
    store: Store, *, before_ms: int, who: str, is_tried: bool, told: Callable[[str], None], drain: Callable[[], None]
) -> dict[str, Mapping[str, int]]:
    """What went, or would go, out of all repositories."""
    rows: Counter[str] = Counter()
    kept: Counter[str] = Counter()

    def went(count: int) -> None:
        drain()
        told(f"… {counted(rows.total() + count, 'row')}")

    for repo_id in RepoService(store).ids():
        done = pruned_repo(store, repo_id, before_ms=before_ms, who=who, is_tried=is_tried, told=went)
        rows.update(done.rows)
        kept.update(done.kept)
    told("")
    return {"rows": dict(rows), "kept": dict(kept)}


def _told(how: str, found: Mapping[str, Mapping[str, int]]) -> str:
    return "\n".join(_lines(how, found))


def _lines(how: str, found: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    rows = sorted(found["rows"].items(), key=lambda one: -one[1])
    yield f"{how}: {', '.join(counted(count, noun) for noun, count in rows) or 'nothing'}"
    kept = sorted(found["kept"].items(), key=lambda one: -one[1])
    if kept:
        yield f"stays, though as old: {', '.join(f'{counted(count, _RUN)} {_KEPT[why]}' for why, count in kept)}"


def _told_space(before: Space | None, after: Space | None) -> str:
    if not (before and after):
        return "PostgreSQL gives the space to new rows by its autovacuum; `VACUUM FULL` of the schema loom to the disk"
    line = f"the file has {_megabytes(after.file_bytes)}, {_megabytes(before.file_bytes)} before"
    return f"{line}; its log {_megabytes(after.log_bytes)}" + (f"; {after.why_left}" if after.why_left else "")


def _megabytes(size: int) -> str:
    return f"{size / _MEGABYTE:,.1f} MB"


def _told_free(free: int) -> None:
    output.passing(f"… {_megabytes(free)} to give back" if free else "")
