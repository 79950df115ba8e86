"""`export`: landed commits with the runs that made them, in formats that other tools read."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from loomstack_mcp import __version__
from loomstack_mcp.adapters.git.added_lines import ranges_added
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.cli import output
from loomstack_mcp.cli.people import open_to_all
from loomstack_mcp.cli.spans import Span
from loomstack_mcp.core.exports import ExportFormat, LandedCommit, agent_trace, authorship_note
from loomstack_mcp.edge.clones import must_be_clone_of_meant
from loomstack_mcp.edge.here import Here
from loomstack_mcp.edge.tracing import caught_up
from loomstack_mcp.loom import Loom, open_loom

_COMMITS_MAX = 5_000


@open_to_all
@click.command()
@click.option(
    "--format", "form", type=click.Choice(["agent-trace", "git-ai"]), required=True,
    help="agent-trace.dev's records, or notes for git-ai's refs/notes/ai.",
)  # fmt: skip
@click.option("--since", type=Span(), default="30d", show_default=True, help="What landed in that time: 12h, 30d, 8w.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="A file instead of standard output.")
@click.pass_obj
def export(here: Here, form: ExportFormat, since: int, out: Path | None) -> None:
    """Write which run made which lines of what landed, one JSON object a line, newest first."""
    with open_loom(here.settings) as loom:
        here = must_be_clone_of_meant(here, loom)
        for gap in caught_up(here, loom):
            click.echo(f"Not looked at: {output.harmless(gap)}.", err=True)
        with here.repository() as repo:
            found = [_line(one, form) for one in _landed(here, loom, repo, since_ms=since)]
    text = "".join(f"{line}\n" for line in found)
    if out:
        out.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    click.echo(f"{len(found)} of what landed is known as some run's.", err=True)


def _landed(here: Here, loom: Loom, repo: Repository, *, since_ms: int) -> Iterator[LandedCommit]:
    repo_id = loom.repos.id_of(here.checkout())
    commits, runs, models = loom.traces.landed(repo_id, within_ms=since_ms, limit=_COMMITS_MAX)
    by_id = {run.id: run for run in runs}
    for commit in commits:
        if commit.run_id in by_id and repo.commit(commit.sha):
            yield LandedCommit(
                commit=commit,
                run=by_id[commit.run_id],
                models=models.get(commit.run_id, ()),
                added=ranges_added(repo, commit.sha),
            )


def _line(landed: LandedCommit, form: ExportFormat) -> str:
    if form == "agent-trace":
        return json.dumps(agent_trace(landed, version=__version__), ensure_ascii=True)
    files, told = authorship_note(landed, version=__version__)
    note = f"{files}\n---\n{json.dumps(told, ensure_ascii=True)}\n"
    return json.dumps({"commit": landed.commit.sha, "note": note}, ensure_ascii=True)
