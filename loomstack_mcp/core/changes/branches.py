"""With which commit of the trunk each commit arrived there: what came in one branch landed at once."""

from collections.abc import Mapping, Sequence

from loomstack_mcp.core.changes.hunks import Change

_BRANCH_COMMITS_MAX = 50
"""A merge that brings more is of a trunk of its own, as `develop` is: its branches are told apart."""


def arrivals(history: Sequence[Change], tip: str, /) -> dict[str, str]:
    """For each commit that `tip` descends from the one of its first-parent line that brought it: itself, or a merge."""
    parents = {change.sha: change.parents for change in history}
    arrived: dict[str, str] = {}
    lines = [tip]
    while lines:
        lines += _arrive(lines.pop(), parents, arrived)
    return arrived


def landed_beside(history: Sequence[Change], base: str, /) -> tuple[Change, ...]:
    """The commits of a history that `base` does not descend from, in their order."""
    below = _brought([base], {change.sha: change.parents for change in history}, {})
    return tuple(change for change in history if change.sha not in below)


def _arrive(tip: str, parents: Mapping[str, Sequence[str]], arrived: dict[str, str]) -> list[str]:
    """Settle the line of first parents from `tip` back; returns the tips of the merged trunks that are left."""
    line = []
    sha = tip
    while sha in parents and sha not in arrived:
        line.append(sha)
        arrived[sha] = sha
        sha = next(iter(parents[sha]), "")
    left: list[str] = []
    for merge in reversed(line):
        brought = _brought(parents[merge][1:], parents, arrived)
        if len(brought) > _BRANCH_COMMITS_MAX:
            left += parents[merge][1:]
        else:
            arrived |= dict.fromkeys(brought, merge)
    return left


def _brought(tips: Sequence[str], parents: Mapping[str, Sequence[str]], arrived: Mapping[str, str]) -> set[str]:
    found: set[str] = set()
    waiting = list(tips)
    while waiting:
        sha = waiting.pop()
        if sha in parents and sha not in arrived and sha not in found:
            found.add(sha)
            waiting += parents[sha]
    return found
