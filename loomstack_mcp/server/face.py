"""What every tool shares: the services, the worktree, the worker threads, and errors a model can read."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import anyio
import anyio.to_thread
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError

from loomstack_mcp.adapters.git.cochange import changed_with
from loomstack_mcp.adapters.git.named_commits import seen_commits
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.pauses import refuse_paused
from loomstack_mcp.adapters.system import session_process, through_server
from loomstack_mcp.core.changes.conflicts import Proposal
from loomstack_mcp.core.errors import LoomError
from loomstack_mcp.core.outcomes import SeenCommits, shas
from loomstack_mcp.core.policy.rules import Rule
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.core.stranded import StrandedRun
from loomstack_mcp.core.texts import encodable
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import Loom
from loomstack_mcp.server.callers import caller_of, tool_use_of
from loomstack_mcp.server.standpoints import Standpoints

_Answer = TypeVar("_Answer")

_THREADS = 8
"""Of our own: the SDK's transport needs the default ones, and calls that wait for a lock must not starve it."""
_BESIDE_MAX = 100
_UNSEEN_MAX = 5
_CATCH_UP_S = 1.0

_log = logging.getLogger(__name__)


class Face:
    """The services as one process offers them: on stdio in the worktree that it stands in, over HTTP in none."""

    def __init__(self, loom: Loom, here: Here) -> None:
        self.loom = loom
        self.here = here
        self.standpoints = Standpoints(here)
        self._checkout: Checkout | None = None
        self.left = anyio.Event()
        """Set once the client asks nothing more: nothing is waited for on its behalf."""
        self._beside: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._callers: dict[tuple[str, str, str], Caller] = {}
        self._catching_up = threading.Lock()
        self._threads: anyio.CapacityLimiter | None = None

    async def call(self, ctx: Context[Any, Any], work: Callable[[Caller], _Answer]) -> _Answer:
        """One service call for the caller, on a worker thread. LoomErrors become text for the model."""
        named, tool_use = caller_of(ctx), tool_use_of(ctx)
        if ctx.headers is None:  # the client of a pipe is above us; whose connections come over HTTP, nobody knows
            named = replace(named, process=through_server(session_process(named.session)))

        def known() -> _Answer:
            caller = self.loom.sightings.known_caller(named, tool_use)
            self._callers[caller.principal, caller.session, caller.agent] = caller
            identity = lambda: self.checkout().identity if self.here.clone else ""  # noqa: E731 read where it is used
            refuse_paused(self.here.settings.home, identity, caller.session)
            return work(caller)

        return await self.run(known)

    async def run(self, work: Callable[[], _Answer]) -> _Answer:
        """The work, done on a worker thread. Raises ToolError, with its code and text, for a LoomError."""
        if self._threads is None:
            self._threads = anyio.CapacityLimiter(_THREADS)
        try:
            return await anyio.to_thread.run_sync(work, limiter=self._threads)
        except LoomError as error:
            raise ToolError(f"{error.code}: {error}") from None

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

    def proposal(self, here: Here, base: str) -> Proposal:
        """What a worktree would land on `base`, or on the trunk; the history it would land on is in the ledger."""
        here.must_see_worktree(instead="name one: worktree=")
        with here.repository() as repo:
            return here.landing(repo, self.loom.ledger, self.looked_at(here), target=base).proposal()

    def unseen_edits(self, caller: Caller, here: Here) -> tuple[str, ...]:
        """Where else hooks saw the caller edit, as what an answer for this worktree does not cover."""
        if self.here.clone is None:
            return ()
        edited = self.loom.sightings.edited(caller, self.loom.repos.id_of(self.checkout()))
        others = [top for top in edited if top != encodable(str(here.root)) and Path(top).is_dir()]
        return tuple(f"your edits in {top} were not looked at; ask with worktree={top}" for top in others[:_UNSEEN_MAX])

    def see_edits(self, caller: Caller, here: Here) -> None:
        """What the caller did in this worktree was looked at."""
        top = str(here.root)
        if encodable(top) in self.loom.sightings.edited(caller, self.loom.repos.id_of(self.checkout())):
            self.loom.sightings.looked_at(caller, top)

    def seen_commits(self, names: Sequence[str]) -> SeenCommits | None:
        """What the worktree's repository knows of some commits; None where no worktree is seen."""
        if not self.here.clone:
            return None
        with self.here.repository() as repo:
            return seen_commits(repo, self.loom.repos.id_of(self.checkout()), shas(names))

    def keep_imprints(self) -> None:
        """What runs said to have made is known again however it lands, as far as it is seen here."""
        try:
            if self.here.clone:
                with self.here.repository() as repo:
                    self.here.imprint(repo, self.loom.ledger, self.checkout())
        except LoomError as error:  # whoever checks for conflicts reads it again
            _log.info("imprints were not kept: %s", error.code)

    def known_rules(self) -> tuple[Rule, ...]:
        """The rules as a briefing tells them: none where there are none, or they do not load; a check says so."""
        try:
            return self.here.rules.book().rules
        except LoomError:
            return ()

    def stranded(self, caller: Caller, *, loop: str = "") -> tuple[StrandedRun, ...]:
        """What a loop of the caller's, or each that it runs, finished and the trunk has not; nothing that was told."""
        if self.here.clone is None:
            return ()
        from loomstack_mcp.edge.stranded import stranded_runs  # what compares changes, which few calls do

        return stranded_runs(self.here, self.loom, self.loom.stranded.of_loops(caller, self.checkout(), loop=loop))

    async def catch_up(self) -> None:
        """Bring the ledger up to the trunk, as far as a caller should wait for it; the rest is done behind its back."""
        if self._catching_up.acquire(blocking=False):
            with anyio.move_on_after(_CATCH_UP_S):
                await anyio.to_thread.run_sync(self._caught_up, abandon_on_cancel=True)

    def _caught_up(self) -> None:
        try:
            if self.here.clone:
                with self.here.repository() as repo:
                    self.here.landing(repo, self.loom.ledger, self.checkout())
        except LoomError as error:  # of a repository without commits, say: who asks for a check is told
            _log.info("the ledger was not filled: %s", error.code)
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
        with Repository(clone.place) as repo:
            return changed_with(repo, patterns)

    def close(self) -> None:
        """The session is gone: its runs keep what they hold for five more minutes."""
        try:
            for caller in self._callers.values():
                self.loom.runs.shorten(caller)
            self.loom.close()
        except LoomError as error:
            _log.warning("leases were not shortened: %s", error.code)
