"""Drive the real Claude Code and Codex CLIs against a scripted fake model on loopback.  See README.md."""

from .script import Call, Ctx, Lane, Script, Text, ToolResult, call, text  # noqa: F401
