"""Watches: what an idle session should be told before its next call, and when to look for it again."""

from loomstack_mcp.core.events import DueAlert
from loomstack_mcp.core.limits import SECOND_MS
from loomstack_mcp.core.records import record
from loomstack_mcp.core.runs import Caller, Run
from loomstack_mcp.services import path_index
from loomstack_mcp.services.acting import own_runs
from loomstack_mcp.services.alerts import due_alerts
from loomstack_mcp.services.blockers import WAITERS
from loomstack_mcp.services.waiters import told_lapsed
from loomstack_mcp.store.base import Store

_QUIET_MS = 3 * SECOND_MS
"""A session that called so lately is at work: its next answer tells it, and costs no turn of its own."""
_ALERTS_MAX = 50
_LOOK_MS = 30 * SECOND_MS
"""So often it is looked whether what a session waits for is free by time alone."""


@record
class Watched:
    """What a watcher of a session finds."""

    alerts: tuple[DueAlert, ...] = ()
    """What was told to nobody yet; nothing while the session is at work."""
    again_ms: int | None = None
    """When to look again though no bell rings; None: not before one does."""
    waits_in: tuple[tuple[str, int], ...] = ()
    """The repos in which it waits for something, and where each is: for whoever hears no bell."""


class WatchService:
    """For whoever watches on behalf of a session that sleeps."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def watched(self, caller: Caller) -> Watched:
        """What to tell the caller's session, which nobody has told it yet.

        Also finds what is free by time alone, since nothing happens when a lease ends.
        """
        with self._store.read() as tx:
            refused = [run for run in own_runs(tx, caller) if tx.all(WAITERS["of_run"], run_id=run.id)]
        waits = [run.repo_id for run in refused if self._waits(run)]
        with self._store.read() as tx:
            alerts = due_alerts(tx, caller, deliveries=1, limit=_ALERTS_MAX)
            waits_in = tuple((repo_id, path_index.cursor(tx, repo_id)) for repo_id in dict.fromkeys(waits))
            quiet_ms = min((tx.now_ms - run.seen_at_ms for run in own_runs(tx, caller)), default=_QUIET_MS)
        if alerts and quiet_ms < _QUIET_MS:
            return Watched(again_ms=_QUIET_MS - quiet_ms)
        return Watched(alerts=alerts, again_ms=_LOOK_MS if waits else None, waits_in=waits_in)

    def _waits(self, run: Run) -> bool:
        with self._store.write(run.repo_id) as tx:
            return told_lapsed(tx, run.id)
