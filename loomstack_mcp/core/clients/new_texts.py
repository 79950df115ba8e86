"""What a file would say after an edit, as far as the client's words tell it."""

from collections.abc import Mapping

from loomstack_mcp.core.clients.payload import Payload, patch_text
from loomstack_mcp.core.shell.apply_patch import patched_text


def new_text(tool: str, arguments: Payload, path: str, text: str, /) -> str | None:
    """The text of the file that an edit names `path` and that says `text` now; None where that cannot be told."""
    content = arguments.get("content")
    if tool == "Write":
        return content if isinstance(content, str) else None
    if tool == "apply_patch":
        return patched_text(patch_text(arguments), path, text)
    steps = arguments.get("edits") if tool == "MultiEdit" else [arguments]
    return _edited(text, steps) if tool in ("Edit", "MultiEdit") and isinstance(steps, list) else None


def _edited(text: str, steps: list[object]) -> str | None:
    for step in steps:
        if (replaced := _replaced(text, step)) is None:
            return None
        text = replaced
    return text


def _replaced(text: str, step: object) -> str | None:
    if not isinstance(step, Mapping):
        return None
    old, new = step.get("old_string"), step.get("new_string")
    if not (isinstance(old, str) and isinstance(new, str)) or not old or old not in text:
        return None
    return text.replace(old, new, -1 if step.get("replace_all") is True else 1)
