"""`init` and `uninstall`: make LoomStack part of a repository for both clients, and take it out again."""

import difflib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import click

from loomstack_mcp.adapters import installing
from loomstack_mcp.adapters.gitcli import Worktree
from loomstack_mcp.adapters.installing import Step
from loomstack_mcp.cli import output
from loomstack_mcp.cli.main import Invocation
from loomstack_mcp.core.clientfiles import TOKEN_VARIABLE, files
from loomstack_mcp.core.errors import Invalid

dry_run = click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
yes = click.option("--yes", is_flag=True, help="Ask nothing.")


@click.command()
@click.option("--url", default="", help="Use the team's server at this URL instead of one per session.")
@dry_run
@yes
@click.pass_obj
def init(invocation: Invocation, url: str, dry_run: bool, yes: bool) -> None:
    """Write the project files of Claude Code and Codex, so that their sessions here use LoomStack."""
    if url and not _is_safe(url):
        raise Invalid(f"--url {url} would send the token in clear text; use https://, or a loopback address")
    worktree, home = _place(invocation)
    root = worktree.root
    steps = installing.planned(root, files(exclude=worktree.exclude, url=url))
    if _agreed(steps, root, dry_run=dry_run, yes=yes, nothing="LoomStack is set up here already; nothing to change."):
        installing.carried_out(steps)
        installing.remember(installing.journal_of(home, root), root, steps)
        click.echo(_NEXT + (_NEXT_TOKEN if url else ""))


@click.command()
@dry_run
@yes
@click.pass_obj
def uninstall(invocation: Invocation, dry_run: bool, yes: bool) -> None:
    """Take out what `init` wrote. The store stays: it holds the team's memory."""
    worktree, home = _place(invocation)
    root = worktree.root
    journal = installing.journal_of(home, root)
    steps = installing.planned_removal(root, files(exclude=worktree.exclude), journal)
    if _agreed(steps, root, dry_run=dry_run, yes=yes, nothing="LoomStack is not set up here; nothing to change."):
        installing.carried_out(steps)
        journal.unlink(missing_ok=True)
        click.echo("LoomStack is out of this repository's files. `pip uninstall loomstack-mcp` removes the program.")


def _is_safe(url: str) -> bool:
    """Whether nobody on the way can read what is sent there."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    loopback = parts.hostname in ("127.0.0.1", "localhost", "::1")
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and loopback))


def _place(invocation: Invocation) -> tuple[Worktree, Path]:
    """The worktree, and the home folder of the user's settings."""
    if (worktree := invocation.worktree()) is None:
        raise Invalid("this folder is in no git worktree; go to one, or make one with git init")
    return worktree, Path(invocation.settings().home)


def _agreed(steps: Sequence[Step], root: Path, *, dry_run: bool, yes: bool, nothing: str) -> bool:
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


def _difference(step: Step, root: Path) -> str:
    name = os.path.relpath(step.path, root)
    before, after = (step.before or "").splitlines(), (step.after or "").splitlines()
    old, new = ("/dev/null" if text is None else name for text in (step.before, step.after))
    return "\n".join(difflib.unified_diff(before, after, old, new, lineterm="", n=2))


_NEXT = """\
LoomStack is set up here. Next:
  Claude Code  start `claude` in this folder and accept the server when it asks
  Codex        start `codex` in this folder; trust it, and the hook, when it asks
  check it     loomstack-mcp doctor
  share it     commit .mcp.json, .claude/settings.json and .codex/"""
_NEXT_TOKEN = f"""
  token        export {TOKEN_VARIABLE} before you start a client; no file holds it"""
