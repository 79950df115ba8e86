"""The folder that a Go import means, by the modules of the repository."""

import posixpath
from collections.abc import Iterator

from loomstack_mcp.adapters.parse.imports.import_map import Holds, ImportMap
from loomstack_mcp.adapters.parse.imports.names import ImportedName
from loomstack_mcp.core.policy.boundaries import Edge


def go_edges(one: ImportedName, path: str, _: Holds, import_map: ImportMap) -> Iterator[Edge]:
    """By the longest name of a module; a package is a folder, so a file stands for it."""
    target = ""
    for name, folder in sorted(import_map.go_modules, key=lambda module: len(module[0])):
        if one.name == name or one.name.startswith(f"{name}/"):
            target = posixpath.normpath(posixpath.join("/", folder, one.name[len(name) + 1 :], "doc.go")).lstrip("/")
    yield Edge(source_path=path, line=one.line, target=target, package=one.name)
