"""The rules that hold in a worktree, loaded again only when a file of theirs changed, and what they are asked about."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from loomstack_mcp.adapters.git.repository import branch_name, commit_of, repository_at, trunk
from loomstack_mcp.adapters.git.worktree import Worktree
from loomstack_mcp.adapters.policy import files as policyfiles
from loomstack_mcp.adapters.policy import situations
from loomstack_mcp.core.errors import Invalid, LoomError
from loomstack_mcp.core.policy.rules import ActionKind, Rulebook
from loomstack_mcp.core.policy.situation import Situation

Stamp = tuple[tuple[str, int, int], ...]


class Rules:
    """The trunk's rules and the worktree's together: a tightening works at once, a loosening when it has landed."""

    def __init__(self, worktree: Worktree, folder: Path, home: str) -> None:
        self._worktree = worktree
        self._folder = folder
        self._home = home
        self._trunk: str | None = None
        self._stamp: Stamp | None = None
        self._book = Rulebook()

    def book(self) -> Rulebook:
        """Raises PolicyError for a set that does not load."""
        stamp = tuple(self._stamps())
        if stamp != self._stamp:
            commit = commit_of(self._worktree.root, self._ref())
            self._book = policyfiles.rulebook(self._worktree.root, self._home, commit=commit, worktree=True)
            self._stamp = stamp
        return self._book

    @contextmanager
    def situation(
        self, action: ActionKind, paths: list[str], *, command: str, target: str, base: str
    ) -> Iterator[Situation]:
        """What an agent says that it is about to do, with the facts of the worktree."""
        root = self._worktree.root
        if action == "commit" and not paths:
            with situations.staged(root) as found:
                yield replace(found, point="mcp")
        elif action in ("push", "land") and not paths:
            onto = target or base or self._ref()
            with situations.landing(root, base or onto, "HEAD", point="ci", branch=branch_name(onto)) as (found, _):
                yield replace(found, point="mcp", actions=frozenset({action}))
        else:
            branch = target if action in ("push", "land") and target else situations.branch_of(self._worktree.git_dir)
            yield replace(self._early(action, paths, command=command, target=target), branch=branch)

    def _early(self, action: ActionKind, paths: list[str], *, command: str, target: str) -> Situation:
        root = self._worktree.root
        if action == "command":
            return situations.command(root, self._folder, command, point="mcp")
        if action == "tool":
            return situations.tool(target, point="mcp")
        if action == "deploy":
            return situations.deploy(target, point="mcp")
        if not paths:
            raise Invalid("name the paths that you are about to edit")
        return replace(situations.edit(root, root, paths, point="mcp"), actions=frozenset({action}))

    def _ref(self) -> str:
        if self._trunk is None:
            try:
                self._trunk = trunk(repository_at(self._worktree.root)) or "HEAD"
            except LoomError:  # of a repository without a commit there are only the worktree's rules
                self._trunk = "HEAD"
        return self._trunk

    def _stamps(self) -> Iterator[tuple[str, int, int]]:
        """What tells that the trunk moved or a file of rules was written, without asking git."""
        common = self._worktree.common_dir
        folders = [self._worktree.root / policyfiles.FOLDER, Path(self._home) / policyfiles.FOLDER]
        files = [common / "packed-refs", common / "HEAD", common / self._ref()]
        for folder in folders:
            try:
                files += [folder, *(Path(entry.path) for entry in os.scandir(folder))]
            except OSError:
                continue
        for file in files:
            try:
                found = file.stat()
            except OSError:
                continue
            yield str(file), found.st_mtime_ns, found.st_size
