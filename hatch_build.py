"""The wheel brings the bytecode of the Python that builds it, for installers that compile none, as uv does.

By the hash of its source (PEP 552): an installer keeps no times, and a source that somebody edits counts at once.
"""

import importlib.util
import py_compile
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_PACKAGE = "loomstack_mcp"


class BytecodeHook(BuildHookInterface[Any]):
    """What is compiled is kept aside until the wheel is packed."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """An editable install takes none: its sources are compiled where they are."""
        if version == "editable":
            return
        self._aside = tempfile.TemporaryDirectory(prefix="loomstack-bytecode-")
        for source in sorted(Path(self.root, _PACKAGE).rglob("*.py")):
            name = str(source.relative_to(self.root))
            cached = importlib.util.cache_from_source(name)
            compiled = Path(self._aside.name, cached)
            mode = py_compile.PycInvalidationMode.CHECKED_HASH
            py_compile.compile(str(source), str(compiled), dfile=name, doraise=True, invalidation_mode=mode)
            build_data["force_include"][str(compiled)] = cached

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 its seam
        """The wheel is packed."""
        if version != "editable":
            self._aside.cleanup()
