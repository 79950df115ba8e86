"""What an agent says that it is about to do, with the facts of the worktree in which it would."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.worktree import Worktree
from loomstack_mcp.adapters.policy import early, situations
from loomstack_mcp.core.deploys import environment_named
from loomstack_mcp.core.errors import Invalid, LoomError
from loomstack_mcp.core.patterns.globs import pattern
from loomstack_mcp.core.policy.digests import UNSAID, bound
from loomstack_mcp.core.policy.rules import ActionKind
from loomstack_mcp.core.policy.situation import Situation
from loomstack_mcp.core.policy.violations import Unknown
from loomstack_mcp.edge.loading import unloadable

_LANDING: tuple[ActionKind, ...] = ("push", "land")


class Asking:
    """A worktree, and where in it the agent stands."""

    def __init__(self, worktree: Worktree, folder: Path, home: str) -> None:
        self._worktree = worktree
        self._folder = folder
        self._home = home

    @contextmanager
    def situation(
        self, action: ActionKind, paths: list[str], *, command: str, target: str, base: str
    ) -> Iterator[Situation]:
        """What an agent says that it is about to do, with the facts of the worktree.

        Raises Invalid where it names no path to edit.
        """
        with Repository(self._worktree.place) as repo:
            if action == "commit" and not paths:
                yield _staged(repo)
            elif action in _LANDING and not paths:
                yield _landing(repo, action, target=target, base=base, home=self._home)
            else:
                named = target if action in _LANDING else ""
                branch = named or repo.branch
                yield self._before(repo, action, paths, command=command, target=target, branch=branch or None)

    def _before(
        self, repo: Repository, action: ActionKind, paths: list[str], *, command: str, target: str, branch: str | None
    ) -> Situation:
        root = self._worktree.root
        if action == "command":
            from loomstack_mcp.adapters.policy import lines  # a parser, which an edit does without

            return replace(lines.command(root, self._folder, command, point="mcp"), branch=branch)
        if action == "tool":
            return replace(early.tool(target, point="mcp"), branch=branch)
        if action == "deploy":
            return replace(
                early.deploy(environment_named(target), point="mcp", commit=repo.commit("HEAD")), branch=branch
            )
        if not paths:
            raise Invalid("name the paths that you are about to edit")
        literal, wide = self._typed(paths)
        found = early.edit(root, root, literal, wide=list(wide), point="mcp")
        shaped = tuple(replace(one, shapes=tuple(wide.get(one.path, ()))) for one in found.touched or ())
        before = replace(found, actions=frozenset({action}), touched=shaped, branch=branch)
        return bound(before, shown=[*(f"{action} {path}" for path in paths), UNSAID])

    def _typed(self, paths: list[str]) -> tuple[list[str], dict[str, list[str]]]:
        """Paths by the grammar of claims: single files, and folders of which anything may be meant, with the patterns.

        A name that is not there yet may become either. What that grammar refuses stays as it was typed: it may lie
        outside the repository, which a rule forbids.
        """
        literal: list[str] = []
        wide: dict[str, list[str]] = {}
        for path in paths:
            try:
                ends = self._worktree.both_ends(path)  # what is behind a link is told where that link is
            except LoomError:
                literal.append(path)
                continue
            for wanted in map(pattern, ends):
                name = wanted.key.rstrip("/") or "."
                if not wanted.literal:
                    wide.setdefault(name, []).append(wanted.text)
                if not os.path.isdir(self._worktree.root / name):  # noqa: PTH112 one that is too long does not raise
                    literal.append(name)
        return literal, wide


def _staged(repo: Repository) -> Situation:
    """What would be committed; in the middle of a merge nobody knows, and the rules on branch and time are left."""
    try:
        return replace(situations.staged(repo), point="mcp")
    except Unknown:
        return _unseen(repo.branch, "commit")


def _landing(repo: Repository, action: ActionKind, *, target: str, base: str, home: str) -> Situation:
    """What HEAD would land on the target, or on what is given as its base; a target to be comes from the trunk."""
    is_there = bool(target) and bool(repo.commit(target))
    onto = repo.branch_ref(base or (target if is_there else "") or repo.told_trunk())
    branch = repo.branch_name(repo.branch_ref(target) if target else onto)
    try:
        found, delta = situations.landing(repo, onto, "HEAD", point="ci", branch=branch, trunk=repo.trunk)
    except Unknown:
        return _unseen(branch, action)
    wrong = unloadable(repo, home, tree=delta.after)
    return replace(found, point="mcp", actions=frozenset({action}), unloadable=wrong)


def _unseen(branch: str, action: ActionKind) -> Situation:
    return Situation(point="mcp", actions=frozenset({action}), now_ms=0, branch=branch or None)
