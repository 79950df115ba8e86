"""The tools: one function each, its answer beside it. What a model is told of one is its signature and docstring."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

GUARD = "guard"
"""The one tool that is for hooks and not for models."""
TOOLS = {
    "start_run": "runs",
    "read_shared_context": "notes",
    "share_context": "notes",
    "claim_paths": "claims",
    "release_paths": "claims",
    "check_policy": "policy",
    "check_conflicts": "conflicts",
    "record_outcome": "outcomes",
    "trace_change": "traces",
    GUARD: "guard",
}
"""Each tool's module, imported when it is first called: a session that never lands anything compares no changes."""


def tool_function(name: str) -> Callable[..., Any]:
    """The function of a tool: `(call, *, arguments …) -> answer`."""
    function: Callable[..., Any] = getattr(import_module(f"loomstack_mcp.server.tools.{TOOLS[name]}"), name)
    return function
