"""What a worktree would land, and on which history: the git facts of a check for conflicts."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from loomstack_mcp.adapters import gitdiffs, gitrepo
from loomstack_mcp.adapters.auditing import learn, unread
from loomstack_mcp.adapters.gitdiffs import Reading
from loomstack_mcp.adapters.gitrepo import Repository
from loomstack_mcp.core.changes.conflicts import Proposal
from loomstack_mcp.core.changes.generated import Generated
from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.lines import Lines
from loomstack_mcp.core.changes.reversals import WINDOW_MS
from loomstack_mcp.core.limits import SECOND_MS


class Landing:
    """A worktree in front of its trunk, or of another target; `key` is the store's, for the hashes of lines."""

    def __init__(self, repo: Repository, *, target: str, key: bytes, generated: Sequence[str] = ()) -> None:
        """Raises NotFound where `target` is no commit, or shares no history with what is checked out."""
        self._repo = repo
        self._now_ms = round(time.time() * SECOND_MS)
        self.since_ms = self._now_ms - WINDOW_MS
        """The start of the window."""
        self._lines = Lines(key)
        self._generated = Generated(generated)
        self._reading = Reading()
        self._target = target or gitrepo.trunk(repo)
        self._base = gitrepo.base_of(repo, self._target)
        self.history = gitrepo.commits(repo, self._target, since_ms=self.since_ms)
        """The target's commits of the window, parents first: when each was made and on what."""

    def read(self, progress: Callable[[int, int], None]) -> Callable[[Sequence[str]], Iterator[Change]]:
        """A reader of what commits changed; it leaves out what machines write, and tells how far it is."""

        def changes(shas: Sequence[str]) -> Iterator[Change]:
            for done, change in enumerate(
                gitdiffs.changes(self._repo, shas, self._reading, lines=self._lines), start=1
            ):
                yield self._counted(change)
                progress(done, len(shas))

        return changes

    def proposal(self) -> Proposal:
        """What would land now. Read the history first: what could not be read is told with it."""
        author, address = gitrepo.author(self._repo)
        change, left_out = gitdiffs.proposed(self._repo, self._base, lines=self._lines)
        account = self._lines.hidden(address) if address else ""
        return Proposal(
            change=replace(self._counted(change), author=author, account=account, at_ms=self._now_ms),
            history=self.history,
            target=self._target.removeprefix("refs/").removeprefix("heads/").removeprefix("remotes/"),
            reformatting=gitrepo.reformatting(self._repo, self._target),
            unchecked=(*self._repo.gaps, *unread(self._reading), *left_out),
        )

    def _counted(self, change: Change) -> Change:
        learn(self._repo, self._generated, change)
        return replace(change, files=tuple(file for file in change.files if not self._generated(file.path)))
