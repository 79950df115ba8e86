"""The names under which the clients know us."""

NAME = "loomstack"
COMMAND = "loomstack-mcp"
TOKEN_VARIABLE = "LOOMSTACK_TOKEN"  # noqa: S105 the name of a variable, so that no file holds the token
HOOK = "loomstack-hook"
