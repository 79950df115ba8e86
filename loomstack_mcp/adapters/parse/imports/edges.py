"""One file's imports as edges, whatever its language."""

import posixpath

from loomstack_mcp.adapters.parse.imports.go import go_edges
from loomstack_mcp.adapters.parse.imports.import_map import Holds, ImportMap
from loomstack_mcp.adapters.parse.imports.names import PARSED_BYTES_MAX, imported_names
from loomstack_mcp.adapters.parse.imports.python import python_edges
from loomstack_mcp.adapters.parse.imports.scripts import script_edges
from loomstack_mcp.core.policy.boundaries import Edge

# The second grammar is tried where the first finds errors: types in a .js file, say.
_GRAMMARS = {
    (".py", ".pyi"): ("python",),
    (".ts", ".mts", ".cts"): ("typescript", "tsx"),
    (".tsx",): ("tsx",),
    (".js", ".jsx", ".mjs", ".cjs"): ("javascript", "tsx", "typescript"),
    (".go",): ("go",),
}
_RESOLVED = {"python": python_edges, "go": go_edges}


def edges(path: str, content: bytes, holds: Holds, import_map: ImportMap) -> tuple[tuple[Edge, ...], bool]:
    """The imports of one file, and whether it could be parsed; as far as it could, where it could not.

    A name in a string counts where it is a literal: `import("./x")`, `require("x")`, `import_module("x")`.
    Names that are computed, and escapes within a literal, are not known.
    """
    grammars = _grammars(path)
    if not grammars or len(content) > PARSED_BYTES_MAX:
        return (), False
    names, parsed = imported_names(content, grammars)
    resolved = _RESOLVED.get(grammars[0], script_edges)
    return tuple(edge for name in names for edge in resolved(name, path, holds, import_map)), parsed


def is_understood(path: str) -> bool:
    """Whether imports are read from such a file, by its ending."""
    return bool(_grammars(path))


def _grammars(path: str) -> tuple[str, ...]:
    suffix = posixpath.splitext(path)[1].casefold()
    return next((grammars for suffixes, grammars in _GRAMMARS.items() if suffix in suffixes), ())
