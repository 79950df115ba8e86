"""Where the real clients are installed."""

import os
import shutil
from pathlib import Path

CLIENTS = Path(__file__).resolve().parents[2] / ".clients"
NEWEST = CLIENTS / "newest"
"""Where `python -m tests.clients.newest` brings the newest of both."""


def find_cli(name: str, variable: str) -> str:
    """The variable's value, else what `.ci/run` installs into `.clients`, else PATH; "" where there is none."""
    installed = _installed(CLIENTS, name)
    return os.environ.get(variable) or installed or shutil.which(name) or ""


def find_newest(name: str) -> str:
    """The newest client, where it was installed beside the other; "" where it was not."""
    return _installed(NEWEST, name)


def _installed(folder: Path, name: str) -> str:
    found = folder / "node_modules" / ".bin" / name
    return str(found) if found.exists() else ""
