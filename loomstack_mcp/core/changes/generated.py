"""Files that machines write: what happens to their lines is nobody's intent."""

import re
from collections.abc import Collection, Sequence

from loomstack_mcp.core.patterns.globs import covers, pattern

_MACHINE_MADE = re.compile(
    r"""(?:^|/)(?:
      package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|yarn\.lock|bun\.lockb?|[^/]*\.lock|go\.sum|gradle\.lockfile
      |[^/]*\.min\.(?:js|css)|[^/]*\.map|[^/]*\.snap|[^/]*\.pb\.go|[^/]*_pb2(?:_grpc)?\.pyi?|[^/]*\.generated\.[a-z]+
      |[^/]*\.g\.dart|[^/]*\.golden|[^/]*bom\.cdx\.(?:json|xml)
    )$
    |(?:^|/)(?:node_modules|_?vendor(?:ed)?|third_party|__snapshots__)/""",
    re.VERBOSE,
)
_LISTS = re.compile(
    r"""(?:^|/)(?i:changelog|changes|history|news|release_?notes)(?:\.(?:md|rst|txt|adoc))?$
    |(?:^|/)(?:changelogs?(?:\.d)?|news(?:fragments)?|\.changes(?:et)?
      |upcoming_changes|next_api_changes|release[-_]?notes|\.?unreleased)/""",
    re.VERBOSE,
)


def named_so(path: str, /) -> bool:
    """Whether its name says that machines write it, or that it only lists what changed."""
    return machine_made(path) or _LISTS.search(path) is not None


def machine_made(path: str, /) -> bool:
    """Whether its name says that machines write it."""
    return _MACHINE_MADE.search(path) is not None


class Generated:
    """Which paths do not count: by name (lock files, bundles, snapshots, change logs), by attribute, by setting."""

    def __init__(self, patterns: Sequence[str] = (), *, ignore_case: bool = False) -> None:
        """`ignore_case` is whether letter case tells no two paths of the repository apart."""
        self._ignore_case = ignore_case
        self._patterns = [pattern(text) for text in patterns]
        self._known: dict[str, bool] = {}

    def unknown(self, paths: Collection[str], /) -> tuple[str, ...]:
        """Those of the paths of which `learn` was not told yet."""
        return tuple(path for path in paths if path not in self._known)

    def learn(self, paths: Collection[str], /, *, marked: Collection[str]) -> None:
        """Judge paths; `marked` are those that `.gitattributes` calls generated."""
        for path in paths:
            matched = any(covers(wanted, path, ignore_case=self._ignore_case) for wanted in self._patterns)
            self._known[path] = matched or path in marked or named_so(path)

    def __call__(self, path: str, /) -> bool:
        return self._known.get(path, False)
