"""Where the real clients are installed."""

import os
import shutil
from pathlib import Path


def find_cli(name: str, variable: str) -> str:
    """The variable's value, else what `.ci/run` installs into `.clients`, else PATH; "" where there is none."""
    installed = Path(__file__).resolve().parents[2] / ".clients" / "node_modules" / ".bin" / name
    return os.environ.get(variable) or (str(installed) if installed.exists() else shutil.which(name) or "")
