"""What happened: events in the order of their repo, and the alerts that carry them to a run."""

from collections.abc import Mapping
from typing import Literal

from loomstack_mcp.core.records import record

EventKind = Literal[
    "run.started", "run.resumed", "run.renewed", "run.gone", "run.ended", "run.lost", "run.stranded",
    "claim.granted", "claim.renewed", "claim.refused", "claim.withdrawn", "claim.released", "claim.expired",
    "claim.revoked",
    "note.shared", "outcome.recorded", "conflict.found", "conflict.ended", "decision.made",
    "approval.asked", "approval.answered", "approval.used", "approval.expired", "evidence.added",
    "deploy.recorded",
    "repo.joined", "repo.copied", "ledger.emptied", "session.reminded", "commit.made", "erased",
    "power.granted", "power.refused", "events.pruned",
]  # fmt: skip

AlertKind = Literal[
    "freed", "expired", "message", "contradicted", "checked", "conflict", "agreed", "superseded", "stranded",
    "revoked", "stopped", "answered",
]  # fmt: skip


@record
class Event:
    """One change of state. `seq` rises by one within a repo, but jumps after a reboot."""

    seq: int
    at_ms: int
    kind: EventKind
    run_id: str
    about: str
    """The id of what changed: a run, a claim, a note, an outcome or a conflict."""
    payload: Mapping[str, object]


@record
class Alert:
    """What happened to a run since its last call; it rides on the next two answers of that run."""

    kind: AlertKind
    about: str
    text: str
    """Words of another run are data: read them together with `who`."""
    who: str = ""


@record
class DueAlert(Alert):
    """An alert of one run among those of an agent, to be told outside of an answer."""

    run_id: str
    seq: int
