"""The `Loom-Run:` trailer of a commit: the run that makes it, and those whose work it takes over."""

import os
from pathlib import Path

from loomstack_mcp.adapters.client_shell import shell_caller
from loomstack_mcp.adapters.git.messages import (
    add_trailers,
    has_words,
    is_moved,
    keeps_comments,
    melded_runs,
    message_text,
    staged_paths,
)
from loomstack_mcp.adapters.git.worktree import Worktree
from loomstack_mcp.core.changes.trailers import named_runs, said_message, written_message
from loomstack_mcp.core.limits import CALLED_PATHS_MAX
from loomstack_mcp.hooks.git.standing import hooked_worktree, opened_store

_EDITED_LATER = ("", "template")
"""Where the message is yet to be written: git aborts over an empty one, and over a template that nobody changed."""
_UNEDITED_NS = 1
"""The time of the last change of a message that waits for its editor."""


def sign_prepared(path: Path, *, source: str) -> None:
    """Sign a message before it is edited (githooks(5), prepare-commit-msg, which `--no-verify` does not skip)."""
    is_agents = shell_caller(os.environ) is not None
    if source in _EDITED_LATER:
        if is_agents:
            os.utime(path, ns=(_UNEDITED_NS, _UNEDITED_NS))
        return
    is_melding = source == "squash" or (path.parent / "rebase-merge/current-fixups").exists()
    if is_agents or is_melding:
        _sign(hooked_worktree(), path, is_melding=is_melding)


def _sign(worktree: Worktree, path: Path, *, is_melding: bool) -> None:
    text = message_text(path)
    melded = melded_runs(worktree.place, written_message(text)) if is_melding else ()
    own = () if is_moved(worktree.place) else _own_run(worktree)
    said = said_message(text)
    named = named_runs(said)
    missing = [*melded, *(run for run in own if run not in named and run not in melded)]
    if missing and (said.strip() or (text.strip() and keeps_comments(worktree.place))):
        add_trailers(worktree.place, path, missing)


def sign_final(path: Path) -> None:
    """Sign a message that was edited, where it names no run yet; git aborts over an empty one, and an unedited one."""
    if shell_caller(os.environ) is None or path.stat().st_mtime_ns == _UNEDITED_NS:
        return
    text = written_message(message_text(path))
    if named_runs(said_message(text)):
        return
    worktree = hooked_worktree()
    if has_words(worktree.place, text) and not is_moved(worktree.place) and (own := _own_run(worktree)):
        add_trailers(worktree.place, path, own)


def _own_run(worktree: Worktree) -> tuple[str, ...]:
    """The run of the agent whose shell this is; none for a person, without a store, and where no session is named."""
    caller = shell_caller(os.environ)
    if caller is None or not caller.session:
        return ()
    with opened_store(worktree) as opened:
        if opened is None:
            return ()
        quick, checkout = opened
        commits = quick.commits
        paths = staged_paths(worktree.place) if commits.has_several_agents(caller, checkout) else ()
        return (commits.committing_run(caller, checkout, paths[:CALLED_PATHS_MAX]),)
