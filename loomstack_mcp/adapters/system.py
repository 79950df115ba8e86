"""The operating system's word on who runs this process, and where."""

import os
import pwd
from pathlib import Path


def principal() -> str:
    """The operating system's user, whatever the environment says."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid:{os.getuid()}"


def current_folder() -> Path:
    """The folder that the process stands in, also where somebody has deleted it."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return Path(os.environ.get("PWD") or "/deleted")
