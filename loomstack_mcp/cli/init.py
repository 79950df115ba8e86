"""`init` and `uninstall`: make LoomStack part of a repository for both clients, and take it out again."""

import difflib
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from loomstack_mcp.adapters.git.discovery import no_worktree
from loomstack_mcp.adapters.git.worktree import Worktree
from loomstack_mcp.adapters.install import files as installing
from loomstack_mcp.adapters.install.journal import journal_of, remove_journal, write_journal
from loomstack_mcp.adapters.install.receive_hook import removed_receive_hook
from loomstack_mcp.adapters.install.writing import FileStep, carried_out
from loomstack_mcp.cli import output
from loomstack_mcp.cli.people import configuring
from loomstack_mcp.core.clients.files.own_names import COMMAND, TOKEN_VARIABLE
from loomstack_mcp.core.clients.files.project import client_files
from loomstack_mcp.core.clients.files.server_url import usable_url
from loomstack_mcp.core.errors import Invalid, NotFound
from loomstack_mcp.edge.here import Here

dry_run = click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
yes = click.option("--yes", is_flag=True, help="Ask nothing.")


@configuring
@click.command()
@click.option("--url", help="Use the team's server at this URL instead of one per session.")
@dry_run
@yes
@click.pass_obj
def init(here: Here, url: str | None, dry_run: bool, yes: bool) -> None:
    """Write the project files of Claude Code and Codex, so that their sessions here use LoomStack."""
    url = "" if url is None else usable_url(url)
    worktree, journal = _place(here)
    root = worktree.root
    wanted = client_files(exclude=worktree.exclude, url=url)
    steps = installing.planned(root, wanted)
    if _agreed(steps, root, dry_run=dry_run, yes=yes, nothing="LoomStack is set up here already; nothing to change."):
        # The notes come first: whoever is killed in between still knows what the files said.
        write_journal(journal, root, wanted, steps)
        carried_out(steps)
        click.echo("\n".join(_next_steps(url)))


@configuring
@click.command()
@dry_run
@yes
@click.pass_obj
def uninstall(here: Here, dry_run: bool, yes: bool) -> None:
    """Take out what `init` wrote. The store stays: it holds the team's memory."""
    hook, root = _receive_hook(here)
    steps, journal = hook, None
    if not hook or here.worktree:  # a bare repository has nothing of ours but that
        worktree, journal = _place(here)
        root = worktree.root
        steps = (*installing.planned_removal(worktree, client_files(exclude=worktree.exclude), journal), *hook)
    if _agreed(steps, root, dry_run=dry_run, yes=yes, nothing="LoomStack is not set up here; nothing to change."):
        carried_out(steps)
        if journal:
            remove_journal(journal)
        click.echo("LoomStack is out of this repository's files.")
        click.echo(f"The program goes with what brought it: uv tool, pipx or pip uninstall {COMMAND}.")


def _place(here: Here) -> tuple[Worktree, Path]:
    """The worktree, and where its texts from before us are kept."""
    if (worktree := here.worktree) is None:
        raise Invalid(f"{no_worktree(here.folder or Path())}; go to one, or make one with git init")
    return worktree, journal_of(Path(here.own_settings.home), worktree.root)


def _receive_hook(here: Here) -> tuple[tuple[FileStep, ...], Path]:
    """What takes out the hook of `gate --install`, where it is; and the git folder."""
    try:
        with here.any_repository() as repo:
            return removed_receive_hook(repo.place), repo.place.git_dir
    except NotFound:
        return (), Path()


def _agreed(steps: Sequence[FileStep], root: Path, *, dry_run: bool, yes: bool, nothing: str) -> bool:
    """Show the plan, and whether to go on with it."""
    if not steps:
        click.echo(nothing)
        return False
    for step in steps:
        click.echo(output.harmless_lines(_difference(step, root)))
    if dry_run:
        return False
    if not yes and not sys.stdin.isatty():
        raise Invalid("there is no terminal to ask on; pass --yes to go on, or --dry-run to look only")
    return yes or click.confirm("Write this?", default=True)


def _difference(step: FileStep, root: Path) -> str:
    name = os.path.relpath(step.path, root)
    before, after = (step.before or "").splitlines(), (step.after or "").splitlines()
    old, new = ("/dev/null" if text is None else name for text in (step.before, step.after))
    return "\n".join(difflib.unified_diff(before, after, old, new, lineterm="", n=2))


def _next_steps(url: str) -> Iterator[str]:
    """What a person still has to do, with the clients that are there."""
    yield "LoomStack is set up here. Next:"
    here = [program for program in _CLIENTS if shutil.which(program)]
    yield from (_CLIENTS[program] for program in here)
    if not here:
        yield f"  clients      neither {' nor '.join(_CLIENTS)} is on PATH; install one, and start it in this folder"
    elif missing := [program for program in _CLIENTS if program not in here]:
        yield f"               ({missing[0]} was not found on PATH)"
    if shutil.which(COMMAND) is None:
        yield f"  PATH         {COMMAND} is not on PATH, so the clients will not find it; add its folder"
    yield f"  check it     {COMMAND} doctor"
    if "claude" in here and not url:
        yield "  claude -p    claude -p --mcp-config .mcp.json …: else it waits two seconds for the server, no more"
    yield "  share it     commit .mcp.json, .claude/settings.json and .codex/"
    if url:
        yield f"  token        export {TOKEN_VARIABLE} before you start a client; no file holds it"


_CLIENTS = {
    "claude": "  Claude Code  start `claude` in this folder and accept the server when it asks",
    "codex": "  Codex        start `codex` in this folder; trust it, and the hook, when it asks",
}
