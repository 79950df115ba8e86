"""Shell lines that run: what really changed since one began, compared with what others hold and the rules allow."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path

from loomstack_mcp.adapters.git.discovery import Place
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.trunk import named_by
from loomstack_mcp.adapters.git.worktree import Worktree, worktree_at
from loomstack_mcp.adapters.pauses import is_paused
from loomstack_mcp.adapters.settings import load_settings
from loomstack_mcp.adapters.user import principal
from loomstack_mcp.core.clients.payload import Action
from loomstack_mcp.core.edits import changed_meanwhile
from loomstack_mcp.core.errors import Invalid, LoomError
from loomstack_mcp.core.limits import CALLED_PATHS_MAX, SECOND_MS
from loomstack_mcp.core.patterns.typed import file_pattern
from loomstack_mcp.core.records import record
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.core.steps import BegunLine
from loomstack_mcp.core.texts import encodable
from loomstack_mcp.edge.bearings import Stand, stand_of
from loomstack_mcp.quick import Quick, open_quick

_STATUS_SECONDS_MAX = 2
"""What an agent waits for git to list a large worktree; beyond it, it is told that nobody looked."""
_CHANGED_MAX = 500
_NO_FLAGS: Mapping[str, str | None] = {}
_TICK_MS = 20
"""Times of files are taken from the kernel's last tick, which may lie before the moment that a line began."""


def begin_line(quick: Quick, caller: Caller, action: Action, worktree: Worktree) -> None:
    """A line is about to run in a worktree."""
    began = BegunLine(
        folder=encodable(str(worktree.root)),
        began_at_ms=int(time.time() * SECOND_MS),
        head=head_of(worktree.place),
    )
    quick.guards.begin_line(caller, action.tool_use, began)


def head_of(place: Place) -> str:
    """What HEAD is, by its own file alone; "" where that does not say it."""
    head = place.git_dir / "HEAD"
    named = named_by(head)
    try:
        return (place.common_dir / named if named else Path(head)).read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


def after_line(action: Action, *, flags: Mapping[str, str | None] = _NO_FLAGS) -> str:
    """What an agent is to know of what its line changed; "" for nothing. What it changed and nobody holds is held."""
    caller = Caller(principal=principal(), session=action.session, agent=action.agent, folder=action.cwd)
    with open_quick(load_settings(flags)) as quick:
        began = quick.guards.end_line(caller, action.tool_use) if quick else None
        worktree = worktree_at(Path(began.folder)) if began else None
        if quick is None or began is None or worktree is None:
            return ""
        stand = stand_of(quick, worktree, flags=flags)
        if is_paused(stand.settings.home, lambda: stand.checkout.identity, action.session):
            return ""
        try:
            found = _changed(worktree, began, quick.edits.edited_in(_here(stand)))
        except Invalid as error:
            return f"What this line changed was not checked, because {error}. Say which files it wrote: claim_paths."
        if settled := (*found.committed, *found.put_back):
            for at in range(0, len(settled), CALLED_PATHS_MAX):
                quick.edits.settle(caller, _here(stand), settled[at : at + CALLED_PATHS_MAX])
        return _compared(quick, caller, stand, found)


@record
class _Changed:
    """What became of files since a line began."""

    written: Sequence[str]
    """Other than HEAD has them."""
    committed: Sequence[str]
    """As HEAD has them now, and had them not."""
    put_back: Sequence[str]
    """As HEAD has them, of those that somebody edits."""


def _changed(worktree: Worktree, began: BegunLine, edited: Sequence[str]) -> _Changed:
    """What changed since a line began. Raises Invalid where nobody can tell, or that is too much to be looked at."""
    since_ms = began.began_at_ms - _TICK_MS
    if time.time() * SECOND_MS < since_ms:
        raise Invalid("the clock was set back meanwhile")
    with Repository(worktree.place) as repo:
        from loomstack_mcp.adapters.git.snapshots import dirty_files  # of lines that may have written

        dirty = dirty_files(repo, seconds_max=_STATUS_SECONDS_MAX)
        moved = list(_committed(repo, began.head, head_of(worktree.place)))
    written = list(
        islice((name for name in dirty if _changed_at_ms(worktree.root / name) >= since_ms), _CHANGED_MAX + 1)
    )
    if len(written) > _CHANGED_MAX:
        raise Invalid(f"more than {_CHANGED_MAX} files changed meanwhile")
    committed, there = set(moved) - set(dirty), set(edited) - set(dirty)
    # One that is not there may be about to be made.
    there = {name for name in there - committed if os.path.lexists(worktree.root / name)}
    put_back = {name for name in there if _changed_at_ms(worktree.root / name) >= since_ms}
    return _Changed(written=written, committed=sorted(committed), put_back=sorted(put_back))


def _committed(repo: Repository, before: str, now: str) -> Iterator[str]:
    if before and now and before != now:
        ran = repo.run("diff-tree", "-r", "-z", "--name-only", "--no-renames", before, now)
        yield from (name for name in ran.printed.decode("utf-8", "surrogateescape").split("\0") if name)


def _changed_at_ms(path: Path) -> int:
    """When a file was last written, moved or deleted; of what is gone, when its folder last changed."""
    for place in (path, *path.parents):
        try:
            return place.lstat().st_ctime_ns // 1_000_000
        except OSError:
            continue
    return 0


def _compared(quick: Quick, caller: Caller, stand: Stand, found: _Changed) -> str:
    """Held against claims and rules; what is in nobody's way is held from now on."""
    changed, patterns = found.written, {}
    for name in (*changed, *found.put_back):
        with suppress(LoomError):  # what cannot be claimed is held by nobody
            patterns[file_pattern(name)] = name
    blockers, now_ms = quick.blockers.blockers(caller, stand.checkout, tuple(patterns)) if patterns else ((), 0)
    told = [changed_meanwhile(blockers, now_ms=now_ms)] if blockers else []
    told += [broken] if changed and (broken := _broken(caller, stand, changed)) else []
    if stand.settings.claim_edits == "auto":
        written = [pattern for pattern, name in patterns.items() if name not in found.put_back]
        _hold(quick, caller, stand, [one for one in written if not blockers or _is_free(quick, caller, stand, one)])
    return " ".join(told)


def _broken(caller: Caller, stand: Stand, changed: Sequence[str]) -> str:
    from loomstack_mcp.adapters.policy import early  # the rules: 50 ms, of lines that wrote
    from loomstack_mcp.edge.ruling import broken_rules

    situation = early.edit(stand.worktree.root, stand.worktree.root, list(changed), point="pretool")
    try:
        return broken_rules(caller, stand, situation)
    except LoomError as error:
        return f"What this line changed was not held against the rules, because {error}."


def _is_free(quick: Quick, caller: Caller, stand: Stand, pattern: str) -> bool:
    return not quick.blockers.blockers(caller, stand.checkout, (pattern,))[0]


def _hold(quick: Quick, caller: Caller, stand: Stand, free: Sequence[str]) -> None:
    if free:
        with suppress(LoomError):  # nobody is told of what could not be held: it was free
            quick.edits.hold(caller, _here(stand), free, claim_edits="auto")


def _here(stand: Stand) -> Checkout:
    return replace(stand.checkout, worktree=str(stand.worktree.root))
