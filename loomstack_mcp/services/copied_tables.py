"""The tables of a store that a copy takes along, each after those that it points to."""

from loomstack_mcp.core.records import record
from loomstack_mcp.store import queries
from loomstack_mcp.store.base import Statement

COPYING = queries.statements("copying")


@record
class CopiedTable:
    """How the rows of one repo are read from a table, and put into it."""

    noun: str
    read: Statement
    put: Statement


TABLES = (
    CopiedTable(noun="run", read=COPYING["run_rows"], put=COPYING["put_run"]),
    CopiedTable(noun="claim", read=COPYING["claim_rows"], put=COPYING["put_claim"]),
    CopiedTable(noun="waiter", read=COPYING["waiter_rows"], put=COPYING["put_waiter"]),
    CopiedTable(noun="path_key", read=COPYING["path_key_rows"], put=COPYING["put_path_key"]),
    CopiedTable(noun="note", read=COPYING["note_rows"], put=COPYING["put_note"]),
    CopiedTable(noun="note_expiry", read=COPYING["note_expiry_rows"], put=COPYING["put_note_expiry"]),
    CopiedTable(noun="outcome", read=COPYING["outcome_rows"], put=COPYING["put_outcome"]),
    CopiedTable(noun="alert", read=COPYING["alert_rows"], put=COPYING["put_alert"]),
    CopiedTable(noun="event", read=COPYING["event_rows"], put=COPYING["put_event"]),
    CopiedTable(noun="binding", read=COPYING["binding_rows"], put=COPYING["put_binding"]),
    CopiedTable(noun="pull", read=COPYING["pull_rows"], put=COPYING["put_pull"]),
    CopiedTable(noun="conflict", read=COPYING["conflict_rows"], put=COPYING["put_conflict"]),
    CopiedTable(noun="decision", read=COPYING["decision_rows"], put=COPYING["put_decision"]),
    CopiedTable(noun="approval", read=COPYING["approval_rows"], put=COPYING["put_approval"]),
    CopiedTable(noun="approval_answer", read=COPYING["approval_answer_rows"], put=COPYING["put_approval_answer"]),
    CopiedTable(noun="usage", read=COPYING["usage_rows"], put=COPYING["put_usage"]),
    CopiedTable(noun="usage_permission", read=COPYING["usage_permission_rows"], put=COPYING["put_usage_permission"]),
    CopiedTable(noun="evidence", read=COPYING["evidence_rows"], put=COPYING["put_evidence"]),
    CopiedTable(noun="deploy", read=COPYING["deploy_rows"], put=COPYING["put_deploy"]),
    CopiedTable(noun="deploy_commit", read=COPYING["deploy_commit_rows"], put=COPYING["put_deploy_commit"]),
    CopiedTable(noun="notice", read=COPYING["notice_rows"], put=COPYING["put_notice"]),
)
LEDGER = (
    CopiedTable(noun="landed", read=COPYING["landed_rows"], put=COPYING["put_landed"]),
    CopiedTable(noun="landed_file", read=COPYING["landed_file_rows"], put=COPYING["put_landed_file"]),
    CopiedTable(noun="imprint", read=COPYING["imprint_rows"], put=COPYING["put_imprint"]),
    CopiedTable(noun="imprint_mark", read=COPYING["imprint_mark_rows"], put=COPYING["put_imprint_mark"]),
    CopiedTable(noun="attribution", read=COPYING["attribution_rows"], put=COPYING["put_attribution"]),
    CopiedTable(noun="attribution_run", read=COPYING["attribution_run_rows"], put=COPYING["put_attribution_run"]),
    CopiedTable(noun="attribution_line", read=COPYING["attribution_line_rows"], put=COPYING["put_attribution_line"]),
    CopiedTable(
        noun="attribution_revert", read=COPYING["attribution_revert_rows"], put=COPYING["put_attribution_revert"]
    ),
)
"""What means something only under the key that its lines were hashed with."""
WITH_IDS = frozenset(
    ("run", "claim", "waiter", "note", "outcome", "conflict", "decision", "approval", "evidence", "notice", "deploy")
)
"""Whose rows have an id of their own."""
LEFT = frozenset(
    (
        "boot",
        "line_key",
        "once",
        "repo",
        "repo_alias",
        "sighting",
        "bearing",
        "judging",
        "judged",
        "line",
        "usage_entry",
    )
)
"""What stays: clocks, the key, answers and entries of a while ago, what hooks saw; and what is made anew there."""
