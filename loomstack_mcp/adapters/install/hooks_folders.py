"""Where git looks for the hooks of a clone, and whether those are the clone's alone."""

import os
from pathlib import Path

from loomstack_mcp.adapters.git.run import run
from loomstack_mcp.adapters.git.worktree import Worktree
from loomstack_mcp.core.clients.files.own_names import HOOK
from loomstack_mcp.core.errors import Invalid

GIT_HOOKS = (
    *("pre-commit", "prepare-commit-msg", "commit-msg", "post-commit"),
    *("pre-push", "post-rewrite", "post-checkout"),
)
"""The hooks of git (githooks(5)) that `init` sets up."""
REFUSED = 10
"""The status by which our hook tells a refusal from an installation that is broken, which stops nobody."""


class NoHooksFolder(Invalid):
    """The folder that git takes its hooks from is not there: not made yet, or not in this worktree."""


def own_hooks_folders(worktree: Worktree) -> tuple[Path, ...]:
    """Where hooks of ours may lie: where git looks now, and where it looks where nothing else is set."""
    usual = worktree.common_dir / "hooks"
    try:
        return tuple(dict.fromkeys((hooks_folder(worktree), usual)))
    except Invalid:
        return (usual,)


def hooks_folder(worktree: Worktree) -> Path:
    """Where git looks for the hooks of a clone.

    Raises Invalid where that is for other repositories too, and NoHooksFolder where nobody has made it.
    """
    scope, folder = _looked_in(worktree)
    if not scope:
        return folder
    real = Path(os.path.realpath(folder))
    # What makes it, husky at `npm install`, makes more than ours in it; git's own is ours to make.
    if not (folder.is_dir() or real.is_relative_to(os.path.realpath(worktree.common_dir))):
        raise NoHooksFolder(
            f"git takes its hooks from {folder} (core.hooksPath, {scope}), which is no folder, so that it runs none; "
            "make it (husky: npm install) or unset that, then loomstack-mcp init"
        )
    if not any(real.is_relative_to(os.path.realpath(own)) for own in (worktree.root, worktree.common_dir)):
        raise Invalid(
            f"git takes its hooks from {folder} (core.hooksPath, {scope}), for other repositories too; a person adds "
            f'there to each of {", ".join(GIT_HOOKS)}: loomstack-hook git NAME "$@"; [ $? -ne {REFUSED} ] || exit 1'
        )
    return folder


def are_called_by_hand(worktree: Worktree) -> bool:
    """Whether a person has added ours to each hook of a folder that is for other repositories too."""
    _, folder = _looked_in(worktree)
    return all(f"{HOOK} git {name}".encode() in _content(folder / name) for name in GIT_HOOKS)


def _looked_in(worktree: Worktree) -> tuple[str, Path]:
    """The scope of the setting that says where git looks for hooks, and that folder; "" where none says."""
    listed = run(worktree.root, "config", "--show-scope", "--type=path", "--get-all", "core.hooksPath").text
    # What is of the scope of the command is our own word, by which git runs no hook while we read.
    said = [(scope, path) for scope, _, path in (line.partition("\t") for line in listed.split("\n")) if path]
    found = [(scope, path) for scope, path in said if scope != "command"]
    if not found:
        return "", worktree.common_dir / "hooks"
    scope, path = found[-1]
    return scope, Path(os.path.normpath(worktree.root / path))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
