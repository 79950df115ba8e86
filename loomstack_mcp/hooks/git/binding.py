"""Whose a commit is, told to the store once git has made it, and again when it is rewritten."""

import os
from collections.abc import Sequence

from loomstack_mcp.adapters.client_shell import shell_caller
from loomstack_mcp.adapters.git.messages import changed_paths, is_moved, made_commit, messages_of
from loomstack_mcp.adapters.git.run import as_text
from loomstack_mcp.adapters.git.worktree import Worktree
from loomstack_mcp.core.changes.trailers import named_runs
from loomstack_mcp.core.limits import CALLED_PATHS_MAX
from loomstack_mcp.core.texts import encodable
from loomstack_mcp.glance import surely_unedited
from loomstack_mcp.hooks.git.standing import hooked_worktree, opened_store

_REWRITTEN_BYTES_MAX = 10_000_000


def bind_head() -> None:
    """The commit that was just made is its maker's, and what lies in it is nobody's to edit any more.

    A rebase only moves it, and tells that at its end.
    """
    caller = shell_caller(os.environ)
    worktree = hooked_worktree()
    if is_moved(worktree.place):
        return
    with opened_store(worktree) as opened:
        if opened:
            quick, checkout = opened
            sha, message, paths = made_commit(worktree.place)
            if caller and caller.session:
                quick.commits.bind_commit(
                    caller, checkout, sha, named=named_runs(message), paths=paths[:CALLED_PATHS_MAX]
                )
            if surely_unedited():
                return
            left = changed_paths(worktree.place)
            settled = [encodable(path) for path in paths if path not in left]
            for at in range(0, len(settled), CALLED_PATHS_MAX):
                quick.edits.settle(None, checkout, settled[at : at + CALLED_PATHS_MAX])


def rebind(given: bytes, *, by_rebase: bool) -> None:
    """What git rewrote stays its makers', whoever rewrites it; it says `OLD NEW`, a line each (githooks(5))."""
    lines = [line.split(" ") for line in as_text(given[:_REWRITTEN_BYTES_MAX]).split("\n")]
    rewritten = [(words[0], words[1]) for words in lines if len(words) > 1]
    if not rewritten:
        return
    worktree = hooked_worktree()
    with opened_store(worktree) as opened:
        if opened:
            quick, checkout = opened
            same = _same(worktree, rewritten) if by_rebase else rewritten
            for at in range(0, len(same), CALLED_PATHS_MAX):
                quick.commits.rebind_commits(checkout, same[at : at + CALLED_PATHS_MAX])


def _same(worktree: Worktree, rewritten: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Without what a person made where a rebase stopped: git takes the last commit there for what it stopped at."""
    messages = messages_of(worktree.place, [sha for pair in rewritten for sha in pair])
    named = {sha: bool(named_runs(message)) for sha, message in messages.items()}
    return [(old, new) for old, new in rewritten if named.get(new) or not named.get(old)]
