"""Whether git runs our hooks, or another has taken their place: looked at, and then asked of git itself."""

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from loomstack_mcp.adapters.git.worktree import Worktree
from loomstack_mcp.adapters.install.doctor import INIT, Check
from loomstack_mcp.adapters.install.git_hooks import is_our_git_hook, planned_git_hooks
from loomstack_mcp.adapters.install.hooks_folders import (
    GIT_HOOKS,
    NoHooksFolder,
    are_called_by_hand,
    hooks_folder,
    own_hooks_folders,
)
from loomstack_mcp.core.clients.files.own_names import NAME
from loomstack_mcp.core.errors import Invalid

_NAME = "git hooks"
_SECONDS_MAX = 10
_CANARY = "--loomstack-canary"


def git_hook_checks(worktree: Worktree, environment: Mapping[str, str], *, is_set_up: bool) -> Iterator[Check]:
    """What git would run here. Where nothing of ours is set up, that there are none is no fault."""
    try:
        folder = hooks_folder(worktree)
        steps = planned_git_hooks(folder)
    except NoHooksFolder as error:
        yield Check(check=_NAME, status="fail", found=str(error), mend=f"{INIT}, once it is there")
        return
    except Invalid as error:
        if are_called_by_hand(worktree):
            found = f"each of the {len(GIT_HOOKS)} where git looks (core.hooksPath) calls ours; not tried"
            yield Check(check=_NAME, status="ok", found=found)
            return
        yield Check(check=_NAME, status="warn", found=f"not ours: {error}", mend="do that, or leave them as they are")
        return
    missing = [step.name for step in steps if step.verb != "change"]
    if len(missing) == len(GIT_HOOKS):
        yield from _none(worktree, folder, is_set_up=is_set_up)
    elif missing:
        found = f"{', '.join(missing)} in {folder}: another's, or gone, since init; git does not run ours there"
        yield Check(check=_NAME, status="fail", found=found, mend=f"{INIT}, which keeps the other and runs it first")
    elif steps:
        found = f"{', '.join(step.name for step in steps)} in {folder}: of another version, or not executable"
        yield Check(check=_NAME, status="fail", found=found, mend=INIT)
    else:
        yield _asked(worktree, environment)


def _none(worktree: Worktree, folder: Path, *, is_set_up: bool) -> Iterator[Check]:
    there = own_hooks_folders(worktree)
    elsewhere = [other for other in there if any(is_our_git_hook(other / name) for name in GIT_HOOKS)]
    if elsewhere:
        found = f"ours are in {elsewhere[0]}, and git looks in {folder} (core.hooksPath), so that it runs none of them"
        yield Check(check=_NAME, status="fail", found=found, mend=INIT)
    elif is_set_up:
        found = "none of ours, so that commits name no run and are judged later"
        yield Check(check=_NAME, status="warn", found=found, mend=INIT)


def _asked(worktree: Worktree, environment: Mapping[str, str]) -> Check:
    """Git's own word: it is told to run each hook, which gives an answer and does nothing else (git-hook(1))."""
    silent = {name: said for name in GIT_HOOKS if (said := _canary(worktree, name, environment)) != NAME}
    if not silent:
        return Check(check=_NAME, status="ok", found=f"git runs all {len(GIT_HOOKS)} of ours; tried just now")
    said = next(iter(silent.values()))
    if "is not a git command" in said:
        return Check(check=_NAME, status="ok", found="all are ours; not tried, which needs git 2.36")
    found = f"git does not run {', '.join(silent)}: {said or 'nothing was said'}"
    return Check(check=_NAME, status="fail", found=found[:300], mend=INIT)


def _canary(worktree: Worktree, name: str, environment: Mapping[str, str]) -> str:
    # What git sets for its hooks would lead this one astray.
    own = {key: value for key, value in environment.items() if not key.startswith("GIT_")}
    try:
        ran = subprocess.run(
            ["git", "hook", "run", name, "--", _CANARY],
            cwd=worktree.root, env=own, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", timeout=_SECONDS_MAX, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return ran.stdout.strip()
