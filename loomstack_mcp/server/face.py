"""What every tool shares: the services, the worktree, and what is known of both."""

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from loomstack_mcp.adapters.pauses import refuse_paused
from loomstack_mcp.core.errors import LoomError
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.core.texts import encodable
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import Loom, open_loom
from loomstack_mcp.server.standpoints import Standpoints
from loomstack_mcp.server.waits import ChangeWaits, Waits

if TYPE_CHECKING:
    from loomstack_mcp.adapters.telemetry import Telemetry
    from loomstack_mcp.core.changes.conflicts import Proposal
    from loomstack_mcp.core.outcomes import SeenCommits
    from loomstack_mcp.core.policy.rules import Rule
    from loomstack_mcp.core.stranded import StrandedRun

_Answer = TypeVar("_Answer")

_AT_ONCE_MAX = 8
"""Service calls of one process: those behind them wait here, not at the store's gate."""
_BESIDE_MAX = 100
_UNSEEN_MAX = 5
_CATCH_UP_S = 1.0


class Face:
    """The services as one process offers them: on stdio in the worktree that it stands in, over HTTP in none."""

    def __init__(self, here: Here, loom: Loom | None = None) -> None:
        """Without a `loom`, the store is opened when a call first needs it: a start costs nobody a look at settings."""
        self.here = here
        self.standpoints = Standpoints(here)
        self._loom = loom
        self._checkout: Checkout | None = None
        self._beside: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._callers: dict[tuple[str, str, str], Caller] = {}
        self._waiting: set[threading.Event] = set()
        self._left = False
        self.is_ending = False
        """Whether nobody waits here any longer, although the clients are still there and hear what they are told."""
        self._lock = threading.Lock()
        self._catching_up = threading.Lock()
        self._working = threading.BoundedSemaphore(_AT_ONCE_MAX)
        self.near_waits = Waits(
            lambda repo_id: self.work(lambda: self.loom.cursor(repo_id)),
            listening=lambda repo_id, news: self.loom.listening(repo_id, news),
            tells_news=lambda: self.loom.tells_news,
        )

    @cached_property
    def waits(self) -> ChangeWaits:
        """Where calls wait for a repo to change. Raises as `loom`."""
        if not self.loom.is_far:
            return self.near_waits
        from loomstack_mcp.server.far_waits import FarWaits  # what only an edge needs

        return FarWaits(lambda: self.loom.events)

    @property
    def loom(self) -> Loom:
        """The services. Raises StoreUnavailable where the settings name a store that this version cannot speak to."""
        with self._lock:
            if self._loom is None:
                self._loom = open_loom(self.here.any_settings, is_told=True)
            return self._loom

    @property
    def telemetry(self) -> "Telemetry | None":
        """Where calls are told to; None where nowhere, or the store does not open: the call itself says why."""
        with suppress(LoomError):
            return self.loom.telemetry
        return None

    @property
    def is_open(self) -> bool:
        """Whether a call has opened the store."""
        return self._loom is not None

    def work(self, asked: Callable[[], _Answer]) -> _Answer:
        """What is asked of the services, among few at once."""
        with self._working:
            answer = asked()
            if self._loom:
                with suppress(LoomError):
                    self._loom.send_notices()
            return answer

    def known_caller(self, named: Caller, tool_use: str) -> Caller:
        """The caller as the hooks know it. Raises Paused where this repository or its session is switched off."""
        caller = self.loom.sightings.known_caller(named, tool_use)
        if self.here.folder:  # over HTTP sessions have no end that is seen, and another process may serve them next
            self._callers[caller.principal, caller.session, caller.agent] = caller
        identity = lambda: self.checkout().identity if self.here.clone else ""  # noqa: E731 read where it is used
        refuse_paused(self.here.settings.home, identity, caller.session)
        return caller

    @contextmanager
    def told_of_end(self, stopped: threading.Event) -> Iterator[None]:
        """A wait that is told once the client has left."""
        with self._lock:
            self._waiting.add(stopped)
            if self._left:
                stopped.set()
        try:
            yield
        finally:
            with self._lock:
                self._waiting.discard(stopped)

    def end_waits(self) -> None:
        """This process ends: whoever waits is told what is so now, and keeps its place to ask again."""
        self.is_ending = True
        self.leave()

    def leave(self) -> None:
        """The client asks nothing more: nothing is waited for on its behalf."""
        with self._lock:
            self._left = True
            for stopped in self._waiting:
                stopped.set()

    def checkout(self) -> Checkout:
        """The checkout that the process stands in, as it was when it was last looked at: enough to know the repo."""
        return self._checkout or self.looked_at()

    def looked_at(self, here: Here | None = None, *, repo: str = "", branch: str = "") -> Checkout:
        """The checkout as it is now, our own or another of the repository, or the repo of that name without one.

        Raises Invalid.
        """
        found = (here or self.here).checkout(repo=repo, branch=branch)
        if not repo:
            self._checkout = found
        return found

    def patterns(self, caller: Caller, paths: Sequence[str]) -> tuple[str, ...]:
        """Paths as the caller typed them, where it stands, as canonical patterns. Raises Invalid."""
        return self.standpoints.of(caller).seen.patterns(paths)

    def proposal(self, here: Here, base: str) -> "Proposal":
        """What a worktree would land on `base`, or on the trunk; the history it would land on is in the ledger."""
        here.must_see_worktree(instead="name one: worktree=")
        with here.repository() as repo:
            return here.landing(repo, self.loom.ledger, self.looked_at(here), target=base).proposal()

    def unseen_edits(self, caller: Caller, here: Here) -> tuple[str, ...]:
        """Where else hooks saw the caller edit, as what an answer for this worktree does not cover."""
        if self.here.clone is None:
            return ()
        edited = self.loom.sightings.edited(caller, self.checkout())
        others = [top for top in edited if top != encodable(str(here.root)) and Path(top).is_dir()]
        return tuple(f"your edits in {top} were not looked at; ask with worktree={top}" for top in others[:_UNSEEN_MAX])

    def see_edits(self, caller: Caller, here: Here) -> None:
        """What the caller did in this worktree was looked at."""
        top = str(here.root)
        if encodable(top) in self.loom.sightings.edited(caller, self.checkout()):
            self.loom.sightings.looked_at(caller, top)

    def seen_commits(self, names: Sequence[str]) -> "SeenCommits | None":
        """What the worktree's repository knows of some commits; None where no worktree is seen."""
        from loomstack_mcp.adapters.git.named_commits import seen_commits  # what few calls need
        from loomstack_mcp.core.outcomes import shas

        if not self.here.clone:
            return None
        with self.here.repository() as repo:
            return seen_commits(repo, self.loom.repos.id_of(self.checkout()), shas(names))

    def keep_imprints(self) -> None:
        """What runs said to have made is known again however it lands, as far as it is seen here."""
        with suppress(LoomError):  # whoever checks for conflicts reads it again
            if self.here.clone:
                with self.here.repository() as repo:
                    self.here.imprint(repo, self.loom.ledger, self.checkout())

    def known_rules(self) -> "tuple[Rule, ...]":
        """The rules as a briefing tells them: none where there are none, or they do not load; a check says so."""
        try:
            return self.here.rules.book().rules
        except LoomError:
            return ()

    def stranded(self, caller: Caller, *, loop: str = "") -> "tuple[StrandedRun, ...]":
        """What a loop of the caller's, or each that it runs, finished and the trunk has not; nothing that was told."""
        if self.here.clone is None:
            return ()
        if not (found := self.loom.stranded.of_loops(caller, self.checkout(), loop=loop)):
            return ()
        from loomstack_mcp.edge.stranded import stranded_runs  # what compares changes, which few calls do

        return stranded_runs(self.here, self.loom, found)

    def catch_up(self) -> None:
        """Bring the ledger up to the trunk, as far as a caller should wait for it; the rest is done behind its back."""
        if self._catching_up.acquire(blocking=False):
            filler = threading.Thread(target=self._caught_up, daemon=True)
            filler.start()
            filler.join(_CATCH_UP_S)

    def _caught_up(self) -> None:
        try:
            with suppress(LoomError):  # of a repository without commits, say: who asks for a check is told
                if self.here.clone:
                    with self.here.repository() as repo:
                        if self.loom.repos.filled(self.checkout()) != (self.here.filling_mark(repo) or None):
                            self.here.landing(repo, self.loom.ledger, self.checkout())
        finally:
            self._catching_up.release()

    def repo_ids(self) -> tuple[str, ...]:
        """The repo of the worktree; where none is seen, all of the store."""
        if self.here.clone:
            return (self.loom.repos.id_of(self.checkout()),)
        return self.loom.repos.ids()

    def beside(self, patterns: Sequence[str]) -> tuple[str, ...]:
        """What history changed together with these patterns; asked once per session, for it moves slowly."""
        key = tuple(patterns)
        if key not in self._beside:
            if len(self._beside) >= _BESIDE_MAX:
                self._beside.clear()
            self._beside[key] = self._changed_with(key)
        return self._beside[key]

    def _changed_with(self, patterns: Sequence[str]) -> tuple[str, ...]:
        if (clone := self.here.clone) is None:
            return ()
        from loomstack_mcp.adapters.git.cochange import changed_with  # what reads a history, which few calls do
        from loomstack_mcp.adapters.git.repository import Repository

        with Repository(clone.place) as repo:
            return changed_with(repo, patterns)

    def close(self) -> None:
        """The session is gone: its runs keep what they hold for five more minutes."""
        if self._loom is None:
            return
        try:
            for caller in tuple(self._callers.values()):  # calls that are cut off may still come to know one
                self._loom.runs.shorten(caller)
            if self._loom.telemetry:
                from loomstack_mcp.core.conventions import PIPE  # for those who tell a collector

                self._loom.telemetry.session_over(PIPE)
            self._loom.close()
        except LoomError as error:
            sys.stderr.write(f"loomstack-mcp: leases were not shortened: {error.code}\n")
