"""Git's own hooks, as `init` and `uninstall` are about to change them."""

import click

from loomstack_mcp.adapters.git.worktree import Worktree
from loomstack_mcp.adapters.install.git_hooks import GitHookStep, planned_git_hooks, planned_git_hooks_removal
from loomstack_mcp.adapters.install.hooks_folders import hooks_folder, own_hooks_folders
from loomstack_mcp.cli import output
from loomstack_mcp.core.errors import Invalid


def git_hook_steps(worktree: Worktree | None) -> tuple[GitHookStep, ...]:
    """What brings them; where git takes hooks from elsewhere, a person is told what to add there. None without one."""
    if worktree is None:
        return ()
    try:
        folder = hooks_folder(worktree)
    except Invalid as error:
        click.echo(output.harmless(f"{'kept':<7} {error}"))
        return ()
    return planned_git_hooks(folder)


def git_hook_removal(worktree: Worktree | None) -> tuple[GitHookStep, ...]:
    """What takes them out, wherever in the clone they lie."""
    folders = own_hooks_folders(worktree) if worktree else ()
    return tuple(step for folder in folders for step in planned_git_hooks_removal(folder))
