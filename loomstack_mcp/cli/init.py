"""`init` and `uninstall`: make LoomStack part of a repository, or of one's own clients, and take it out again."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from loomstack_mcp import __version__
from loomstack_mcp.adapters.git.discovery import no_worktree
from loomstack_mcp.adapters.install import files as installing
from loomstack_mcp.adapters.install.definitions import OURS, FoundDefinition, each_file_once, found_definitions
from loomstack_mcp.adapters.install.git_hooks import carry_out_git_hooks
from loomstack_mcp.adapters.install.journal import remove_journal, write_journal
from loomstack_mcp.adapters.install.managed import managed_files
from loomstack_mcp.adapters.install.receive_hook import removed_receive_hook
from loomstack_mcp.adapters.install.scopes import InstallScope, project_scope, user_scope
from loomstack_mcp.adapters.install.writing import FileStep, carried_out
from loomstack_mcp.cli import output
from loomstack_mcp.cli.hubs import join_team_hub, leave_team_hub
from loomstack_mcp.cli.init_choice import chosen_definitions
from loomstack_mcp.cli.init_git_hooks import git_hook_removal, git_hook_steps
from loomstack_mcp.cli.init_next import next_steps
from loomstack_mcp.cli.init_plan import agreed_to, show_kept
from loomstack_mcp.cli.people import configuring
from loomstack_mcp.core.clients.files.own_names import COMMAND
from loomstack_mcp.core.clients.files.project import client_files
from loomstack_mcp.core.clients.files.server_url import usable_url
from loomstack_mcp.core.errors import Invalid, NotFound
from loomstack_mcp.edge.here import Here

dry_run = click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
yes = click.option("--yes", is_flag=True, help="Ask nothing.")
_SOME = "all, none, or names with commas."


@configuring
@click.command()
@click.option("--url", help="Use the team's server at this URL instead of one per session.")
@click.option("--hub", metavar="URL", help="Make the team's hub your store; its token comes from standard input.")
@click.option("--ca", metavar="FILE", type=click.Path(exists=True, dir_okay=False), help="Certificates of that hub.")
@click.option("--guard", is_flag=True, help="Ask the session's server before each step, not a command: faster.")
@click.option("--telemetry", is_flag=True, help="With --user: both clients tell `telemetry receive` what they cost.")
@click.option("--user", is_flag=True, help="Your own files, for every repository, instead of this one's.")
@click.option("--agents", metavar="WHICH", help=f"Agents to install: {_SOME}")
@click.option("--skills", metavar="WHICH", help=f"Skills to install: {_SOME}")
@click.option("--no-git-hooks", is_flag=True, help="Leave git's own hooks alone.")
@dry_run
@yes
@click.pass_obj
def init(
    here: Here,
    url: str | None,
    hub: str | None,
    ca: str | None,
    guard: bool,
    telemetry: bool,
    user: bool,
    agents: str | None,
    skills: str | None,
    no_git_hooks: bool,
    dry_run: bool,
    yes: bool,
) -> None:
    """Write the files of Claude Code and Codex, and git's hooks, so that their sessions here use LoomStack."""
    if hub is not None:
        join_team_hub(here, hub, ca=ca or "", dry_run=dry_run)
        return
    if ca:
        raise Invalid("--ca says which certificates a hub is held to: pass it with --hub")
    url = "" if url is None else usable_url(url)
    if url and guard:
        raise Invalid("a server at a URL sees no worktree, so it cannot guard; leave out --url or --guard")
    scope = _scope(here, user=user, telemetry=telemetry)
    asks = sys.stdin.isatty() and not (dry_run or yes)
    found = each_file_once(scope, found_definitions(scope, __version__))
    chosen = chosen_definitions(found, agents=agents, skills=skills, asks=asks)
    written = (each.file for each in chosen if each.state in ("absent", "stale"))
    wanted = (*client_files(scope.places, url=url, guard=guard, telemetry=telemetry), *written)
    show_kept(chosen, scope, ("foreign", "changed", "newer"))
    for managed in managed_files():
        click.echo(output.harmless(f"{'managed':<7} {managed.line}"))
    steps, hooks = installing.planned(scope.root, wanted), () if no_git_hooks else git_hook_steps(scope.worktree)
    nothing = f"LoomStack is set up {'for you' if user else 'here'} already; nothing to change."
    if agreed_to(steps, scope.shown_path, hooks=hooks, dry_run=dry_run, yes=yes, nothing=nothing):
        _must_be_as_shown(steps, installing.planned(scope.root, wanted))
        # The notes come first: whoever is killed in between still knows what the files said.
        write_journal(scope.journal, scope.root, wanted, steps)
        carried_out(steps)
        carry_out_git_hooks(hooks)
        click.echo("\n".join(next_steps(url, scope, chosen, telemetry=telemetry)))


