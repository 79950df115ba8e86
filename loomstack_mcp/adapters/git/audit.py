"""An audit: the history of a repository, judged commit by commit."""

import secrets
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from loomstack_mcp.adapters.git import diffs, history
from loomstack_mcp.adapters.git.attributes import Attributes, reformatting
from loomstack_mcp.adapters.git.diffs import Unread, merge_gaps
from loomstack_mcp.adapters.git.identity import ignores_case
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.core.changes.branches import arrivals
from loomstack_mcp.core.changes.cases import FollowedCases
from loomstack_mcp.core.changes.conflict_records import Intent
from loomstack_mcp.core.changes.generated import Generated
from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.lines import Lines
from loomstack_mcp.core.changes.people import accounts_of
from loomstack_mcp.core.changes.reversals import Reversals
from loomstack_mcp.core.changes.undone import Undone
from loomstack_mcp.core.changes.verdicts import Reversal, reversal
from loomstack_mcp.core.limits import WINDOW_MS
from loomstack_mcp.core.people import Person
from loomstack_mcp.core.records import record

_KEY_BYTES = 32
_SWEEP = 100
"""After so many commits, what nobody will be held against is let go of."""
_UNDECIDED = ("no trunk can be told here, so that no file says what is generated or only reformats",)


@record
class Audit:
    """Which commits took back what others had landed."""

    commits: int
    """How many were judged."""
    first_ms: int
    last_ms: int
    seconds: float
    reversals: tuple[Reversal, ...]
    """In the order of landing, those among one author's own changes included, with the verdict `clear`."""
    intents: Mapping[str, Intent]
    """Why landed changes that suffer were made, by their commits, as far as a store knows."""
    unchecked: tuple[str, ...]
    """What could not be known, in sentences."""


def _unknown(_: Undone) -> Intent | None:
    """History alone does not tell what was intended."""
    return None


def audited(
    repo: Repository,
    *,
    since_ms: int = 0,
    last: int = 0,
    window_ms: int = WINDOW_MS,
    generated: Sequence[str] = (),
    people: Sequence[Person] = (),
    intent_on: Callable[[Undone], Intent | None] = _unknown,
    progress: Callable[[int, int], None],
) -> Audit:
    """Judge the commits reachable from HEAD since `since_ms`, or the `last` ones, each when it landed.

    They are compared with what landed within the window before. What later commits put back is told with each case.
    """
    began = time.monotonic()
    repo.must_have_history()
    judged = history.commits(repo, "HEAD", since_ms=since_ms, last=last)
    wanted = {change.sha for change in judged}
    listed = history.with_window(repo, "HEAD", judged, window_ms=window_ms)
    landed_ms = {change.sha: change.at_ms for change in listed}
    deciders = repo.deciders("")  # not what is audited: it would say of itself what does not count
    unread, attributes = Unread(), Attributes(repo, deciders)
    generated_paths = Generated(generated, ignore_case=ignores_case(repo.place))
    intents: dict[str, Intent] = {}

    def intended(one: Undone) -> bool:
        if intent := intent_on(one):
            intents[one.change.sha] = intent
        return intent is not None

    lines = Lines(secrets.token_bytes(_KEY_BYTES))
    reversals = Reversals(ignored=lambda _: False, authors=accounts_of(people, lines), window_ms=window_ms)
    agreed = _Agreed(arrivals(listed, listed[-1].sha) if listed else {}, reformatting(repo, deciders))
    cases = FollowedCases(agreed.together)
    oldest_ms = _oldest_ms(listed)
    found = attributes.taught(diffs.changes(repo, listed, unread, lines=lines), generated_paths)
    for done, read in enumerate(found, start=1):
        change = replace(read, at_ms=landed_ms[read.sha])
        cases.land(change)
        undone = reversals.land(change)
        if undone and change.sha in wanted:
            cases.begin(reversal(change, undone, agreed=agreed.on(change), intended=intended))
        if done % _SWEEP == 0:
            reversals.forget(oldest_ms[done])
        progress(done, len(listed))
    times = [landed_ms[sha] for sha in wanted]
    return Audit(
        commits=len(judged),
        first_ms=min(times, default=0),
        last_ms=max(times, default=0),
        seconds=time.monotonic() - began,
        reversals=tuple(cases.ended()),
        intents=intents,
        unchecked=(*_UNDECIDED[bool(deciders) :], *repo.gaps, *merge_gaps(repo, listed), *unread.sentences()),
    )


def _oldest_ms(listed: Sequence[Change]) -> list[int]:
    """By how many changes are done, when the oldest of those landed that are still to come."""
    newest_first = accumulate((change.at_ms for change in reversed(listed)), min, initial=10**15)
    return [*newest_first][::-1]


@dataclass(frozen=True)
class _Agreed:
    """What history alone tells of agreement."""

    arrived: Mapping[str, str]
    reformatting: Collection[str]

    def on(self, change: Change) -> Callable[[Undone], bool]:
        """Whether those concerned knew: one author, one branch that landed at once, or what only reformats."""

        def agreed(undone: Undone) -> bool:
            only_reformats = any(sha in self.reformatting for sha in (change.sha, undone.change.sha))
            return undone.same_author or self.together(undone.change, change) or only_reformats

        return agreed

    def together(self, one: Change, other: Change) -> bool:
        """Whether two commits came in one branch, which landed at once."""
        return self.arrived.get(one.sha) == self.arrived.get(other.sha, "") != other.sha
