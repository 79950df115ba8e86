"""The closer look of a hook: every repository that an action writes to, asked for what is held there."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from loomstack_mcp.adapters.git.trunk import written_for
from loomstack_mcp.adapters.git.written import Writes, Written
from loomstack_mcp.adapters.pauses import refuse_paused
from loomstack_mcp.adapters.settings import Settings, load_settings
from loomstack_mcp.adapters.system import current_folder
from loomstack_mcp.adapters.user import USER_FILE, principal
from loomstack_mcp.core.clients.payload import Action, Payload, refusal
from loomstack_mcp.core.edits import refused_change, refused_edit
from loomstack_mcp.core.errors import Invalid, LoomError, StoreUnavailable
from loomstack_mcp.core.limits import CALL_GATE_WAIT_MS, HOOK_GATE_WAIT_MS
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.edge.holding import Free, held_files
from loomstack_mcp.glance import stamp_of
from loomstack_mcp.hooks.bearings import checkout_of
from loomstack_mcp.quick import Quick, open_quick

Judged = tuple[Payload | None, Sequence[Exception]]
"""The refusal, where there is one, and else what kept files from being judged."""


def judged_action(action: Action) -> Judged:
    """What is to be said of an action. What is to be told to the store is told."""
    caller = Caller(principal=principal(), session=action.session, agent=action.agent, folder=action.cwd)
    settings = load_settings({})
    with open_quick(settings, gate_wait_ms=CALL_GATE_WAIT_MS if action.is_ours else HOOK_GATE_WAIT_MS) as quick:
        if quick is None:
            return None, ()
        if action.is_ours:
            with suppress(StoreUnavailable):  # the server then knows less; that the store is not there it says itself
                quick.sightings.saw_call(caller, action.tool_use)
            return None, ()
        return _judged(quick, caller, action, settings)


def _judged(quick: Quick, caller: Caller, action: Action, settings: Settings) -> Judged:
    """Each file by the repositories that it lies in, wherever the session stands. One that is held refuses all."""
    writes = _writes(action)
    held: list[str] = []
    free: list[Free] = []
    for written in writes.found.values():
        try:
            stamp = _stamp(written, settings)  # before what it is of is read
            checkout, chosen = checkout_of(quick, written.worktree)
            _refuse_paused(settings.home, checkout, action.session)
            check = quick.edits.check_of(caller)
            found, now_ms = quick.edits.blockers(caller, checkout, tuple(written.patterns))
        except (LoomError, OSError) as error:
            writes.missed.append(error)
            continue
        if check:
            return refusal(refused_change(*check)), ()
        if found:
            held.append(refused_edit(found, now_ms=now_ms))
        free.append(Free(checkout, written, chosen, stamp))
    if said := " ".join(held) or held_files(quick, caller, free):
        return refusal(said), ()
    with suppress(StoreUnavailable):  # worth no wait, and no word
        for each in free:
            quick.sightings.saw_edits(caller, each.checkout, each.stamps, claim_edits=each.sighted)
    return None, writes.missed


def _stamp(written: Written, settings: Settings) -> str:
    """Of what says which settings count in a worktree.

    "" for several at once, of which each has a HEAD of its own; and where a variable chooses the store, and a file may
    choose another for whoever has not that variable.
    """
    users = f"{settings.home}/{USER_FILE}"
    if len(written.tops) > 1 or (settings.origins["store"] == "environment" and Path(users).exists()):
        return ""
    return stamp_of(map(str, (users, *written_for(written.worktree.place))))


def _writes(action: Action) -> Writes:
    writes = Writes()
    for path in action.paths:
        try:
            writes.add(path if path.startswith("/") else str(_cwd(action) / path))
        except LoomError as error:
            writes.missed.append(error)
    return writes


def _cwd(action: Action) -> Path:
    """The folder that relative paths are meant from. Raises Invalid where it is gone."""
    cwd = Path(action.cwd) if action.cwd.startswith("/") else current_folder() / action.cwd
    if not cwd.is_dir():
        raise Invalid(f"{cwd} is gone, so that no path can be read from there; name files by their absolute paths")
    return cwd


def _refuse_paused(home: str, checkout: Checkout, session: str) -> None:
    refuse_paused(home, lambda: checkout.identity, session)
