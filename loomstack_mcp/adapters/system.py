"""The operating system's word on who runs this process."""

import os
import pwd


def principal() -> str:
    """The operating system's user, whatever the environment says."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid:{os.getuid()}"
