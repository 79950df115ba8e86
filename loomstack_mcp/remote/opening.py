"""A hub as settings name it: the line with our token, and what makes services that ask it."""

import os
from pathlib import Path
from typing import Any

from loomstack_mcp.adapters.hub_tokens import hub_token
from loomstack_mcp.adapters.machine import Machine
from loomstack_mcp.adapters.user import MEMORY_FILE
from loomstack_mcp.core.permits import REMEMBERED
from loomstack_mcp.remote.line import Line
from loomstack_mcp.remote.service import RemoteService


def line_to(hub: str, home: str, *, is_hasty: bool = False) -> Line:
    """The line to the hub of that origin, by the token that is kept for it."""
    kept = hub_token(home, hub, os.environ)
    return Line(hub, kept.get("token", ""), ca=kept.get("ca", ""), home=home, is_hasty=is_hasty)


def memory_file(home: str) -> Path:
    """Where what hooks remember of this machine is kept, whatever the hub."""
    return Path(home) / MEMORY_FILE


def services_of(line: Line, home: str, remembered: Any) -> Any:
    """What makes each service: one that asks the hub, but for what this machine remembers itself, by `remembered`."""
    machine = Machine(home)

    def made(name: str, kind: type[Any], /) -> Any:
        return remembered(name, kind) if name in REMEMBERED else RemoteService(name, kind, line, machine)

    return made
