"""What runs made in a clone: the commits that they named, the branches of those, and what was made in a worktree."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from loomstack_mcp.adapters.git import diffs, history
from loomstack_mcp.adapters.git.diffs import Unread
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.run import as_text
from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.imprints import MadeBranch
from loomstack_mcp.core.changes.lines import Lines, key_name
from loomstack_mcp.core.changes.people import account_of
from loomstack_mcp.core.limits import HOUR_MS
from loomstack_mcp.core.texts import encodable

_BRANCHES_MAX = 5
_LOGGED_MAX = 200
_OLDER_LOOKED_AT_MAX = 100
_CLOCKS_APART_MS = HOUR_MS
_LOG_BYTES_MAX = 200_000
# git-reflog(1). What only moved HEAD to a commit that was there (a checkout, a pull, the start of a rebase) made none.
_MADE = re.compile(
    rb"^[0-9a-f]+ ([0-9a-f]+) [^\n]*> \d+ [+-]\d+\t"
    rb"(?:commit|am|cherry-pick|rebase[^:]*\((?:pick|reword|edit|squash|fixup|continue)\))(?!: fast-forward)[ :]",
    re.MULTILINE,
)


class MadeWork:
    """A clone, asked what runs made in it. `key` is the store's, for the hashes of lines."""

    def __init__(self, repo: Repository, *, key: bytes) -> None:
        self._repo = repo
        self._lines = Lines(key)
        self._dated: dict[str, tuple[tuple[str, int], ...]] = {}
        """By the commit that branches go on from: those of one branch share it."""
        self.key_name = key_name(key)
        """By which the store knows whether what is told was hashed with its key."""

    def named_changes(self, shas: Sequence[str], /) -> tuple[Change, ...]:
        """What those of the commits changed that are here, by their whole ids, and no others. Of a merge nothing."""
        found = (self._repo.commit(sha) for sha in shas)
        return self._read(one for one, sha in zip(found, shas, strict=True) if one.startswith(sha))

    def branches(self, commits: Sequence[Change], /, *, since_ms: int) -> tuple[MadeBranch, ...]:
        """What the branches of these commits would land in all, as far as the same hands made them since a time."""
        found: list[MadeBranch] = []
        trunk = self._repo.commit(self._repo.trunk) if self._repo.trunk else ""
        seen: set[str] = set()
        hands = {(one.author, one.account) for one in commits}
        for tip in sorted(commits, key=lambda one: -one.at_ms) if trunk else ():
            if tip.sha in seen or len(found) >= _BRANCHES_MAX:
                continue
            base = self._repo.fork(trunk, tip.sha)
            made = history.made_since(self._repo, base, tip.sha) if base not in ("", tip.sha) else ()
            seen |= {one.sha for one in made}
            if len(made) > 1 and all(one.at_ms >= since_ms and self._hand(one) in hands for one in made):
                found.append(self._branch(base, tip, made))
        return tuple(found)

    def older(self, sha: str, /, *, since_ms: int) -> tuple[str, ...]:
        """The commits that were there before a run that began at `since_ms` made this one, where dates hardly tell.

        A branch goes on from what had landed, whatever the clocks say; on the trunk itself only what is dated before
        the run began was surely there, for the run may have made more than it said.
        """
        trunk = self._repo.commit(self._repo.trunk) if self._repo.trunk else ""
        base = self._repo.fork(trunk, sha) if trunk else ""
        until_ms = since_ms if base == sha else None
        if base not in self._dated:
            self._dated[base] = history.dated(self._repo, base, limit=_OLDER_LOOKED_AT_MAX) if base else ()
        near = ((one, at_ms) for one, at_ms in self._dated[base] if one != sha and at_ms >= since_ms - _CLOCKS_APART_MS)
        return tuple(one for one, at_ms in near if until_ms is None or at_ms < until_ms)

    def _branch(self, base: str, tip: Change, made: Sequence[history.Made]) -> MadeBranch:
        hints = tuple({run: None for one in made for run in one.runs.split(",") if run})
        whole = diffs.diff(self._repo, base, tip.sha, lines=self._lines)
        change = replace(whole, hints=hints, at_ms=min(one.at_ms for one in made))
        return MadeBranch(shas=tuple(one.sha for one in made), change=change)

    def signed_in(self, worktree: str, run_id: str, /) -> tuple[Change, ...]:
        """What the commits changed that name a run and were made in a worktree of this clone, by its own log."""
        logged = _MADE.findall(_log_of(self._repo.place.common_dir, worktree))
        made = map(self._repo.commit, list(dict.fromkeys(map(as_text, logged)))[-_LOGGED_MAX:])
        return self._read(history.signed(self._repo, [sha for sha in made if sha], run_id))

    def _read(self, shas: Iterable[str]) -> tuple[Change, ...]:
        listed = [Change(sha=sha) for sha in dict.fromkeys(shas)]
        found = diffs.changes(self._repo, listed, Unread(), lines=self._lines) if listed else ()
        return tuple(change for change in found if not change.unread)

    def _hand(self, one: history.Made) -> tuple[str, str]:
        return one.author, account_of(one.address, self._lines)


def _log_of(common_dir: Path, worktree: str) -> bytes:
    """The end of the log of HEAD of the worktree of that name; b"" where the clone has none (any more)."""
    for git_dir, mark in _worktrees(common_dir):
        if encodable(str(mark.parent)) == worktree:
            try:
                return (git_dir / "logs/HEAD").read_bytes()[-_LOG_BYTES_MAX:]
            except OSError:
                return b""
    return b""


def _worktrees(common_dir: Path) -> Iterable[tuple[Path, Path]]:
    """The git folder of each worktree, and the mark by which the worktree leads to it."""
    yield common_dir, common_dir
    for own in (common_dir / "worktrees").glob("*/gitdir"):
        yield own.parent, (own.parent / as_text(own.read_bytes().rstrip(b"\n"))).resolve()
