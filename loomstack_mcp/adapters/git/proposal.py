"""What a worktree would land, and on which history: the git facts of a check for conflicts."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from loomstack_mcp.adapters.git import diffs, history
from loomstack_mcp.adapters.git.attributes import Attributes, reformatting
from loomstack_mcp.adapters.git.diffs import Unread, merge_gaps
from loomstack_mcp.adapters.git.history import Made
from loomstack_mcp.adapters.git.identity import ignores_case
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.snapshots import snapshot
from loomstack_mcp.core.changes.branches import landed_beside
from loomstack_mcp.core.changes.conflicts import Proposal
from loomstack_mcp.core.changes.generated import Generated
from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.lines import Lines, key_name
from loomstack_mcp.core.changes.people import account_of, accounts_of
from loomstack_mcp.core.changes.repeats import Branch
from loomstack_mcp.core.limits import SECOND_MS, WINDOW_MS
from loomstack_mcp.core.people import Person

_MESSAGE_CHARS_MAX = 4_000
_COMMITS_MAX = 50
"""Of a branch, so many are compared one by one with what landed beside it, the newest."""


class Landing:
    """A worktree in front of its trunk, or of another target; `key` is the store's, for the hashes of lines."""

    def __init__(
        self,
        repo: Repository,
        *,
        target: str,
        key: bytes,
        generated: Sequence[str] = (),
        head: str = "HEAD",
        window_ms: int = WINDOW_MS,
        people: Sequence[Person] = (),
    ) -> None:
        """Raises NotFound where `target` is no commit, shares no history with `head`, or has to be named."""
        self._repo = repo
        self._now_ms = round(time.time() * SECOND_MS)
        self._window_ms = window_ms
        self.since_ms = self._now_ms - window_ms
        """The start of the window."""
        self._lines = Lines(key)
        self._key_name = key_name(key)
        self._generated = Generated(generated, ignore_case=ignores_case(repo.place))
        self._unread = Unread()
        self._accounts = accounts_of(people, self._lines)
        self._target = target or repo.told_trunk()
        self._deciders = repo.deciders(self._target)
        self._base = history.base_of(repo, self._target, head=head)
        self._pushed = ""
        """Where the trunk itself is checked out, what of it was pushed: the commits after that land with the push."""
        if head == "HEAD" and self.is_trunk and (pushed := repo.unpushed_trunk):
            self._pushed = history.base_of(repo, pushed, head=head)
        self._head = head
        self.history = history.landed(repo, self._target, since_ms=self.since_ms)
        """What landed there in the window, parents first: when, and on what."""

    @cached_property
    def _attributes(self) -> Attributes:
        return Attributes(self._repo, self._deciders)

    @property
    def is_trunk(self) -> bool:
        """Whether the target is where changes land for good."""
        return bool(self._repo.trunk) and self._target == self._repo.trunk

    def reader(self, progress: Callable[[int, int], None]) -> Callable[[Sequence[str]], Iterator[Change]]:
        """A reader of what commits of the history changed, without what machines write; it tells how far it is.

        By name alone: what a worktree's settings leave out is another reader's business. What cannot be read is left
        out, and said in the proposal.
        """
        listed = {commit.sha: commit for commit in self.history}

        def changes(shas: Sequence[str]) -> Iterator[Change]:
            found = diffs.changes(self._repo, [listed[sha] for sha in shas], self._unread, lines=self._lines)
            for done, change in enumerate(found, start=1):
                if not change.unread:
                    yield change
                progress(done, len(shas))

        return changes

    def proposal(self) -> Proposal:
        """What would land now: of the files, and of the index and HEAD where they differ. Read the history first."""
        taken = snapshot(self._repo)
        found = [diffs.diff(self._repo, self._base, tree, lines=self._lines) for tree in taken.trees]
        made = history.made_since(self._repo, self._pushed or self._base, self._head)
        who = history.author_here(self._repo)
        proposal = self._proposed(found, made, who, committed=taken.head, left_out=taken.left_out)
        proposal = self._with_branch(proposal, made, whole=found[0])
        if self._pushed in ("", self._base):
            return proposal
        pushing = [diffs.diff(self._repo, self._pushed, tree, lines=self._lines) for tree in taken.trees]
        unpushed = {commit.sha for commit in made}
        return replace(
            proposal,
            pushing=self._proposed(pushing, made, who, committed=taken.head).changes,
            pushed=tuple(commit for commit in self.history if commit.sha not in unpushed),
        )

    def proposal_of(self, after: str, made: Sequence[Made], *, since_fork: bool = False) -> Proposal:
        """The same of a tree that would be there, of merging the commits `made`, newest first.

        `since_fork` is for what does not merge: against all that landed beside it, it would take back all of that.
        """
        before = self._base if since_fork else self._repo.commit(self._target)
        change = diffs.diff(self._repo, before, after, lines=self._lines)
        who = (made[0].author, made[0].address) if made else ("", "")
        return self._with_branch(self._proposed([change], made, who, committed=after), made)

    def _with_branch(self, proposal: Proposal, made: Sequence[Made], *, whole: Change | None = None) -> Proposal:
        """With what of the branch may have landed since it left the target, where anything has."""
        if not landed_beside(self.history, self._base):
            return proposal
        if whole is None and len(made) > _COMMITS_MAX:
            whole = diffs.diff(self._repo, self._base, self._repo.commit(self._head), lines=self._lines)
        unread = Unread()
        listed = [Change(sha=commit.sha) for commit in reversed(made[:_COMMITS_MAX])]
        commits = list(diffs.changes(self._repo, listed, unread, lines=self._lines))
        self._attributes.teach(self._generated, *commits, *([whole] if whole else ()))
        branch = Branch(
            base=self._base,
            whole=self._counted(whole) if whole else None,
            commits=tuple(map(self._counted, commits)),
        )
        return replace(proposal, branch=branch, unchecked=(*proposal.unchecked, *unread.sentences()))

    def _counted(self, change: Change) -> Change:
        """Without the files that machines write."""
        files = (file for file in change.files if not self._generated(file.path))
        return replace(change, files=tuple(files))

    def _proposed(
        self,
        found: Sequence[Change],
        made: Sequence[Made],
        who: tuple[str, str],
        *,
        committed: str,
        left_out: tuple[str, ...] = (),
    ) -> Proposal:
        """`committed` is the tree of which every line is in a commit, and so as old as that says."""
        author, address = who
        account = account_of(address, self._lines)
        written_ms = max((commit.written_ms for commit in made), default=0)
        message = "\n".join(commit.message for commit in made)[:_MESSAGE_CHARS_MAX]
        self._attributes.teach(self._generated, *found)
        return Proposal(
            changes=tuple(
                replace(
                    change,
                    author=author,
                    account=account,
                    message=message,
                    at_ms=self._now_ms,
                    written_ms=written_ms if change.sha == committed else self._now_ms,
                    files=tuple(file for file in change.files if not self._generated(file.path)),
                )
                for change in found
            ),
            history=self.history,
            window_ms=self._window_ms,
            target=_short(self._target),
            accounts=self._accounts,
            key_name=self._key_name,
            reformatting=tuple(sorted(reformatting(self._repo, self._deciders))),
            unchecked=(*self._gaps(), *self._unread.sentences(), *left_out),
        )

    def _gaps(self) -> Iterator[str]:
        yield from self._gaps_of_target()
        yield from self._gaps_of_remotes()
        yield from self._repo.gaps
        yield from merge_gaps(self._repo, self.history)

    def _gaps_of_target(self) -> Iterator[str]:
        """Where another target than the trunk was named, and so chosen by whoever asks."""
        repo, trunk = self._repo, self._repo.trunk
        onto, landed = repo.commit(self._target), repo.commit(trunk)
        if onto == landed:
            return
        named = self._target.removeprefix("refs/")
        if trunk and repo.branch_name(trunk) == repo.branch_name(repo.branch_ref(self._target)):
            there = trunk.removeprefix("refs/").removeprefix("remotes/")
            yield f"{named} is not {there}, where changes land: what only that has was not looked at; leave base out"
        head = repo.commit(self._head)
        if self._base == head and not (landed and repo.descends(landed, head)):
            yield f"{named} has all commits of this branch already: what they take back of the trunk was not looked at"

    def _gaps_of_remotes(self) -> Iterator[str]:
        """What other remotes have, one of which may be where this lands; not where somebody named another branch."""
        if not self.is_trunk:
            return
        repo, onto, head = self._repo, self._repo.commit(self._target), self._repo.commit(self._head)
        named = _short(self._target)
        if repo.other_trunks is None and repo.head_ref == self._target:
            yield f"{named} is checked out, and no remote's is here: what its own commits take back was not looked at"
        for ref in repo.other_trunks or ():
            there = repo.commit(ref)
            if not repo.descends(onto, there):
                yield f"{_short(ref)} has commits that {named} has not: not looked at; base={_short(ref)} does"
            elif self._base == head and not repo.descends(there, head) and ref != repo.unpushed_trunk:
                yield f"{named} has all commits of this branch: what they take back of {_short(ref)} was not looked at"


def _short(ref: str) -> str:
    return ref.removeprefix("refs/").removeprefix("heads/").removeprefix("remotes/")
