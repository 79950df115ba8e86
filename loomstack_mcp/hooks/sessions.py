"""A session, or a sub-agent of it, starts: its run does too, and it is told what it should know."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.unfinished import changed_since
from loomstack_mcp.adapters.git.worktree import worktree_at
from loomstack_mcp.adapters.policy.folders import FOLDER
from loomstack_mcp.adapters.settings import load_settings, may_have_store
from loomstack_mcp.core.briefing.opening import SEEN_BY_OTHERS, SessionOpening, opening_words
from loomstack_mcp.core.clients.payload import Payload, advice
from loomstack_mcp.core.clients.steps import SessionStep, session_step
from loomstack_mcp.core.errors import LoomError, OlderStore, StoreUnavailable
from loomstack_mcp.core.patterns.globs import literal
from loomstack_mcp.core.texts import encodable
from loomstack_mcp.hooks.commands import ran_command
from loomstack_mcp.hooks.standing import SessionStanding, session_standing
from loomstack_mcp.services.session_steps import SessionService

_NEW = frozenset({"", "startup", "clear"})
"""Why a session starts that has read nothing of ours yet. What it goes on from is in its context, or in its summary."""
_CHANGED_MAX = 200
"""Of so many changed files it is asked who holds them."""
_MAKING_SECONDS_MAX = 10


def session_started(client: str, payload: Payload) -> Payload | None:
    """The session's run starts or goes on, and the model reads who else is at work here."""
    step = session_step(client, payload)
    opening = _opening(step)
    if opening is None:
        return None
    words = opening_words(opening) or (SEEN_BY_OTHERS if opening.is_seen and step.source in _NEW else "")
    return advice(words, event="SessionStart") if words else None


def agent_started(client: str, payload: Payload) -> Payload | None:
    """A sub-agent has a run of its own, in the worktree that is its own; it reads the one line that matters most."""
    opening = _opening(session_step(client, payload))
    words = opening_words(replace(opening, own=(), rules=""), lines_max=1) if opening else ""
    return advice(words, event="SubagentStart") if words else None


def _opening(step: SessionStep) -> SessionOpening | None:
    if not step.session or not step.cwd.startswith("/") or worktree_at(Path(step.cwd)) is None:
        return None
    if not may_have_store(load_settings({})):
        _make_store(step)
    try:
        return _opened(step)
    except OlderStore:
        _make_store(step)
        return _opened(step)


def _opened(step: SessionStep) -> SessionOpening | None:
    with session_standing(step) as found:
        if found is None:
            return None
        opening = SessionService(found.quick.store).start(found.caller, found.checkout, changed=_changed(found))
        rules = FOLDER if (found.worktree.root / FOLDER).is_dir() else ""
        return replace(opening, rules=rules, is_seen=found.claim_edits == "auto")


def _make_store(step: SessionStep) -> None:
    """The store, made or brought to this version by whichever command reads it: no hook loads what that takes.

    Raises StoreUnavailable where that failed, with what the command said.
    """
    done = ran_command("runs", "--json", folder=Path(step.cwd), seconds_max=_MAKING_SECONDS_MAX)
    if done is None:
        raise StoreUnavailable(f"the store is not ready after {_MAKING_SECONDS_MAX} s; `loomstack-mcp doctor` says why")
    code, _, complained = done
    if code:
        raise StoreUnavailable(complained.strip().rpartition(f"{StoreUnavailable.code}: ")[2])


def _changed(found: SessionStanding) -> tuple[str, ...]:
    """What the branch and the worktree changed against the trunk, as patterns; nothing where that cannot be told."""
    with suppress(LoomError), Repository(found.worktree.place) as repo:
        fork = repo.fork("HEAD", repo.trunk) if repo.trunk and repo.commit("HEAD") else ""
        names = changed_since(repo, found.worktree.root, fork, most=_CHANGED_MAX) if fork else ()
        return tuple(literal(encodable(name)) for name in names)
    return ()
