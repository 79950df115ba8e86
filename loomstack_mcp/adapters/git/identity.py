"""Which repository a clone is, whatever its address: by its origin, its first commit, or its folder."""

import hashlib
import os
from pathlib import Path

from loomstack_mcp.adapters.git.discovery import Place, place_at
from loomstack_mcp.adapters.git.run import READ_SECONDS_MAX, run
from loomstack_mcp.core.errors import NotFound
from loomstack_mcp.core.repos import identity_of

_ORIGINS_MAX = 5
"""Local origins that are followed: a clone of a clone of …"""
_NAME_CHARS = 16


def clone_name(place: Place) -> str:
    """The clone's own name, for all its worktrees."""
    return f"clone:{_hashed(str(place.common_dir))}"


def identity(place: Place) -> str:
    """`origin`, else the root commit, else the git folder itself; a local origin is followed."""
    for _ in range(_ORIGINS_MAX):
        origin = setting(place, "remote.origin.url")
        if not origin:
            break
        local = origin.removeprefix("file://")
        if "://" in local or not (local.startswith((".", "/", "~")) or (place.folder / local).exists()):
            return identity_of(origin)
        folder = (place.folder / Path(local).expanduser()).resolve()
        try:
            place = place_at(folder)
        except NotFound:
            return f"folder:{_hashed(str(folder))}"
    listed = run(place.folder, "rev-list", "--max-parents=0", "HEAD", seconds_max=READ_SECONDS_MAX)
    roots = listed.text.splitlines()
    return f"root:{sorted(roots)[0][:_NAME_CHARS]}" if roots else f"folder:{_hashed(str(place.common_dir))}"


def setting(place: Place, name: str, *, kind: str = "") -> str:
    """A setting of the clone's own, as a `bool` or another kind of git-config(1); "" where it is not set.

    A file that does not hold the name's last word does not set it, nor do the files it includes where it includes
    none: most clones are told so without a process.
    """
    word = name.rpartition(".")[2].encode().lower()
    files = [place.common_dir / "config", place.git_dir / "config.worktree"]
    written = b"".join(file.read_bytes() for file in files if os.access(file, os.R_OK)).lower()
    if word not in written and b"include" not in written:
        return ""
    typed = (f"--type={kind}",) if kind else ()
    return run(place.folder, "config", *typed, "--get", name).text


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:_NAME_CHARS]
