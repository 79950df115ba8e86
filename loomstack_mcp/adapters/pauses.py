"""The pauses of this user, in one small file beside the store: a hook reads it without the store, and without git."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from loomstack_mcp.adapters.beside_store import read_entries, write_entries
from loomstack_mcp.adapters.user import PAUSES_FILE
from loomstack_mcp.core.errors import Invalid, Paused
from loomstack_mcp.core.limits import SECOND_MS
from loomstack_mcp.core.pauses import Pause, pause_shown, pauses_in_force


def read_pauses(home: str) -> tuple[Pause, ...]:
    """All that are kept, ended ones too. A file that cannot be read pauses nothing: then all is checked."""
    try:
        return tuple(Pause(**each) for each in read_entries(home, PAUSES_FILE))
    except TypeError:
        return ()


def write_pauses(home: str, pauses: Sequence[Pause]) -> None:
    """Keep these alone. Raises Invalid where the file cannot be written."""
    try:
        write_entries(home, PAUSES_FILE, [asdict(pause) for pause in pauses])
    except OSError as error:
        raise Invalid(
            f"cannot write {Path(home) / PAUSES_FILE}: {error.strerror}; see to its folder, nothing was changed"
        ) from None


def pauses_now(home: str, repo: str) -> tuple[tuple[Pause, ...], int]:
    """Those of a repository that hold now, and the time."""
    now_ms = round(time.time() * SECOND_MS)
    return pauses_in_force(read_pauses(home), repo, now_ms=now_ms), now_ms


def refuse_paused(home: str, identity: Callable[[], str], session: str) -> None:
    """Raises Paused where a person switched LoomStack off for the repository, or for this session.

    The repository's identity is asked for only where there is any pause.
    """
    now_ms = round(time.time() * SECOND_MS)
    for pause in read_pauses(home):
        is_meant = pause.session == session if pause.session else pause.repo == identity()
        if is_meant and pause.until_at_ms > now_ms:
            raise Paused(
                f"{pause_shown(pause, now_ms=now_ms)}: nothing was checked, claimed or recorded. "
                "Work on without it, and take this for no yes"
            )


def is_paused(home: str, identity: Callable[[], str], session: str) -> bool:
    """Whether a person switched LoomStack off, for whoever says nothing then; as `refuse_paused`."""
    try:
        refuse_paused(home, identity, session)
    except Paused:
        return True
    return False
