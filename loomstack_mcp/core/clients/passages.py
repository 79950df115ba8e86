"""The passages of a file that an edit takes the place of, as its client sends them."""

from loomstack_mcp.core.clients.payload import Payload, patch_text


def replaced_passages(tool: str, arguments: Payload, /) -> list[str]:
    """Each as it stands in the file before; none where the edit may mean several places, or the whole file."""
    if tool == "Edit":
        return _of_edit(arguments)
    if tool == "MultiEdit":
        return _of_edits(arguments.get("edits"))
    if tool == "apply_patch":
        return _of_patch(patch_text(arguments))
    return []


def _of_edit(edit: Payload) -> list[str]:
    old = edit.get("old_string")
    return [old] if isinstance(old, str) and old and not edit.get("replace_all") else []


def _of_edits(edits: object) -> list[str]:
    found = [_of_edit(edit) for edit in edits if isinstance(edit, dict)] if isinstance(edits, list) else []
    return [passage for passages in found for passage in passages] if all(found) else []


def _of_patch(patch: str) -> list[str]:
    """The lines that the hunks of a patch of one file go by: context and what they delete."""
    hunks: list[list[str]] = [[]]
    for line in patch.split("\n"):
        if line.startswith(("@@", "*** ")):
            hunks.append([])
        elif line[:1] in (" ", "-"):
            hunks[-1].append(line[1:])
    return ["\n".join(hunk) for hunk in hunks if hunk]
