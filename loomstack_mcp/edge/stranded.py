"""Stranded work, held against a clone: what runs recorded, as git has it, and whether the trunk has the like."""

import time
from collections.abc import Sequence
from dataclasses import replace

from loomstack_mcp.adapters.git import diffs
from loomstack_mcp.adapters.git.diffs import Unread
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.lines import Lines
from loomstack_mcp.core.errors import LoomError
from loomstack_mcp.core.limits import DAY_MS, SECOND_MS
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.stranded import StrandedRun, TrunkSeen
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import Loom


def stranded_runs(here: Here, loom: Loom, found: Sequence[StrandedRun]) -> tuple[StrandedRun, ...]:
    """Those of the runs that are not on the trunk, under whatever id; none where this clone cannot tell."""
    # What the ledger has forgotten by now may have landed.
    since_ms = round(time.time() * SECOND_MS) - here.settings.window_days * DAY_MS
    found = [one for one in found if one.run.started_at_ms >= since_ms]
    if not found or here.clone is None:
        return ()
    try:
        with here.repository() as repo:
            return _held_against(repo, here.checkout(), loom, found)
    except LoomError:  # it is told beside an answer, which holds without it
        return ()


def _held_against(
    repo: Repository, checkout: Checkout, loom: Loom, found: Sequence[StrandedRun]
) -> tuple[StrandedRun, ...]:
    ids = {sha: whole for one in found for sha in one.commits if (whole := repo.commit(sha))}
    read = _read(repo, list(dict.fromkeys(ids.values())), Lines(loom.ledger.key(checkout)))
    seen = [replace(one, commits=tuple(sha for sha in one.commits if ids.get(sha, "") in read)) for one in found]
    tip = repo.commit(repo.shared_trunk) if repo.shared_trunk else ""
    trunk = TrunkSeen(tip=tip, at_ms=repo.trunk_seen_at_ms(now_ms=round(time.time() * SECOND_MS)))
    made = {one.run.id: [read[ids[sha]] for sha in one.commits] for one in seen}
    return loom.stranded.confirmed(seen, made, trunk=trunk)


def _read(repo: Repository, shas: Sequence[str], lines: Lines) -> dict[str, Change]:
    """What those of the commits changed that can be read here."""
    changes = diffs.changes(repo, [Change(sha=sha) for sha in shas], Unread(), lines=lines)
    return {change.sha: change for change in changes if not change.unread}
