"""Claude Code: PreToolUse payloads as actions (https://code.claude.com/docs/en/hooks)."""

from loomstack_mcp.core.clients.payload import OUR_TOOLS, Action, Payload, fields, text, usable

_EDITS = {"Edit": "file_path", "Write": "file_path", "MultiEdit": "file_path", "NotebookEdit": "notebook_path"}
_COMMANDS = frozenset({"Bash", "Monitor"})


def action(payload: Payload, /) -> Action:
    """An edit names the one file that it writes. Raises Invalid where an edit names none, or a command has no line."""
    arguments, tool, session = fields(payload, "tool_input"), text(payload, "tool_name"), text(payload, "session_id")
    is_edit, is_command = tool in _EDITS, tool in _COMMANDS
    return Action(
        session=f"claude:{session}" if session else "",
        agent=text(payload, "agent_id"),
        tool_use=text(payload, "tool_use_id"),
        cwd=text(payload, "cwd"),
        tool=tool,
        kind="edit" if is_edit else "command" if is_command else "tool",
        paths=(usable("path", text(arguments, _EDITS[tool])),) if is_edit else _named(tool, arguments),
        command=usable("command", text(arguments, "command")) if is_command else "",
        arguments=arguments,
    )


def _named(tool: str, arguments: Payload) -> tuple[str, ...]:
    if not tool.startswith("mcp__") or tool.startswith(OUR_TOOLS):
        return ()
    from loomstack_mcp.core.clients.arguments import written_paths  # which no edit needs

    return written_paths(tool, arguments)
