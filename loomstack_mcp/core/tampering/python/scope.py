"""What the statements of a Python function are read with: names, helpers, and what is known of where they stand."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from loomstack_mcp.core.tampering.model import TEST_STEPS_MAX
from loomstack_mcp.core.tampering.python.local_names import Function, LocalNames
from loomstack_mcp.core.tampering.python.names import Values


@dataclass(frozen=True)
class FlowScope:
    """What a function's statements are read with."""

    values: Values
    helpers: Mapping[str, Function]
    """Functions of the file with assertions, by name; methods as `self.name`."""
    depth: int = 0
    left: list[int] = field(default_factory=lambda: [TEST_STEPS_MAX])
    """Steps that may still be taken; shared by all that is read from here."""
    known: dict[str, LocalNames] = field(default_factory=dict)
    """The local names of helpers that were read before."""
    dead: str = ""
    guarded: bool = False
    given: frozenset[str] = frozenset()
    """Names whose value is that of one case, one turn of a loop or one call: others have others."""

    def but(self, *, dead: str = "", guarded: bool = False) -> "FlowScope":
        """The same with more known; what is dead already stays so."""
        return replace(self, dead=self.dead or dead, guarded=self.guarded or guarded)

    def values_of_all(self) -> dict[str, ast.expr]:
        """What names stand for in every case, turn and call."""
        return {name: value for name, value in self.values.items() if name not in self.given}
