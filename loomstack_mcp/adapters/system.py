"""The operating system's word on who runs this process, and where."""

import os
import pwd
from pathlib import Path

from loomstack_mcp.core.errors import Invalid


def principal() -> str:
    """The operating system's user, whatever the environment says."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid:{os.getuid()}"


def current_folder() -> Path:
    """The folder that the process stands in. Raises Invalid where somebody has deleted it."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise Invalid("the folder that this runs in is gone; cd to one that is there") from None
