"""Which files decide what a clone is: as long as nobody wrote to them, git need not be asked again."""

import os
import re
from pathlib import Path

from loomstack_mcp.adapters.git.clone_settings import clone_settings, remotes
from loomstack_mcp.adapters.git.discovery import Place
from loomstack_mcp.adapters.git.run import as_text, run
from loomstack_mcp.adapters.git.trunk import written_for

_ORIGIN = re.compile(r"file:([^\t\n]+)\t")
_MISSING = re.compile(r"unable to read config file '(/[^'\n]*)'")


def deciding_files(place: Place, system: str) -> tuple[Path, ...]:
    """All that can change where a clone's trunk and its remote are; `system` is git's settings for the machine.

    Empty where variables choose other settings, or name no whole path. Without a remote, those of persons and machines
    say nothing of it.
    """
    own = (place.common_dir / "shallow", *written_for(place))
    if not remotes(clone_settings(place)):
        return own
    home = os.environ.get("HOME", "")
    shared = os.environ.get("XDG_CONFIG_HOME") or f"{home}/.config"
    is_plain = home.startswith("/") and shared.startswith("/") and system
    if not is_plain or any(name.startswith("GIT_CONFIG") for name in os.environ):
        return ()
    return (Path(system), Path(home, ".gitconfig"), Path(shared, "git", "config"), *own)


def is_told_by_files(place: Place, system: str) -> bool:
    """Whether those are really all: whether none of the settings includes others."""
    files = deciding_files(place, system)
    settings = (file for file in files if file.name in ("config", "config.worktree", ".gitconfig", Path(system).name))
    return bool(files) and not any(b"include" in _bytes(file).lower() for file in settings)


def system_file(place: Place) -> str:
    """Git's settings for the machine, there or not; "" where this git does not name one file, or none is needed."""
    if not remotes(clone_settings(place)):
        return ""
    ran = run(place.folder, "config", "--system", "--show-origin", "--list")
    found = set(_ORIGIN.findall(as_text(ran.printed))) or set(_MISSING.findall(as_text(ran.complained)))
    return found.pop() if len(found) == 1 else ""


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
