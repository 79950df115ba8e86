"""Repos: one identity for one repository, whatever the clone."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.limits import NAME_CHARS_MAX

ORG = "org"
"""The repo id of notes that hold for every repo, which therefore is no repository's."""

_DEFAULT_PORTS = {"ssh": 22, "git": 9418, "http": 80, "https": 443}
_SCP = re.compile(r"^(?:[^@/:]+@)?(?P<host>\[[^\]]+\]|[^/:\[\]]+):(?P<path>(?!//).+)$")  # git-clone(1), "GIT URLS"
_NAME = re.compile(r"[^\s\x00-\x1f\x7f\ud800-\udfff]+")


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """What a worktree says of itself."""

    identity: str
    """The repo's name over all clones: its origin, or `root:…` or `folder:…` where it has none."""
    clone: str = ""
    """This clone's own name, `clone:HASH`; ties a repo to the identity it had before it got an origin."""
    branch: str = ""
    worktree: str = ""
    ignore_case: bool = False


def provisional(identity: str, /) -> bool:
    """Whether a clone has this identity only for want of an origin, so that a later origin replaces it."""
    return identity.startswith(("root:", "folder:"))


def identity_of(name: str, /) -> str:
    """The identity that a URL, an scp-like address or a plain name of a repository stands for.

    The host in lower case; user, default port, leading and trailing slashes and `.git` dropped.
    Raises Invalid for an empty or unspeakable name, and for the one under which notes hold for every repo.
    """
    identity = _spelled(name.strip())
    if identity == ORG:
        raise Invalid(f"a repository named {ORG} would speak to every other: give it another name")
    return identity


def _spelled(name: str) -> str:
    if not name or len(name) > NAME_CHARS_MAX * 2 or not _NAME.fullmatch(name):
        raise Invalid("repo is no name of a repository: pass its URL, or leave it out inside a worktree")
    if "://" in name:
        host, path = _split(name)
    elif match := _SCP.match(name):
        host, path = match["host"].lower(), match["path"]
    else:
        return _stripped(name)
    return f"{host}/{_stripped(path)}" if host else _stripped(path)


def _split(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Invalid(f"repo is no URL of a repository: {error}") from None
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host  # an IPv6 address keeps the brackets that an scp-like one has
    if port and port != _DEFAULT_PORTS.get(parts.scheme):
        host = f"{host}:{port}"
    return host, parts.path


def _stripped(path: str) -> str:
    return path.strip("/").removesuffix(".git").rstrip("/") or "/"
