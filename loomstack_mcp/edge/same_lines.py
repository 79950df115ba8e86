"""Whether an edit that is refused means the lines that its holder changed, told by the files of both."""

from pathlib import Path

from loomstack_mcp.adapters.git.run import run
from loomstack_mcp.core.claims import Blocker
from loomstack_mcp.core.clients.passages import replaced_passages
from loomstack_mcp.core.clients.payload import Action
from loomstack_mcp.core.edit_lines import changed_lines, compared_lines, meant_lines
from loomstack_mcp.core.errors import Invalid

_BYTES_MAX = 2_000_000


def lines_told(action: Action, top: Path, holder: Blocker, /) -> str:
    """What an agent is told of the lines, in a sentence; "" wherever that is not certain.

    It is for an edit of one file whose holder edits it in a worktree on this machine: the same one, or one whose last
    commit has that file as it lies in the agent's.
    """
    passages = replaced_passages(action.tool, action.arguments) if len(action.paths) == 1 else []
    if not (passages and holder.worktree.startswith("/") and holder.origin == "auto"):  # else no place on this machine
        return ""
    try:
        mine, theirs = _text(top / holder.path), _text(Path(holder.worktree) / holder.path)
        found = run(Path(holder.worktree), "cat-file", "blob", f"HEAD:{holder.path}")
    except (OSError, ValueError, Invalid):
        return ""
    if found.code or len(found.printed) > _BYTES_MAX:
        return ""
    base = _plain(found.printed.decode("utf-8", "replace"))
    old, new = changed_lines(base.split("\n"), theirs.split("\n"))
    if Path(holder.worktree) == top:
        return compared_lines(new, meant_lines(mine, passages))
    return compared_lines(old, meant_lines(mine, passages)) if mine == base else ""


def _text(file: Path) -> str:
    """Raises ValueError for what is no file, no text, or too long."""
    if not file.is_file():  # a pipe would be waited for
        raise ValueError
    with file.open("rb") as opened:
        found = opened.read(_BYTES_MAX + 1)
    if len(found) > _BYTES_MAX:
        raise ValueError
    return _plain(found.decode("utf-8"))


def _plain(text: str) -> str:
    """With one kind of line ends, as git may keep them otherwise than they lie on disk."""
    return text.replace("\r\n", "\n")
