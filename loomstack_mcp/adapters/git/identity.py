"""Which repository a clone is, whatever its address: by its origin, its first commit, or its folder."""

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote

from loomstack_mcp.adapters.git.discovery import Place, place_at
from loomstack_mcp.adapters.git.run import READ_SECONDS_MAX, run
from loomstack_mcp.core.errors import Invalid, NotFound
from loomstack_mcp.core.repos import identity_of

_ORIGINS_MAX = 5
"""Local origins that are followed: a clone of a clone of …"""
_NAME_CHARS = 16
_NOT_SET = 1
"""How git-config(1) ends for a name that no file sets."""
_UNBORN = b"unknown revision"
"""Git's word for a branch without a commit."""


def clone_name(place: Place) -> str:
    """The clone's own name, for all its worktrees."""
    return f"clone:{_hashed(str(place.common_dir))}"


def identity(place: Place) -> str:
    """`origin`, else the root commit, else the git folder itself; a local origin is followed."""
    for _ in range(_ORIGINS_MAX):
        origin = setting(place, "remote.origin.url")
        if not origin:
            break
        local = unquote(origin.removeprefix("file://")) if origin.startswith("file://") else origin
        folder = os.path.realpath(place.folder / os.path.expanduser(local))  # noqa: PTH111 which fails for no name
        if "://" in local or not (local.startswith((".", "/", "~")) or os.path.exists(folder)):  # noqa: PTH110 nor this
            return _named(origin)
        found = _repository_of(folder)
        if found is None:
            return f"folder:{_hashed(folder)}"
        place = found
    listed = run(place.folder, "rev-list", "--max-parents=0", "HEAD", seconds_max=READ_SECONDS_MAX)
    if listed.code and _UNBORN not in listed.complained:
        raise NotFound(f"git cannot follow the history of {place.folder} ({listed.complaint}); mend it")
    roots = listed.text.splitlines()
    return f"root:{sorted(roots)[0][:_NAME_CHARS]}" if roots else f"folder:{_hashed(str(place.common_dir))}"


def _named(origin: str) -> str:
    try:
        return identity_of(origin)
    except Invalid:  # which git can fetch from all the same: a path with a blank in it, say
        return f"folder:{_hashed(origin)}"


def _repository_of(folder: str) -> Place | None:
    """What git fetches from when it is told a folder: none around it, but one that has `.git` behind its name."""
    for name in map(Path, (folder, f"{folder}.git")):
        if os.path.isdir(name):  # noqa: PTH112 Path.is_dir fails for a name that is too long
            with suppress(NotFound):
                place = place_at(name)
                if name in (place.root, place.git_dir):
                    return place
    return None


def setting(place: Place, name: str, *, kind: str = "") -> str:
    """A setting of the clone's own, as a `bool` or another kind of git-config(1); "" where it is not set.

    Raises NotFound where git cannot tell.

    A file that does not hold the name's last word does not set it, nor do the files it includes where it includes
    none: most clones are told so without a process.
    """
    word = name.rpartition(".")[2].encode().lower()
    files = [place.common_dir / "config", place.git_dir / "config.worktree"]
    written = b"".join(file.read_bytes() for file in files if os.access(file, os.R_OK)).lower()
    if word not in written and b"include" not in written:
        return ""
    typed = (f"--type={kind}",) if kind else ()
    found = run(place.folder, "config", *typed, "--get", name)
    if found.code not in (0, _NOT_SET) and not kind:  # with a kind it may be the value alone that is wrong
        # What git will not read is not another repository: that would hold nothing of what the real one holds.
        raise NotFound(f"the settings of {place.folder} cannot be read ({found.complaint}); mend them")
    return found.text


def ignores_case(place: Place) -> bool:
    """Whether letter case tells no two of the repository's files apart; git finds that out when it makes a clone."""
    return setting(place, "core.ignorecase", kind="bool") == "true"


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:_NAME_CHARS]
