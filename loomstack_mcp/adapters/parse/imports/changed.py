"""The imports of the files that a change touches, before and after it."""

from dataclasses import replace

from loomstack_mcp.adapters.parse.imports.edges import edges, is_understood
from loomstack_mcp.adapters.parse.imports.import_map import Holds, ImportMap
from loomstack_mcp.adapters.parse.imports.names import PARSED_BYTES_MAX
from loomstack_mcp.core.phrases import counted
from loomstack_mcp.core.policy.boundaries import Edge
from loomstack_mcp.core.policy.content import Contents
from loomstack_mcp.core.policy.delta import LINK, SUBMODULE, FileDelta, Subject
from loomstack_mcp.core.policy.violations import Violation
from loomstack_mcp.core.records import record


@record
class Imports:
    """The edges of the changed files, for `crossings`, and what could not be looked at."""

    edges: tuple[Edge, ...] = ()
    old: tuple[Edge, ...] = ()
    """Of the same files before, under their old paths. Both are resolved against what is there afterwards."""
    violations: tuple[Violation, ...] = ()


def changed_imports(subject: Subject, contents: Contents, holds: Holds, import_map: ImportMap) -> Imports:
    """The imports of every file that the change adds, changes or moves, in a language that is understood."""
    found = [_compared(file, contents, holds, import_map) for file in subject.files if _is_looked_at(file)]
    return Imports(
        edges=tuple(edge for one in found for edge in one.edges),
        old=tuple(edge for one in found for edge in one.old),
        violations=tuple(violation for one in found for violation in one.violations),
    )


def _is_looked_at(file: FileDelta) -> bool:
    moved = file.path != file.old_path
    return file.is_file and is_understood(file.path) and (moved or file.has_new_content)


def _compared(file: FileDelta, contents: Contents, holds: Holds, import_map: ImportMap) -> Imports:
    after = contents(file.blob_after)
    if after is None or len(after) > PARSED_BYTES_MAX:
        text = f"is too large to be parsed for imports ({counted(file.bytes_after, 'byte')})"
        return Imports(violations=(Violation(text=text, path=file.path),))
    found, parsed = edges(file.path, after, holds, import_map)
    was_file = file.blob_before.strip("0") and file.mode_before not in (LINK, SUBMODULE)
    before = contents(file.blob_before) if was_file else None
    old, was_parsed = edges(file.old_path, before, holds, import_map) if before is not None else ((), True)
    broken = () if parsed or not was_parsed else (Violation(text="cannot be parsed for imports", path=file.path),)
    return Imports(edges=found, old=tuple(replace(edge, moved_to=file.path) for edge in old), violations=broken)
