"""How each check of a change is found out: by reading its blobs, when first a rule asks."""

from collections.abc import Mapping
from functools import cache

from loomstack_mcp.adapters.git.blobs import Blobs, FileTree, tree_of
from loomstack_mcp.adapters.git.plain import Delta
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.parse import imports
from loomstack_mcp.adapters.parse.re2_patterns import Patterns
from loomstack_mcp.adapters.parse.tests import read_tests
from loomstack_mcp.core.patterns.gitignore import compiled
from loomstack_mcp.core.policy import content
from loomstack_mcp.core.policy.boundaries import crossings
from loomstack_mcp.core.policy.delta import LINK, NO_MODE, SUBMODULE, limits_exceeded
from loomstack_mcp.core.policy.rules import Boundaries, Limits
from loomstack_mcp.core.policy.situation import Look
from loomstack_mcp.core.policy.violations import Violation
from loomstack_mcp.core.tampering.tampering import weakened

Found = tuple[Violation, ...]


def looks(repo: Repository, delta: Delta) -> Mapping[str, Look]:
    """The looks of a situation, each taken at most once for the same settings."""
    subject, blobs = delta.subject, Blobs(repo)

    @cache
    def tree() -> FileTree:
        return tree_of(repo, delta.after)

    @cache
    def weakening(which: str) -> Found:
        before, after = _sides(delta, blobs)
        return weakened(before, after, parse=read_tests, which="tamper" if which == "tamper" else "any")

    @cache
    def edges() -> imports.Imports:
        project = imports.project(tree(), blobs.content)
        return imports.imports(subject, blobs.content, tree().holds, project)

    def crossing(boundaries: Boundaries) -> Found:
        found = edges()
        told = crossings(
            boundaries, found.edges, covers=lambda patterns, path: compiled(patterns).loose(path), old=found.old
        )
        return (*told, *found.violations)

    return {
        "limits": lambda limits: limits_exceeded(subject, _limits(limits)),
        "secrets": cache(lambda: content.secrets_added(subject, blobs.content)),
        "links": cache(lambda: content.links_escaping(subject, blobs.links(tree()))),
        "submodules": lambda: content.submodules_changed(subject),
        "added": cache(lambda patterns: content.lines_forbidden(subject, blobs.content, Patterns(patterns).first)),
        "weakening": weakening,
        "crossings": crossing,
    }


def message_looks(text: str) -> Mapping[str, Look]:
    """The look of a rule on the message of a commit."""

    def missing(pattern: str) -> Found:
        if Patterns([pattern]).first(text.encode("utf-8", "replace")):
            return ()
        return (Violation(text=f"the message does not match {pattern}"),)

    return {"message": missing}


def _sides(delta: Delta, blobs: Blobs) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The files before and after, without links, submodules and what is too large to read."""
    sides: tuple[dict[str, bytes], dict[str, bytes]] = ({}, {})
    for file in delta.subject.files:
        for side, path, mode, blob in (
            (sides[0], file.old_path, file.mode_before, file.blob_before),
            (sides[1], file.path, file.mode_after, file.blob_after),
        ):
            if mode not in (LINK, SUBMODULE, NO_MODE) and (found := blobs.content(blob)) is not None:
                side[path] = found
    return sides


def _limits(limits: object) -> Limits:
    assert isinstance(limits, Limits)
    return limits
