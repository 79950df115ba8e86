"""The names under which the clients know us."""

NAME = "loomstack"
COMMAND = "loomstack-mcp"
TOKEN_VARIABLE = "LOOMSTACK_TOKEN"  # noqa: S105 the name of a variable, so that no file holds the token
HOOK = "loomstack-hook"
GUARD = "guard"
"""The tool of the server that answers for the hook."""
GUARD_RULE = f"mcp__{NAME}__{GUARD}"
"""By which `init` keeps from Claude Code's model what only hooks are to call."""
VARIABLES = (
    *("LOOMSTACK_HOME", "LOOMSTACK_STORE", "LOOMSTACK_REPO", "LOOMSTACK_REWORK_MAX", "LOOMSTACK_WINDOW_DAYS"),
    *("LOOMSTACK_KEEP_DAYS", "LOOMSTACK_GENERATED", "LOOMSTACK_DEPLOY_TAGS", "LOOMSTACK_CLAIM_EDITS"),
    *("LOOMSTACK_GUARD", "LOOMSTACK_PUSH"),
    *("LOOMSTACK_WEBHOOK", "LOOMSTACK_WEBHOOK_SECRET", "LOOMSTACK_WEBHOOK_FORMAT"),
    *("LOOMSTACK_OTLP_ENDPOINT", "LOOMSTACK_OTLP_HEADERS", "TRACEPARENT"),
    *("XDG_DATA_HOME", "XDG_CONFIG_HOME", "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "TMPDIR"),
)
"""What a server reads from its environment: each setting but a hub's; where data lies, who commits, which trace."""
