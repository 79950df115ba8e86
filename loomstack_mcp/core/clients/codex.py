"""Codex: PreToolUse payloads as actions. Its edits are patches, whose header lines name the files."""

import re

from loomstack_mcp.core.clients.action import Action, Payload, fields, text

_FILE = re.compile(r"^\*\*\* (?:Add File|Update File|Delete File|Move to): (?P<path>.+?)\s*$", re.MULTILINE)


def action(payload: Payload, /) -> Action:
    """`apply_patch` may write several files; a move writes both ends."""
    patch = text(fields(payload, "tool_input"), "command") if text(payload, "tool_name") == "apply_patch" else ""
    session = text(payload, "session_id")
    return Action(
        session=f"codex:{session}" if session else "",
        cwd=text(payload, "cwd"),
        paths=tuple(dict.fromkeys(match["path"] for match in _FILE.finditer(patch))),
    )
