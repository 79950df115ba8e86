"""The plainest commits, seen to in a hurry: what most are, in few modules and without a process."""

import os

from loomstack_mcp.adapters.client_shell import shell_agent
from loomstack_mcp.core.changes.trailers import TRAILER, with_plain_trailer
from loomstack_mcp.glance import surely_committing, surely_unedited


def is_signed_at_once(path: str, *, source: str) -> bool:
    """Whether nothing is left to do for a message; False is no answer.

    It is the message of a commit that nobody squashed, merged or rebased, by a session with one run here.
    """
    agent = shell_agent(os.environ)
    if agent is None:
        return source != "squash" and not os.path.lexists(_beside(path, "rebase-merge"))
    if source != "message" or not agent[0]:
        return False
    with open(path, "rb") as file:  # noqa: PTH123 pathlib costs milliseconds
        text = file.read()
    if TRAILER.lower().encode() in text.lower() or os.path.lexists(_beside(path, "rebase-merge")):
        return False
    run = surely_committing(*agent)
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
    return not surely_unedited()


def _beside(path: str, name: str) -> str:
    return os.path.join(os.path.dirname(path), name)  # noqa: PTH118, PTH120
