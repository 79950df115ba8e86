"""What of a branch has landed already by another commit, as far as the ledger goes back."""

from dataclasses import replace

from loomstack_mcp.core.changes.branches import landed_beside
from loomstack_mcp.core.changes.conflicts import Proposal
from loomstack_mcp.core.changes.hunks import Change, FileChange
from loomstack_mcp.core.changes.repeats import Repeat, repeats
from loomstack_mcp.core.texts import encodable
from loomstack_mcp.services import landed
from loomstack_mcp.store.base import Tx


def repeats_in(tx: Tx, repo_id: str, proposal: Proposal) -> tuple[Repeat, ...]:
    """The landed changes that a proposal repeats, of those that its branch was not made on."""
    if not (branch := proposal.branch):
        return ()
    whole, commits = branch.whole and _as_stored(branch.whole), tuple(map(_as_stored, branch.commits))
    pieces = (whole, *commits) if whole else commits
    names = {name for piece in pieces for file in piece.files for name in (file.path, file.old_path)}
    beside = landed_beside(proposal.history, branch.base)
    known = landed.at_paths(tx, repo_id, names, among={one.sha for one in beside})
    there = [replace(known[one.sha], at_ms=one.at_ms) for one in beside if one.sha in known]
    return repeats(replace(branch, whole=whole, commits=commits), there)


def _as_stored(change: Change) -> Change:
    return replace(change, files=tuple(map(_encodable, change.files)))


def _encodable(file: FileChange) -> FileChange:
    return replace(file, path=encodable(file.path), old_path=encodable(file.old_path))
