"""An audit: the history of a repository, judged commit by commit."""

import secrets
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from loomstack_mcp.adapters.git import diffs, history
from loomstack_mcp.adapters.git.attributes import Attributes, reformatting
from loomstack_mcp.adapters.git.diffs import Unread, merge_gaps
from loomstack_mcp.adapters.git.identity import ignores_case
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.core.changes.branches import arrivals
from loomstack_mcp.core.changes.generated import Generated
from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.lines import Lines
from loomstack_mcp.core.changes.reversals import WINDOW_MS, Reversals, Undone
from loomstack_mcp.core.changes.verdicts import Reversal, reversal

_KEY_BYTES = 32
_UNDECIDED = ("no trunk can be told here, so that no file says what is generated or only reformats",)


@dataclass(frozen=True, kw_only=True)
class Audit:
    """Which commits took back what others had landed."""

    commits: int
    """How many were judged."""
    first_ms: int
    last_ms: int
    seconds: float
    reversals: tuple[Reversal, ...]
    """In the order of landing, those among one author's own changes included, with the verdict `clear`."""
    unchecked: tuple[str, ...]
    """What could not be known, in sentences."""


def audited(
    repo: Repository,
    *,
    since_ms: int = 0,
    last: int = 0,
    window_ms: int = WINDOW_MS,
    generated: Sequence[str] = (),
    progress: Callable[[int, int], None],
) -> Audit:
    """Judge the commits reachable from HEAD since `since_ms`, or the `last` ones, each against the window before it."""
    began = time.monotonic()
    repo.must_have_history()
    judged = history.commits(repo, "HEAD", since_ms=since_ms, last=last)
    times = [change.at_ms for change in judged]
    before = history.commits(repo, "HEAD", since_ms=max(1, min(times, default=0) - window_ms))
    known = {change.sha for change in before}
    listed = [*before, *(change for change in judged if change.sha not in known)]  # dated before: a clock was wrong
    wanted = {change.sha for change in judged}
    deciders = repo.deciders("")  # not what is audited: it would say of itself what does not count
    unread, attributes = Unread(), Attributes(repo, deciders)
    generated_paths = Generated(generated, ignore_case=ignores_case(repo.place))
    reversals = Reversals(ignored=lambda _: False, window_ms=window_ms)
    found = []
    lines = Lines(secrets.token_bytes(_KEY_BYTES))
    agreed = _Agreed(arrivals(before, before[-1].sha) if before else {}, reformatting(repo, deciders))
    read = attributes.taught(diffs.changes(repo, listed, unread, lines=lines), generated_paths)
    for done, change in enumerate(read, start=1):
        undone = reversals.land(change)
        if undone and change.sha in wanted:
            found.append(reversal(change, undone, agreed=agreed.on(change), intended=_unknown))
        progress(done, len(listed))
    return Audit(
        commits=len(judged),
        first_ms=min(times, default=0),
        last_ms=max(times, default=0),
        seconds=time.monotonic() - began,
        reversals=tuple(found),
        unchecked=(*_UNDECIDED[bool(deciders) :], *repo.gaps, *merge_gaps(repo, listed), *unread.sentences()),
    )


@dataclass(frozen=True)
class _Agreed:
    """What history alone tells of agreement."""

    arrived: Mapping[str, str]
    reformatting: Collection[str]

    def on(self, change: Change) -> Callable[[Undone], bool]:
        """Whether those concerned knew: one author, one branch that landed at once, or what only reformats."""

        def agreed(undone: Undone) -> bool:
            shas = change.sha, undone.change.sha
            arrived = self.arrived.get(undone.change.sha)
            together = arrived == self.arrived.get(change.sha, "") != change.sha
            return undone.same_author or together or any(sha in self.reformatting for sha in shas)

        return agreed


def _unknown(_: Undone) -> bool:
    """History alone does not tell what was intended."""
    return False
