"""Which repository a clone is, whatever its address: by its origin, its first commit, or its folder."""

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from loomstack_mcp.adapters.git.clone_settings import clone_settings, default_remote, remotes
from loomstack_mcp.adapters.git.discovery import Place, place_at
from loomstack_mcp.adapters.git.run import READ_SECONDS_MAX, run
from loomstack_mcp.adapters.git.trunk import USUAL
from loomstack_mcp.core.errors import Invalid, NotFound
from loomstack_mcp.core.records import record
from loomstack_mcp.core.repos import earlier_identities, identity_of

if TYPE_CHECKING:
    from loomstack_mcp.adapters.git.addresses import RemoteAddress

_ORIGINS_MAX = 5
"""Local origins that are followed: a clone of a clone of …"""
_NAME_CHARS = 16
_NOT_SET = 1
"""How git-config(1) ends for a name that no file sets."""
_UNBORN = b"bad revision"
"""Git's word for a branch without a commit."""


def clone_name(place: Place) -> str:
    """The clone's own name, for all its worktrees."""
    return f"clone:{_hashed(str(place.common_dir))}"


@record
class Derivation:
    """Which repository a clone is, and how that was told."""

    identity: str
    source: str
    """What it was derived from, in words; never an address, which may hold a token."""
    others: tuple[str, ...] = ()
    """What else the same address is called: by earlier versions, and by clones that get there another way."""
    is_lasting: bool = False
    """Whether no other file than those of `deciding_files` can change it."""


def identity(place: Place) -> str:
    """What `derived` says, without how."""
    return derived(place).identity


def derived(place: Place) -> Derivation:
    """By the remote that the clone belongs to, else the root commit, else the git folder; a local one is followed.

    Raises NotFound where git cannot read the clone's settings, or its history.
    """
    start = ""
    for _ in range(_ORIGINS_MAX):
        settings = clone_settings(place)
        remote = default_remote(settings, USUAL)
        told = next((one.url for one in remotes(settings) if one.name == remote), "")
        if not told:
            break
        address, local = _followed(place, told)
        source = f"{start}remote {remote}{address.through}"
        folder = os.path.realpath(place.folder / os.path.expanduser(local))  # noqa: PTH111 which fails for no name
        if "://" in local or not (local.startswith((".", "/", "~")) or os.path.exists(folder)):  # noqa: PTH110 nor this
            return _named(address, source, is_lasting=not (start or address.by_ssh))
        found = _repository_of(folder)
        if found is None:
            return Derivation(identity=f"folder:{_hashed(folder)}", source=f"{source}, a folder that is not there")
        place, start = found, start or f"{source}, a folder here: its "
    if roots := _roots(place):
        is_lasting = not (start or remotes(settings))  # of which none is the clone's own, so that its history tells
        return Derivation(
            identity=f"root:{sorted(roots)[0][:_NAME_CHARS]}", source=f"{start}first commit", is_lasting=is_lasting
        )
    return Derivation(identity=f"folder:{_hashed(str(place.common_dir))}", source=f"{start}git folder")


def _followed(place: Place, told: str) -> "tuple[RemoteAddress, str]":
    """The address that git takes a remote's for, and the path in it, where it is one."""
    from loomstack_mcp.adapters.git.addresses import remote_address  # with the next 8 ms, for what is not kept yet

    address = remote_address(place, told)
    if not address.url.startswith("file://"):
        return address, address.url
    from urllib.parse import unquote  # as above

    return address, unquote(address.url.removeprefix("file://"))


def _roots(place: Place) -> list[str]:
    listed = run(place.folder, "rev-list", "--max-parents=0", "HEAD", "--", seconds_max=READ_SECONDS_MAX)
    if listed.code and _UNBORN not in listed.complained:
        raise NotFound(f"git cannot follow the history of {place.folder} ({listed.complaint}); mend it")
    return listed.text.splitlines()


def _named(address: "RemoteAddress", source: str, *, is_lasting: bool) -> Derivation:
    try:
        found = identity_of(address.url)
    except Invalid:  # which git can fetch from all the same: a path with a blank in it, say
        return Derivation(identity=f"folder:{_hashed(address.url)}", source=source, is_lasting=is_lasting)
    also = [name for url in (address.url, *address.others) for name in (*_identities(url), *earlier_identities(url))]
    others = tuple(dict.fromkeys(one for one in also if one != found))
    return Derivation(identity=found, source=source, others=others, is_lasting=is_lasting)


def _identities(url: str) -> tuple[str, ...]:
    try:
        return (identity_of(url),)
    except Invalid:
        return ()


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
