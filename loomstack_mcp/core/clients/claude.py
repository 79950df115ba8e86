"""Claude Code: PreToolUse payloads as actions (https://code.claude.com/docs/en/hooks, PreToolUse input)."""

from loomstack_mcp.core.clients.action import Action, Payload, fields, text

_PATH_FIELDS = ("file_path", "notebook_path")


def action(payload: Payload, /) -> Action:
    """Edit, Write and NotebookEdit name the one file that they write."""
    arguments = fields(payload, "tool_input")
    session = text(payload, "session_id")
    return Action(
        session=f"claude:{session}" if session else "",
        cwd=text(payload, "cwd"),
        paths=tuple(path for name in _PATH_FIELDS if (path := text(arguments, name))),
    )
