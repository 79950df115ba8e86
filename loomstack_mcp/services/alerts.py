"""Alerts outside of answers: what the runs of an agent have to hear."""

from collections.abc import Sequence

from loomstack_mcp.core.claims import Claim
from loomstack_mcp.core.events import DueAlert
from loomstack_mcp.core.limits import ALERT_DELIVERIES, ALERTS_MAX
from loomstack_mcp.core.patterns.globs import first_overlap
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.services import path_index
from loomstack_mcp.services.blockers import CLAIMS
from loomstack_mcp.services.events import ALERTS
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Store, Tx


class AlertService:
    """What has happened to an agent's runs, told once or twice wherever it is told."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def due(self, caller: Caller) -> tuple[DueAlert, ...]:
        """What exactly this agent has to hear now."""
        with self._store.read() as tx:
            return due_alerts(tx, caller, deliveries=ALERT_DELIVERIES, limit=ALERTS_MAX)

    def heard(self, alerts: Sequence[DueAlert]) -> None:
        """These were told once."""
        with self._store.append() as tx:
            for alert in alerts:
                tx.later(ALERTS["delivered"], run_id=alert.run_id, heard=rows.json_column([(alert.seq, alert.about)]))


def due_alerts(tx: Tx, caller: Caller, *, deliveries: int, limit: int) -> tuple[DueAlert, ...]:
    """What an agent's runs have heard fewer than so many times."""
    found = tx.all(ALERTS["due_to_agent"], **_agent(caller), deliveries=deliveries, limit=limit)
    return rows.as_records(DueAlert, found)


def unheard_ends(tx: Tx, caller: Caller, patterns: Sequence[str]) -> tuple[DueAlert, ...]:
    """That a person ended an agent's claim on one of these files, which it has not heard yet."""
    ends = rows.as_records(DueAlert, tx.all(ALERTS["unheard_ends"], **_agent(caller)))
    return tuple(alert for alert in ends if _is_about(tx, alert, patterns))


def _is_about(tx: Tx, alert: DueAlert, patterns: Sequence[str]) -> bool:
    return any(
        first_overlap(patterns, claim.patterns, ignore_case=path_index.folds(tx, claim.repo_id))
        for claim in rows.as_records(Claim, tx.all(CLAIMS["get"], id=alert.about))
    )


def _agent(caller: Caller) -> dict[str, str]:
    return {"principal": caller.principal, "session": caller.session, "agent": caller.agent}
