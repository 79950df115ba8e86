"""The hook by which a repository on a server judges every push: written, tried, and taken out again."""

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from loomstack_mcp.adapters.git.discovery import Place
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.run import as_text, run
from loomstack_mcp.adapters.install.writing import FileStep, replace_file
from loomstack_mcp.core.errors import Invalid

ACCOUNT = "$(id -un)"
"""Who pushes, as a shell says it: the account that git runs under."""
_NAME = "pre-receive"
_MARK = "# Written by `loomstack-mcp gate --install`; `loomstack-mcp uninstall` here takes it out."
_TRY_SECONDS_MAX = 120


def receive_command(options: Sequence[str], *, git_only: bool, actor: str) -> str:
    """The shell command of the hook, which needs neither PATH nor HOME; `actor` is a shell's expression."""
    words = [sys.executable, "-P", "-m", "loomstack_mcp", *options, "gate", "--pre-receive"]
    return f'{shlex.join([*words, *(["--git-only"] if git_only else [])])} --actor "{actor}"'


def write_receive_hook(place: Place, command: str) -> Path:
    """Write the hook, over an older one of ours alone. Raises Invalid, saying what to add where another's is."""
    path = _hook_path(place)
    if os.path.lexists(path) and _MARK not in _text(path):
        raise Invalid(
            f"{path} is a hook of another; nothing was written. Of what git gives it on stdin, both need all: "
            f"""begin it with\n  updates=$(cat); printf '%s\\n' "$updates" | {command} || exit\n"""
            """and hand the rest of it printf '%s\\n' "$updates" as well"""
        )
    replace_file(path, f"#!/bin/sh\n{_MARK}\nexec {command}\n")
    path.chmod(0o755)
    return path


def try_receive_hook(path: Path, repo: Repository) -> tuple[int, str]:
    """The status and the words of the hook for a push that changes nothing, or, without a commit, for no push at all.

    It runs as git's server would run it: in the git folder, with little in its environment.
    """
    ref = repo.head_ref
    tip = repo.commit(ref)
    here = f"{as_text(run(repo.folder, '--exec-path').printed).strip()}:{os.defpath}"
    try:
        done = subprocess.run(
            [str(path)],
            cwd=repo.place.git_dir,
            env={"PATH": here, "GIT_DIR": "."},
            input=f"{tip} {tip} {ref}\n".encode("utf-8", "surrogateescape") if tip else b"",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_TRY_SECONDS_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 1, f"it took longer than {_TRY_SECONDS_MAX} s"
    return done.returncode, as_text(done.stdout).strip()


def removed_receive_hook(place: Place) -> tuple[FileStep, ...]:
    """What has to change so that our hook is not there; nothing where it is not."""
    path = place.common_dir / "hooks" / _NAME
    text = _text(path)
    return (FileStep(path=path, before=text, after=None),) if _MARK in text and not path.is_symlink() else ()


def _hook_path(place: Place) -> Path:
    own = place.common_dir / "hooks"
    listed = run(place.folder, "config", "--show-scope", "--type=path", "--get-all", "core.hooksPath").text.splitlines()
    # What is of the scope of the command is our own word, by which git runs no hook while we read.
    said = [path for scope, _, path in (line.partition("\t") for line in listed) if scope != "command"]
    if said and os.path.realpath(place.folder / said[-1]) != str(own):
        there = place.folder / said[-1]
        raise Invalid(
            f"the hooks of {place.common_dir} are in {there}, for other repositories too; nothing was written"
        )
    return own / _NAME


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
