"""Codex: PreToolUse payloads as actions. Its edits are patches, whose headers name the files."""

from loomstack_mcp.core.clients.payload import OUR_TOOLS, Action, Payload, fields, patch_text, text, usable
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.shell.apply_patch import patched

_COMMANDS = frozenset(
    {"Bash", "shell", "shell_command", "local_shell", "container.exec", "exec_command", "unified_exec"}
)


def action(payload: Payload, /) -> Action:
    """`apply_patch` may write several files. Raises Invalid where an edit names none, or a command has no line."""
    arguments, tool, session = fields(payload, "tool_input"), text(payload, "tool_name"), text(payload, "session_id")
    is_edit, is_command = tool == "apply_patch", tool in _COMMANDS
    cwd, inner = text(payload, "cwd"), text(arguments, "workdir") if is_command else ""
    return Action(
        session=f"codex:{session}" if session else "",
        agent=text(payload, "agent_id"),
        tool_use=text(payload, "tool_use_id"),
        cwd=inner if inner.startswith("/") or not cwd else f"{cwd}/{inner}" if inner else cwd,
        tool=tool,
        kind="edit" if is_edit else "command" if is_command else "tool",
        paths=_edited(arguments) if is_edit else _named(tool, arguments),
        command=_line(arguments) if is_command else "",
        arguments=arguments,
    )


def _edited(arguments: Payload) -> tuple[str, ...]:
    paths = patched(patch_text(arguments))
    if not paths:
        raise Invalid("the client sent a patch that names no file; check its header lines")
    return tuple(usable("path", path) for path in paths)


def _line(arguments: Payload) -> str:
    """A line as text, or the words of a call, which are quoted again."""
    line = arguments.get("command", arguments.get("cmd", ""))
    if isinstance(line, list) and all(isinstance(word, str) for word in line):
        import shlex  # which no edit needs

        line = shlex.join(line)
    return usable("command", line if isinstance(line, str) else "")


def _named(tool: str, arguments: Payload) -> tuple[str, ...]:
    if not tool.startswith("mcp__") or tool.startswith(OUR_TOOLS):
        return ()
    from loomstack_mcp.core.clients.arguments import written_paths  # which no edit needs

    return written_paths(tool, arguments)
