"""What a hub lets whom do: for each method of a service the least role, and what a lost answer means."""

from typing import Literal

from loomstack_mcp.core.records import record

HubRole = Literal["viewer", "agent", "developer", "admin"]
"""Each may do what those before it may, but that an agent's word is never a person's."""
HUB_ROLES: tuple[HubRole, ...] = ("viewer", "agent", "developer", "admin")
CallEffect = Literal["reads", "repeats", "once"]
"""Whether a call changes nothing, may be sent again as it is, or is done at most once, by the id of its request."""


@record
class Permit:
    """Who may call a method, and whether the call may be sent again."""

    role: HubRole
    how: CallEffect


def _rows(role: HubRole, how: CallEffect, *names: str) -> dict[str, Permit]:
    return dict.fromkeys(names, Permit(role=role, how=how))


PERMITS: dict[str, Permit] = {
    **_rows(
        "viewer",
        "reads",
        *("attributions.of_prefix", "attributions.of_lines", "attributions.of_run", "attributions.reversals_of"),
        *("attributions.unattributed", "attributions.of_pull"),
        *("approvals.approval", "approvals.waiting", "claims.held", "conflicts.open", "events.cursor"),
        *(
            "events.gap",
            "events.latest",
            "events.moved",
            "events.since",
            "notes.latest",
            "outcomes.of_runs",
            "repos.filled",
        ),
        *("repos.id_of", "repos.ids", "repos.listed", "runs.boots_alternate", "runs.details", "runs.latest"),
        *("conflicts.latest", "decisions.latest", "live.live", "loops.health", "why.behind"),
        *("levers.about_claim", "levers.about_run", "stranded.of_loops", "stranded.of_runs"),
        *("tokens.opens_still", "tokens.whoami", "usage.of_runs"),
    ),
    **_rows("viewer", "repeats", "context.read_context"),
    **_rows(
        "agent",
        "reads",
        *("alerts.due", "blockers.blockers", "blockers.check_of", "blockers.held_in"),
        *("commits.committing_run", "commits.has_several_agents", "commits.held_by_others", "conflicts.intent_on"),
        *("conflicts.undoing", "edits.edited_in", "ledger.key"),
        *("ledger.lacking", "ledger.wanted_signed", "ledger.wanted_work", "policy.facts_of_change"),
        *("policy.makers_of", "sessions.open_work", "sessions.run_of", "glances.closer_look", "glances.is_clear"),
        *("glances.is_unalerted", "undoings.key", "undoings.undone_by", "watches.watched"),
    ),
    **_rows(
        "agent",
        "repeats",
        "attributions.attributed",
        *("alerts.heard", "claims.claim_paths", "claims.withdraw", "commits.bind_commit", "commits.rebind_commits"),
        *("conflicts.check", "conflicts.check_run", "glances.hold_clear", "edits.hold", "edits.leave", "edits.settle"),
        *("policy.session_run", "ledger.forget_before", "ledger.keep_filled"),
        *("ledger.keep_work", "ledger.take_in", "policy.facts_of_run", "refusals.keep", "runs.shorten"),
        *("sessions.end", "sessions.start", "stranded.confirmed", "usage.take_in"),
    ),
    **_rows(
        "agent",
        "once",
        *("claims.release_paths", "notes.share", "outcomes.record"),
        *("policy.keep_of_change", "policy.keep_of_run", "runs.start", "sessions.remind"),
    ),
    **_rows(
        "developer",
        "once",
        *("approvals.answer", "conflicts.settle", "evidence.add", "levers.release_claim", "levers.stop_run"),
        *("notes.add", "tokens.create", "tokens.revoke"),
    ),
    **_rows("developer", "reads", "tokens.listed", "tokens.powers", "tokens.subjects"),
    **_rows("admin", "once", "repos.alias", "tokens.map_subject"),
    **_rows("viewer", "reads", "deploys.known_tags", "deploys.latest"),
    **_rows(
        "viewer",
        "reads",
        "traces.callers_trace",
        "traces.chain",
        "traces.trace_wanted",
        "traces.kept_trace",
        "traces.landed",
    ),
    **_rows("agent", "repeats", "deploys.keep_commits", "deploys.take_in_tag"),
    **_rows("developer", "once", "deploys.record"),
}
"""By `service.method`, a service being called as `Loom` calls it."""
REMEMBERED = frozenset({"guards", "sightings"})
"""Services of what hooks remember of one machine, which no hub is told."""
UNOFFERED = frozenset(
    {"access", "events.cursors", "notices", "tokens.checked", "tokens.close", "tokens.settle", *REMEMBERED}
)
"""Services, and methods of some, that a hub keeps to itself, or is spared."""
