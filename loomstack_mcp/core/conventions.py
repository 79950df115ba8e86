"""The names of OpenTelemetry's conventions that we write, and our own beside them: in this one place.

Those of GenAI and MCP are as of semantic conventions 1.41.1 (2026-05-11), the last release that had them; those of VCS
and CICD are release candidates there.
"""

from typing import Literal

SEMCONV_VERSION = "1.41.1"
SCHEMA_URL = f"https://opentelemetry.io/schemas/{SEMCONV_VERSION}"
SCOPE = "loomstack_mcp"
"""Of our spans and metrics."""

METHOD, TOOLS_CALL = "mcp.method.name", "tools/call"
REQUEST_ID = "jsonrpc.request.id"
TRANSPORT, PIPE, TCP = "network.transport", "pipe", "tcp"
ERROR_TYPE, TOOL_ERROR = "error.type", "tool_error"
OPERATION, EXECUTE_TOOL = "gen_ai.operation.name", "execute_tool"
TOOL_NAME, TOOL_CALL_ID = "gen_ai.tool.name", "gen_ai.tool.call.id"
CONVERSATION_ID, AGENT_ID = "gen_ai.conversation.id", "gen_ai.agent.id"
INVOKE_WORKFLOW, WORKFLOW_NAME = "invoke_workflow", "gen_ai.workflow.name"
EVALUATION = "gen_ai.evaluation.result"
EVALUATION_NAME, EVALUATION_LABEL, EVALUATION_SCORE = (
    "gen_ai.evaluation.name",
    "gen_ai.evaluation.score.label",
    "gen_ai.evaluation.score.value",
)
RPC_METHOD = "rpc.method"
REVISION = "vcs.ref.head.revision"
DEPLOYMENT_ID, ENVIRONMENT = "deployment.id", "deployment.environment.name"
SERVICE_NAME, SERVICE_VERSION = "service.name", "service.version"

RUN_ID, LOOP, OWNER, REPO = "loomstack.run.id", "loomstack.loop", "loomstack.owner", "loomstack.repo"
RUN_STATUS, PARENT_RUN = "loomstack.run.status", "loomstack.run.parent"
TURN_ID = "loomstack.turn.id"
RULE, ANSWER, POINT = "loomstack.policy.rule", "loomstack.policy.outcome", "loomstack.policy.point"
CLAIM_PATTERNS, CLAIM_OUTCOME, CLAIM_WAIT_MS = (
    "loomstack.claim.pattern",
    "loomstack.claim.outcome",
    "loomstack.claim.wait_ms",
)
CONFLICT_KIND, VERDICT = "loomstack.conflict.kind", "loomstack.conflict.verdict"
STORE_ROWS, STORE_STATEMENTS = "loomstack.store.rows", "loomstack.store.statements"

SERVER_DURATION = "mcp.server.operation.duration"
SESSION_DURATION = "mcp.server.session.duration"
DECISIONS = "loomstack.policy.decisions"
CONFLICTS = "loomstack.claims.conflicts"
CLAIM_WAIT = "loomstack.claims.wait"
RUNS_FINISHED = "loomstack.runs.finished"
REWORK_ROUNDS = "loomstack.rework.rounds"

MetricKind = Literal["counter", "histogram"]
METRICS: dict[str, tuple[MetricKind, str, str]] = {
    SERVER_DURATION: ("histogram", "s", "How long calls of tools took"),
    SESSION_DURATION: ("histogram", "s", "How long sessions of clients lasted"),
    DECISIONS: ("counter", "{decision}", "Decisions of policies that were kept, by their answer"),
    CONFLICTS: ("counter", "{conflict}", "Claims that were refused, and conflicts that were found"),
    CLAIM_WAIT: ("histogram", "s", "How long claims were waited for, by what came of it"),
    RUNS_FINISHED: ("counter", "{run}", "Runs that are over, by loop and status"),
    REWORK_ROUNDS: ("counter", "{round}", "Rounds of work that a failed outcome sent back"),
}
"""Each metric with its kind, its unit, and what it says."""
METRIC_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    SERVER_DURATION: (METHOD, TOOL_NAME, TRANSPORT, ERROR_TYPE),
    SESSION_DURATION: (TRANSPORT,),
    DECISIONS: (ANSWER, POINT),
    CONFLICTS: (CONFLICT_KIND, VERDICT),
    CLAIM_WAIT: (CLAIM_OUTCOME,),
    RUNS_FINISHED: (LOOP, RUN_STATUS),
    REWORK_ROUNDS: (),
}
"""By which attributes each may be told apart: few values each, and a loop's name."""
DURATION_BUCKETS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300)
"""Seconds, as the conventions of MCP have them."""
