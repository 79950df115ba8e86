"""Holders whose session is gone: whoever they block shortens their lease, and they have a minute to come back."""

from collections.abc import Sequence
from dataclasses import replace

from loomstack_mcp.adapters.system import process_state
from loomstack_mcp.core.claims import Blocker
from loomstack_mcp.core.limits import LEASE_AFTER_GONE_MS
from loomstack_mcp.core.runs import Run
from loomstack_mcp.services import events
from loomstack_mcp.services.acting import RUNS, saved_lease
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Tx


def gone_holders(tx: Tx, found: Sequence[Blocker], /) -> tuple[Run, ...]:
    """The holders among the blockers whose session's process is gone, and whose lease says nothing of it yet.

    Known is what lies in this very pid namespace of this boot; everywhere else the lease decides. A server that ended
    is no session that ended: clients start theirs anew.
    """
    until_ms = tx.now_ms + LEASE_AFTER_GONE_MS
    ids = sorted({blocker.run for blocker in found if blocker.claim and blocker.until_ms > until_ms})
    holders = rows.as_records(Run, tx.all(RUNS["by_ids"], ids=rows.json_column(ids))) if ids else ()
    return tuple(run for run in holders if run.process and process_state(run.process) == "gone")


def seen_gone(tx: Tx, found: Sequence[Blocker], /) -> list[Blocker]:
    """The blockers, with the shorter leases of those whose session's process is known to be gone."""
    until_ms = tx.now_ms + LEASE_AFTER_GONE_MS
    gone = {run.id: run for run in gone_holders(tx, found)}
    for run in gone.values():
        saved_lease(tx, replace(run, expires_at_ms=until_ms))
        events.append(tx, run.repo_id, "run.gone", about=run.id, run_id=run.id)
    return [
        replace(blocker, until_ms=until_ms) if blocker.claim and blocker.run in gone else blocker for blocker in found
    ]
