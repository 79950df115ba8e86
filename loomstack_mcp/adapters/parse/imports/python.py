"""The file that a Python import means, as far as the repository's own folders tell."""

import posixpath
import re
from collections.abc import Iterator, Sequence

from loomstack_mcp.adapters.parse.imports.import_map import Holds, ImportMap
from loomstack_mcp.adapters.parse.imports.names import ImportedName
from loomstack_mcp.core.policy.boundaries import Edge

_ENDINGS = (".py", ".pyi", "/__init__.py", "/__init__.pyi")


def python_edges(one: ImportedName, path: str, holds: Holds, _: ImportMap) -> Iterator[Edge]:
    """By relative level, or below the roots of sources: the repository, `src`, then the folders around the file."""
    folder = posixpath.dirname(path)
    parts = one.name.split(".") if one.name else []
    spelled = [[*parts, one.member], parts] if one.member else [parts]
    if one.level:
        above = folder.split("/") if folder else []
        start = "/".join(above[: max(0, len(above) - one.level + 1)])
        target = _module([start], spelled, holds) or posixpath.join(start, *spelled[0])
        yield Edge(source_path=path, line=one.line, target=target)
    elif all(parts):
        target = _module(_source_roots(folder), spelled, holds)
        yield Edge(source_path=path, line=one.line, target=target, package=".".join(spelled[0]))


def _source_roots(folder: str) -> Sequence[str]:
    around = [folder[:end] for end in _slashes(folder)]
    return tuple(dict.fromkeys(("", "src", *(root for at in around for root in (at, posixpath.join(at, "src"))))))


def _slashes(folder: str) -> Iterator[int]:
    """Where each folder around ends, the outermost first."""
    yield from (match.start() for match in re.finditer("/", folder))
    yield len(folder)


def _module(roots: Sequence[str], spelled: Sequence[Sequence[str]], holds: Holds) -> str:
    """The file of a module; else where it would be in a folder that is there; "" where there is none."""
    places = [(posixpath.join(root, *parts), len(parts)) for root in roots for parts in spelled]
    files = (f"{place}{ending}" for place, _ in places for ending in _ENDINGS)
    if file := next(filter(holds, files), ""):
        return file
    # A folder without modules of its own bears the name of a package only by chance, `yaml` or `docs`.
    if folder := next((place for place, depth in places if depth > 1 and holds(place)), ""):
        return f"{folder}/__init__.py"
    return _unwritten(roots, spelled[0], holds)


def _unwritten(roots: Sequence[str], parts: Sequence[str], holds: Holds) -> str:
    """Where it would be below a first folder that is there."""
    if len(parts) < 2:
        return ""
    return next((posixpath.join(root, *parts) for root in roots if holds(posixpath.join(root, parts[0]))), "")
