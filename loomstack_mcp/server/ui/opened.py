"""Which repos a visitor sees: those of the store that their token opens, and the one that the process stands in."""

import threading
import time
from collections.abc import Hashable

from loomstack_mcp.core.errors import NotFound
from loomstack_mcp.core.records import record
from loomstack_mcp.core.repos import RepoNames
from loomstack_mcp.loom import Loom

_HOLDS_S, _FRESH_S = 60.0, 1.0
"""So long a list tells which repos are there, and which are not. What is asked of one is checked with each call."""
_KEPT_MAX = 500


@record
class _Seen:
    repos: tuple[RepoNames, ...]
    at_s: float


class VisibleRepos:
    """Asked of the services, as whoever asks; remembered for a moment."""

    def __init__(self, loom: Loom, *, own: str = "") -> None:
        """`own` is the repo of the worktree, which the store need not know yet."""
        self._loom, self._own = loom, own
        self._lock = threading.Lock()
        self._seen: dict[Hashable, _Seen] = {}

    def listed(self, whose: Hashable, *, within_s: float = _FRESH_S) -> tuple[RepoNames, ...]:
        """All of them, our own first and then the busiest, as they were asked so long ago at most. Raises LoomError."""
        with self._lock:
            if (seen := self._seen.get(whose)) and time.monotonic() < seen.at_s + within_s:
                return seen.repos
        found = self._ordered(self._loom.repos.listed())
        with self._lock:
            if len(self._seen) >= _KEPT_MAX:
                self._seen.clear()
            self._seen[whose] = _Seen(repos=found, at_s=time.monotonic())
        return found

    def chosen(self, whose: Hashable, named: str) -> str:
        """The repo of that id or name; the first where none is named, "" where there is none. Raises NotFound."""
        for within_s in (_HOLDS_S, _FRESH_S):
            found = self.listed(whose, within_s=within_s)
            if found and not named:
                return found[0].repo_id
            for one in found:
                if named in (one.repo_id, *one.names):
                    return one.repo_id
        if not named:
            return ""
        raise NotFound(f"no repository {named[:100]} is known here; /api/v1/repos lists them")

    def _ordered(self, found: tuple[RepoNames, ...]) -> tuple[RepoNames, ...]:
        if self._own and all(one.repo_id != self._own for one in found):
            found = (RepoNames(repo_id=self._own), *found)
        seqs = {} if self._loom.is_far else self._loom.cursors()
        return tuple(sorted(found, key=lambda one: (one.repo_id != self._own, -seqs.get(one.repo_id, 0), one.repo_id)))


def repo_label(repo: RepoNames, /) -> str:
    """What people call it: the last part of its id."""
    return repo.repo_id.rstrip("/").rpartition("/")[2] or repo.repo_id
