"""What every tool shares: the services, the worktree, the worker threads, and errors a model can read."""

import functools
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import anyio.to_thread
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from pydantic import ValidationError

from loomstack_mcp.adapters.gitcli import Worktree, worktree_at
from loomstack_mcp.adapters.gitrepo import repository_at
from loomstack_mcp.adapters.landing import Landing
from loomstack_mcp.adapters.settings import Settings
from loomstack_mcp.core.changes.conflicts import Proposal
from loomstack_mcp.core.errors import Invalid, LoomError
from loomstack_mcp.core.limits import NAME_CHARS_MAX
from loomstack_mcp.core.paths import claimed
from loomstack_mcp.core.policy.rules import Rule
from loomstack_mcp.core.repos import Checkout, identity_of
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.core.texts import bounded
from loomstack_mcp.loom import Loom
from loomstack_mcp.server.callers import caller_of

if TYPE_CHECKING:
    from loomstack_mcp.server.rules import Rules

Answer = TypeVar("Answer")

_THREADS = 8
"""Of our own: the SDK's transport needs the default ones, and calls that wait for a lock must not starve it."""
_SHOWN_MAX = 3
_BESIDE_MAX = 100
_CATCH_UP_S = 1.0

_log = logging.getLogger(__name__)


class Face:
    """The services as one process offers them: on stdio in the worktree that it stands in, over HTTP in none."""

    def __init__(self, loom: Loom, settings: Settings, folder: Path | None) -> None:
        self.loom = loom
        self.left = anyio.Event()
        """Set once the client asks nothing more: nothing is waited for on its behalf."""
        self._settings = settings
        self._folder = folder
        self._worktree: Worktree | None = None
        self._here: Checkout | None = None
        self._beside: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._callers: dict[tuple[str, str, str], Caller] = {}
        self._catching_up = threading.Lock()
        self._rules: Rules | None = None
        self._threads: anyio.CapacityLimiter | None = None

    async def call(self, ctx: Context[Any, Any], work: Callable[[Caller], Answer]) -> Answer:
        """One service call for the caller, on a worker thread. LoomErrors become text for the model."""
        caller = caller_of(ctx)
        self._callers[caller.principal, caller.session, caller.agent] = caller
        return await self.run(functools.partial(work, caller))

    async def run(self, work: Callable[[], Answer]) -> Answer:
        if self._threads is None:
            self._threads = anyio.CapacityLimiter(_THREADS)
        try:
            return await anyio.to_thread.run_sync(work, limiter=self._threads)
        except LoomError as error:
            raise ToolError(f"{error.code}: {error}") from None

    def checkout(self, repo: str = "", branch: str = "") -> Checkout:
        """The checkout that the process stands in, or the repo of that name without one."""
        if repo:
            return Checkout(identity=identity_of(repo), branch=bounded("branch", branch, chars_max=NAME_CHARS_MAX))
        if (worktree := self.worktree()) is None:
            where = f"{self._folder} is in no git worktree" if self._folder else "over HTTP no worktree is seen"
            raise Invalid(f"{where}; pass repo to start_run: the URL of its origin, or a name all sessions use")
        self._here = worktree.checkout(repo=self._settings.repo)
        return replace(self._here, branch=bounded("branch", branch, chars_max=NAME_CHARS_MAX)) if branch else self._here

    def proposal(self, base: str) -> Proposal:
        """What the worktree would land on `base`, or on the trunk; the history it would land on is in the ledger."""
        return self._landing(self._seen_worktree(), bounded("base", base, chars_max=NAME_CHARS_MAX)).proposal()

    def rules(self) -> "Rules":
        """The rules of the worktree. Raises Invalid where none is seen."""
        if self._rules is None:
            from loomstack_mcp.server.rules import Rules  # parsers and RE2: 150 ms that a start must not cost

            worktree = self._seen_worktree()
            self._rules = Rules(worktree, self._folder or worktree.root, self._settings.home)
        return self._rules

    def rules_told(self) -> tuple[Rule, ...]:
        """The rules as a briefing tells them: none where there are none, or they do not load; a check says so."""
        try:
            return self.rules().book().rules
        except LoomError:
            return ()

    def _seen_worktree(self) -> Worktree:
        if (worktree := self.worktree()) is None:
            raise Invalid("no worktree is seen from here; run the loomstack-mcp commands in yours")
        return worktree

    async def catch_up(self) -> None:
        """Bring the ledger up to the trunk, as far as a caller should wait for it; the rest is done behind its back."""
        if (worktree := self.worktree()) and self._catching_up.acquire(blocking=False):
            with anyio.move_on_after(_CATCH_UP_S):
                await anyio.to_thread.run_sync(self._caught_up, worktree, abandon_on_cancel=True)

    def _caught_up(self, worktree: Worktree) -> None:
        try:
            self._landing(worktree, "")
        except LoomError as error:  # of a repository without commits, say: who asks for a check is told
            _log.info("the ledger was not filled: %s", error.code)
        finally:
            self._catching_up.release()

    def _landing(self, worktree: Worktree, target: str) -> Landing:
        """The worktree in front of a target whose history the ledger has."""
        ledger = self.loom.changes
        repo = repository_at(worktree.root)
        landing = Landing(repo, target=target, key=ledger.key(), generated=self._settings.generated)
        ledger.fill(
            self.checkout(),
            landing.history,
            since_ms=landing.since_ms,
            is_trunk=landing.is_trunk,
            read=landing.read(_unseen),
        )
        return landing

    def here(self) -> Checkout:
        """The checkout as it was when it was last looked at: enough to know which repo to read."""
        return self._here or self.checkout()

    def repo_ids(self) -> tuple[str, ...]:
        """The repo of the worktree; where none is seen, all of the store."""
        if self.worktree():
            return (self.loom.repos.found(self.here()),)
        return self.loom.repos.ids()

    def beside(self, patterns: Sequence[str]) -> tuple[str, ...]:
        """What history changed together with these patterns; asked once per session, for it moves slowly."""
        key = tuple(patterns)
        if key not in self._beside:
            if len(self._beside) >= _BESIDE_MAX:
                self._beside.clear()
            worktree = self.worktree()
            self._beside[key] = worktree.changed_with(key) if worktree else ()
        return self._beside[key]

    def patterns(self, paths: list[str]) -> tuple[str, ...]:
        """Paths as a model typed them, as canonical patterns."""
        worktree = self.worktree()
        return tuple(worktree.claimed(path) if worktree else claimed(path) for path in paths)

    def worktree(self) -> Worktree | None:
        if self._worktree is None and self._folder:
            self._worktree = worktree_at(self._folder)
        return self._worktree

    def close(self) -> None:
        """The session is gone: its runs keep what they hold for five more minutes."""
        try:
            for caller in self._callers.values():
                self.loom.runs.shorten(caller)
            self.loom.close()
        except LoomError as error:
            _log.warning("leases were not shortened: %s", error.code)


