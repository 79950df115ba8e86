"""What stands in a merge: git's own attempt at it also shows, between markers, the lines that were kept."""

from dataclasses import replace

from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.core.changes.hunks import Change, FileChange
from loomstack_mcp.core.changes.lines import Lines


def standing(repo: Repository, change: Change, lines: Lines) -> Change:
    """A merge without those lines of git's attempt that stand in it: between the markers all looks removed."""
    return replace(change, files=tuple(_resolved(repo, change.sha, file, lines) for file in change.files))


def _resolved(repo: Repository, sha: str, file: FileChange, lines: Lines) -> FileChange:
    if not any(hunk.removed for hunk in file.hunks):
        return file
    stand = {lines.number(line) for line in repo.file(sha, file.path).split(b"\n")}
    hunks = []
    for hunk in file.hunks:
        gone = tuple(line for line in hunk.removed if line not in stand)
        same = len(gone) == len(hunk.removed)
        hunks.append(hunk if same else replace(hunk, removed=gone, takes=0, gives=0))
    return replace(file, hunks=tuple(hunks))
