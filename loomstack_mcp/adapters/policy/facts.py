"""How each check of a change is found out: by reading its blobs, when first a rule asks.

The parsers, and all that is known of tests, are imported then: most calls are edits, which no such rule is about.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from loomstack_mcp.adapters.git.blobs import Blobs, FileTree, tree_of
from loomstack_mcp.adapters.git.plain import Delta
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.core.patterns.gitignore import compiled
from loomstack_mcp.core.policy import content
from loomstack_mcp.core.policy.boundaries import crossings
from loomstack_mcp.core.policy.delta import LINK, NO_MODE, SUBMODULE, FileDelta, Subject, limits_exceeded
from loomstack_mcp.core.policy.looks import Looks, NoLooks, Violations
from loomstack_mcp.core.policy.rules import Boundaries, Limits, WeakeningScope
from loomstack_mcp.core.policy.violations import Unknown, Violation

if TYPE_CHECKING:
    from loomstack_mcp.adapters.parse.imports.changed import Imports
    from loomstack_mcp.adapters.parse.imports.import_map import ImportMap


class ChangeLooks(NoLooks):
    """The looks at a change, each by reading its blobs, and at the message of its commit where there is one."""

    def __init__(
        self, repo: Repository, delta: Delta, *, message: str | None = None, whole: "_WholeChange | None" = None
    ) -> None:
        """`whole` is the change that this one is a part of."""
        self._repo = repo
        self._delta = delta
        self._subject = self._arriving = delta.subject
        self._message = message
        self._whole = whole or _WholeChange(repo, delta)
        self._names = frozenset(_names(delta.subject)) if whole else None
        self._parts: dict[frozenset[str], ChangeLooks] = {}
        self._added: dict[tuple[str, ...], Violations] = {}
        self._weakening: dict[WeakeningScope, Violations] = {}

    def at(self, paths: frozenset[str], /) -> Looks:
        """The same looks at the files that are, or were, at these paths; what explains a loss of tests is any file."""
        if paths not in self._parts:
            files = tuple(file for file in self._subject.files if not paths.isdisjoint(_ends(file)))
            part = replace(self._delta, subject=Subject(files=files))
            looks = ChangeLooks(self._repo, part, message=self._message, whole=self._whole)
            looks._arriving = Subject(files=tuple(_arriving(file, paths) for file in files))
            self._parts[paths] = looks
        return self._parts[paths]

    def limits(self, limits: Limits, /) -> Violations:
        """Bounds on the size of the change that it exceeds."""
        return limits_exceeded(self._subject, limits)

    def secrets(self) -> Violations:
        """Secrets that it adds; raises Unknown."""
        return self._secrets

    def links(self) -> Violations:
        """Links that lead out of the repository; raises Unknown."""
        return self._links

    def submodules(self) -> Violations:
        """Submodules that it points elsewhere."""
        return content.submodules_changed(self._subject)

    def added(self, patterns: tuple[str, ...], /) -> Violations:
        """Added lines that match one of these expressions; raises Unknown."""
        from loomstack_mcp.adapters.parse.re2_patterns import Patterns

        if patterns not in self._added:
            first = Patterns(patterns).first
            self._added[patterns] = content.lines_forbidden(self._arriving, self._whole.blobs.content, first)
        return self._added[patterns]

    def weakening(self, which: WeakeningScope, /) -> Violations:
        """Tests that it weakens, on purpose by the looks of it (`tamper`) or in any way; raises Unknown."""
        from loomstack_mcp.adapters.parse.test_files.read import read_tests
        from loomstack_mcp.core.tampering.tampering import weakened

        if which not in self._weakening:
            before, after = self._whole.sides
            self._weakening[which] = weakened(before, after, parse=read_tests, which=which, at=self._names)
        return self._weakening[which]

    def crossings(self, boundaries: Boundaries, /) -> Violations:
        """Imports that cross one of the boundaries; raises Unknown."""
        found = self._imports
        told = crossings(
            boundaries, found.edges, covers=lambda patterns, path: compiled(patterns).loose(path), old=found.old
        )
        return (*told, *found.violations)

    def message(self, pattern: str, /) -> Violations:
        """A message that does not match the expression; raises Unknown where there is none."""
        if self._message is None:
            raise Unknown("message")
        from loomstack_mcp.adapters.parse.re2_patterns import Patterns

        if Patterns([pattern]).first(self._message.encode("utf-8", "replace")):
            return ()
        return (Violation(text=f"the message does not match {pattern}"),)

    @cached_property
    def _secrets(self) -> Violations:
        return content.secrets_added(self._arriving, self._whole.blobs.content)

    @cached_property
    def _links(self) -> Violations:
        return content.links_escaping(self._subject, self._whole.links)

    @cached_property
    def _imports(self) -> "Imports":
        from loomstack_mcp.adapters.parse.imports.changed import changed_imports

        whole = self._whole
        return changed_imports(self._subject, whole.blobs.content, whole.tree.holds, whole.import_map)


def _names(subject: Subject) -> Iterator[str]:
    for file in subject.files:
        yield from _ends(file)


def _ends(file: FileDelta) -> tuple[str, str]:
    return file.path, file.old_path


def _arriving(file: FileDelta, paths: frozenset[str]) -> FileDelta:
    """A file as these paths alone know it: what is renamed into them was not there before, nor looked at."""
    is_arriving = file.old_path not in paths and file.path in paths
    return replace(file, blob_before="", mode_before=NO_MODE) if is_arriving else file


class _WholeChange:
    """What the looks at a change and at parts of it have in common, each read once."""

    def __init__(self, repo: Repository, delta: Delta) -> None:
        self._repo = repo
        self._delta = delta
        self.blobs = Blobs(repo)

    @cached_property
    def tree(self) -> FileTree:
        return tree_of(self._repo, self._delta.after)

    @cached_property
    def links(self) -> Mapping[str, str]:
        return self.blobs.links(self.tree)

    @cached_property
    def import_map(self) -> "ImportMap":
        from loomstack_mcp.adapters.parse.imports.import_map import import_map

        return import_map(self.tree, self.blobs.content)

    @cached_property
    def sides(self) -> tuple[dict[str, bytes], dict[str, bytes]]:
        """The files before and after, without links, submodules and what is too large to read."""
        sides: tuple[dict[str, bytes], dict[str, bytes]] = ({}, {})
        for file in self._delta.subject.files:
            for side, path, mode, blob in (
                (sides[0], file.old_path, file.mode_before, file.blob_before),
                (sides[1], file.path, file.mode_after, file.blob_after),
            ):
                if mode not in (LINK, SUBMODULE, NO_MODE) and (found := self.blobs.content(blob)) is not None:
                    side[path] = found
        return sides