def _unseen(_: int, __: int) -> None:
    """Nobody watches the progress of a tool."""


class LoomTool(Tool):
    """A tool that refuses unknown arguments, and whose errors are one line that says what to do."""

    async def run(self, arguments: dict[str, Any], context: Context[Any, Any], convert_result: bool = False) -> Any:
        try:
            return await super().run(arguments, context, convert_result)
        except ToolError as error:
            raise ToolError(_shortened(self, error)) from error.__cause__


def tool(function: Callable[..., Any], **options: Any) -> LoomTool:
    """Register a function as a tool with the smallest schema that says all."""
    made = LoomTool.from_function(function, **options)
    assert isinstance(made, LoomTool)
    made.fn_metadata.arg_model.model_config["extra"] = "forbid"
    made.fn_metadata.arg_model.model_rebuild(force=True)
    made.parameters = _compact(made.fn_metadata.arg_model.model_json_schema(by_alias=True))
    assert made.fn_metadata.output_schema is not None, f"{made.name} lost its output schema"
    made.fn_metadata.output_schema = _compact(made.fn_metadata.output_schema)
    made.description = " ".join((function.__doc__ or "").split())
    return made


def _shortened(made: Tool, error: ToolError) -> str:
    if not isinstance(error.__cause__, ValidationError):
        text = str(error).removeprefix(f"Error executing tool {made.name}").removeprefix(": ")
        return text or "internal: the call failed and nothing was written; the server's log names the cause"
    wrong = []
    for problem in error.__cause__.errors(include_url=False, include_input=False)[:_SHOWN_MAX]:
        name = ".".join(str(part) for part in problem["loc"])
        wrong.append(f"{name}: {problem['msg']}"[:120])
    known = ", ".join(made.parameters["properties"])
    return f"invalid: {'; '.join(wrong)}. {made.name} takes {known}"


def _compact(schema: Any, definitions: dict[str, Any] | None = None) -> Any:
    """Without titles, empty defaults and references: every character is paid for on every run."""
    if isinstance(schema, list):
        return [_compact(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    definitions = {**(definitions or {}), **schema.get("$defs", {})}
    if "$ref" in schema:
        return _compact(definitions[schema["$ref"].rsplit("/", 1)[-1]], definitions)
    kept = {
        name: value
        for name, value in schema.items()
        if not (name == "$defs" or (name == "title" and isinstance(value, str)))
        and not (name == "default" and value in ("", 0, [], {}, False))
    }
    if "properties" in kept:
        kept["properties"] = {name: _compact(part, definitions) for name, part in kept["properties"].items()}
    return {name: value if name == "properties" else _compact(value, definitions) for name, value in kept.items()}
