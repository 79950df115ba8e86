"""The file that an import of JavaScript or TypeScript means: a path, or a name that the repository maps to one."""

import posixpath
import re
from collections.abc import Iterator

from loomstack_mcp.adapters.parse.imports.import_map import Holds, ImportMap
from loomstack_mcp.adapters.parse.imports.names import ImportedName
from loomstack_mcp.core.policy.boundaries import Edge

_EXTENSIONS = (".ts", ".tsx", ".d.ts", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".json", ".vue", ".svelte")


def script_edges(one: ImportedName, path: str, holds: Holds, import_map: ImportMap) -> Iterator[Edge]:
    """A relative path as it is, a leading `/` from the root of the repository, else by the aliases that hold here."""
    # Bundlers take what follows for themselves: `./logo.svg?inline`.
    name = re.sub(r"[?#].*", "", one.name) if one.name[:1] in "./" else one.name
    if name[:1] == "." or name[:1] == "/":
        place = posixpath.normpath(posixpath.join("/", posixpath.dirname(path), name)).lstrip("/")
        yield Edge(source_path=path, line=one.line, target=_file(place, holds) or place)
        return
    places = _aliased(name, path, import_map)
    target = next((found for place, _ in places if (found := _file(place, holds))), "")
    meant = next((place for place, is_meant in places if is_meant), "")
    yield Edge(source_path=path, line=one.line, target=target or meant, package=name)


def _file(place: str, holds: Holds) -> str:
    """The file that a path without its extension means, or where it would be in a folder; "" for none."""
    stem, suffix = posixpath.splitext(place)
    if suffix and holds(place):
        return place
    # TypeScript's own spelling of a relative import is that of the JavaScript it becomes.
    stems = (place, stem) if suffix in (".js", ".jsx", ".mjs", ".cjs") else (place,)
    files = (found + extension for found in stems for extension in _EXTENSIONS)
    if file := next(filter(holds, files), ""):
        return file
    if not holds(place):
        return ""
    return next((file for extension in _EXTENSIONS if holds(file := f"{place}/index{extension}")), f"{place}/index")


def _aliased(name: str, path: str, import_map: ImportMap) -> list[tuple[str, bool]]:
    """The paths that a name may stand for here, and whether it is meant to, as a `*` alone does not mean all names."""
    found = []
    for scope, pattern, stands in import_map.aliases:
        head, star, tail = pattern.partition("*")
        if scope and not path.startswith(f"{scope}/"):
            continue
        if star and name.startswith(head) and name.endswith(tail) and len(name) >= len(head) + len(tail):
            rest = name[len(head) : len(name) - len(tail)]
            found.append((posixpath.normpath(stands.replace("*", rest, 1)), pattern != "*"))
        elif name == pattern:
            found.append((stands, True))
    return found
