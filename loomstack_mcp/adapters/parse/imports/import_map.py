"""What the repository's own files say imported names stand for: modules of Go, TypeScript's aliases, workspaces."""

import json
import posixpath
import re
from collections.abc import Callable, Iterator

from loomstack_mcp.adapters.git.blobs import FileTree
from loomstack_mcp.adapters.parse.imports.names import PARSED_BYTES_MAX
from loomstack_mcp.core.policy.content import Contents
from loomstack_mcp.core.policy.delta import LINK, SUBMODULE
from loomstack_mcp.core.records import record

_FILES = ("go.mod", "tsconfig.json", "jsconfig.json", "package.json")
_FILES_MAX = 200
_COMMENT = re.compile(r'("(?:[^"\\\n]|\\.)*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TRAILING_COMMA = re.compile(r'("(?:[^"\\\n]|\\.)*")|,(?=\s*[}\]])')
_MODULE = re.compile(rb'^module\s+"?([^\s"]+)', re.MULTILINE)

Holds = Callable[[str], bool]
"""Whether a path, of a file or a folder, is in the repository."""
Alias = tuple[str, str, str]
"""The folder below which it holds, the pattern with at most one `*`, the path that it stands for."""


@record
class ImportMap:
    """What the repository says about names that are no paths."""

    go_modules: tuple[tuple[str, str], ...] = ()
    """Name and folder of each `go.mod`."""
    aliases: tuple[Alias, ...] = ()
    """`paths` and `baseUrl` of each `tsconfig.json` or `jsconfig.json`, and the names of workspaces."""


def import_map(tree: FileTree, contents: Contents) -> ImportMap:
    """Read `go.mod`, `tsconfig.json` (without what it extends) and workspaces, of a tree; the outermost files first."""
    modules: list[tuple[str, str]] = []
    aliases: list[Alias] = []
    wanted = [path for path in tree.entries if posixpath.basename(path) in _FILES]
    for path in sorted(wanted, key=lambda path: path.count("/"))[:_FILES_MAX]:
        folder, name = posixpath.split(path)
        content = _content(tree, path, contents)
        if name == "go.mod":
            modules += [(match[1].decode("utf-8", "replace"), folder) for match in _MODULE.finditer(content)]
        elif len(content) <= PARSED_BYTES_MAX:
            aliases += _workspace(content, folder) if name == "package.json" else _paths(content, folder)
    return ImportMap(go_modules=tuple(modules), aliases=tuple(aliases))


def _content(tree: FileTree, path: str, contents: Contents) -> bytes:
    """Nothing of a link, for its blob holds where it leads, and of what cannot be read."""
    mode, blob = tree.entries[path]
    return (contents(blob) or b"") if mode not in (LINK, SUBMODULE) else b""


def _paths(content: bytes, folder: str) -> Iterator[Alias]:
    """TypeScript's `paths`, and with a `baseUrl` every name: it may stand for a path below that."""
    settings = _json(content).get("compilerOptions")
    if not isinstance(settings, dict):
        return
    base = settings.get("baseUrl")
    start = posixpath.join("/", folder, base if isinstance(base, str) else "")
    paths = settings.get("paths")
    spelled = [*paths.items()] if isinstance(paths, dict) else []
    for pattern, places in [*spelled, *([("*", ["*"])] if isinstance(base, str) else [])]:
        for place in places if isinstance(places, list) else ():
            if isinstance(place, str):
                yield folder, pattern, posixpath.normpath(posixpath.join(start, place)).lstrip("/")


def _workspace(content: bytes, folder: str) -> Iterator[Alias]:
    """A package in a folder of its own is imported by its name, from anywhere in the repository."""
    name = _json(content).get("name")
    if isinstance(name, str) and name and folder:
        yield from (("", name, folder), ("", f"{name}/*", f"{folder}/*"))


def _json(content: bytes) -> dict[str, object]:
    """JSON with comments and trailing commas, as `tsconfig.json` may have them; nothing for what is no object."""
    text = _COMMENT.sub(lambda match: match[1] or "", content.decode("utf-8-sig", "replace"))
    text = _TRAILING_COMMA.sub(lambda match: match[1] or "", text)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
