"""The plainest commits, seen to in a hurry: what most are, in few modules and without a process."""

import os

from loomstack_mcp.adapters.client_shell import shell_agent
from loomstack_mcp.adapters.git.layout import plain_layout
from loomstack_mcp.adapters.user import USER_FILE, home_named, principal, store_file
from loomstack_mcp.core.changes.trailers import TRAILER, with_plain_trailer
from loomstack_mcp.store.sqlite.hasty_runs import surely_committing_run, surely_holds_no_edits

_SETTINGS = ("LOOMSTACK_REPO", "LOOMSTACK_REWORK_MAX", "LOOMSTACK_WINDOW_DAYS", "LOOMSTACK_GENERATED")
"""What is looked at the full way, where it is set."""


def is_signed_at_once(path: str, *, source: str) -> bool:
    """Whether nothing is left to do for a message; False is no answer.

    It is the message of a commit that nobody squashed, merged or rebased, by a session with one run here.
    """
    agent = shell_agent(os.environ)
    if agent is None:
        return source != "squash" and not os.path.lexists(_beside(path, "rebase-merge"))
    if source != "message" or not agent[0] or any(os.environ.get(name) for name in _SETTINGS):
        return False
    with open(path, "rb") as file:  # noqa: PTH123 pathlib costs milliseconds
        text = file.read()
    if TRAILER.lower().encode() in text.lower() or os.path.lexists(_beside(path, "rebase-merge")):
        return False
    run = _run(*agent)
    signed = with_plain_trailer(text, f"{TRAILER}: {run}".encode()) if run else None
    if signed is None:
        return False
    with open(path, "wb") as file:  # noqa: PTH123
        file.write(signed)
    return True


def is_named_at_once(path: str) -> bool:
    """Whether a message that is final names a run by a line of its own already, or is a person's."""
    if shell_agent(os.environ) is None:
        return True
    with open(path, "rb") as file:  # noqa: PTH123
        return f"\n{TRAILER}: run_".encode() in file.read()


def may_end_claims() -> bool:
    """Whether a commit may take in what is held for edits; a person's commit tells the store nothing else."""
    agent = shell_agent(os.environ)
    if agent and agent[0]:
        return True
    store = _plain_store()
    return not (store and surely_holds_no_edits(store))


def _run(session: str, agent: str, certain: bool) -> str:
    store, layout = _plain_store(), plain_layout(os.getcwd())  # noqa: PTH109
    git_dir = os.environ.get("GIT_DIR")
    if not (store and layout and layout[0].isprintable()) or (git_dir and os.path.realpath(git_dir) != layout[1]):
        return ""
    who = {"principal": principal(), "session": session}
    return surely_committing_run(store, who, agent=agent, certain=certain, worktree=layout[0])


def _plain_store() -> str:
    """The store where no file of settings may choose another; "" where there is none, or that is not plain."""
    home = home_named(os.environ)
    store = store_file(os.environ, home)
    is_plain = home.startswith("/") and not os.path.lexists(f"{home}/{USER_FILE}")
    return store if store and is_plain and os.path.lexists(store) else ""


def _beside(path: str, name: str) -> str:
    return os.path.join(os.path.dirname(path), name)  # noqa: PTH118, PTH120