@configuring
@click.command()
@click.option("--user", is_flag=True, help="Your own files instead of this repository's.")
@click.option("--hub", is_flag=True, help="Leave the team's hub: no files but its token and your setting.")
@dry_run
@yes
@click.pass_obj
def uninstall(here: Here, user: bool, hub: bool, dry_run: bool, yes: bool) -> None:
    """Take out what `init` wrote. The store stays: it holds the team's memory."""
    if hub:
        leave_team_hub(here, dry_run=dry_run)
        return
    hook, git_folder = ((), Path()) if user else _receive_hook(here)
    if hook and not here.worktree:  # a bare repository has nothing of ours but that
        if agreed_to(hook, lambda path: os.path.relpath(path, git_folder), dry_run=dry_run, yes=yes, nothing=""):
            _take_out(hook, "this repository's")
        return
    scope = _scope(here, user=user)
    found = each_file_once(scope, found_definitions(scope, __version__))
    show_kept(found, scope, ("changed",))
    steps, git_hooks = (*_removal(scope, found), *hook), git_hook_removal(scope.worktree)
    whose, where = ("your own", "for you") if user else ("this repository's", "here")
    nothing = f"LoomStack is not set up {where}; nothing to change."
    if agreed_to(steps, scope.shown_path, hooks=git_hooks, dry_run=dry_run, yes=yes, nothing=nothing):
        _must_be_as_shown(steps, (*_removal(scope, found), *hook))
        carry_out_git_hooks(git_hooks)
        _take_out(steps, whose)
        remove_journal(scope.journal)


def _take_out(steps: Sequence[FileStep], whose: str) -> None:
    carried_out(steps)
    click.echo(f"LoomStack is out of {whose} files.")
    click.echo(f"The program goes with what brought it: uv tool, pipx or pip uninstall {COMMAND}.")


def _scope(here: Here, *, user: bool, telemetry: bool = False) -> InstallScope:
    """Whose files are meant. Raises Invalid outside of a worktree, where nobody's own are meant."""
    if telemetry and not user:
        raise Invalid("clients heed telemetry in a person's own files alone: pass --user with --telemetry")
    home = Path(here.own_settings.home)
    if user:
        return user_scope(os.environ, home=home)
    if (worktree := here.worktree) is None:
        raise Invalid(f"{no_worktree(here.folder or Path())}; go to one, make one with git init, or pass --user")
    return project_scope(worktree, home=home)


def _removal(scope: InstallScope, found: Sequence[FoundDefinition]) -> tuple[FileStep, ...]:
    """What takes us out; what of ours somebody changed stays."""
    files = (*client_files(scope.places), *(each.file for each in found if each.state in (*OURS, "absent")))
    return installing.planned_removal(scope.root, files, scope.journal, worktree=scope.worktree)


def _must_be_as_shown(steps: Sequence[FileStep], again: Sequence[FileStep]) -> None:
    """Raises Invalid where the files are no longer what a person was shown: clients write theirs at any time."""
    if tuple(steps) != tuple(again):
        raise Invalid("these files were changed while you looked at the plan; run it again, nothing was changed")


def _receive_hook(here: Here) -> tuple[tuple[FileStep, ...], Path]:
    """What takes out the hook of `gate --install`, where it is; and the git folder."""
    try:
        with here.any_repository() as repo:
            return removed_receive_hook(repo.place), repo.place.git_dir
    except NotFound:
        return (), Path()
