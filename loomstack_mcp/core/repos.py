"""Repos: one identity for one repository, whatever the clone."""

import re

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.limits import NAME_CHARS_MAX
from loomstack_mcp.core.records import record

ORG = "org"
"""The repo id of notes that hold for every repo, which therefore is no repository's."""

_DEFAULT_PORTS = {"ssh": 22, "git+ssh": 22, "ssh+git": 22, "git": 9418, "http": 80, "https": 443}
_SCHEMES = frozenset({*_DEFAULT_PORTS, "file", "ftp", "ftps"})
"""Of git's own; the address of another (`codecommit://`) is no host and path."""
# Expressions are compiled where they are needed, which few hooks do: all of them take 1 ms.
_HELPER = r"[A-Za-z0-9]+::"  # gitremote-helpers(7)
_ALSO_HOSTS = {
    **dict.fromkeys(("ssh.github.com", "ssh.github.com:443", "www.github.com"), "github.com"),
    **dict.fromkeys(("altssh.gitlab.com", "altssh.gitlab.com:443"), "gitlab.com"),
    **dict.fromkeys(("altssh.bitbucket.org", "altssh.bitbucket.org:443"), "bitbucket.org"),
}
"""Where forges answer SSH on the port of HTTPS, and other names of theirs."""
_FORGES = (
    *("github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "gitea.com"),
    *("dev.azure.com", "ssh.dev.azure.com"),
)
_FORGE_DOMAINS = (".visualstudio.com", ".ghe.com")
"""Hosts to which the letter case of owner and name means nothing."""
_AZURE_SSH = r"(?:ssh\.dev\.azure|vs-ssh\.visualstudio)\.com/v3/([^/]+)/([^/]+)/([^/]+)"
_AZURE_EARLIER = r"([^/.]+)\.visualstudio\.com/(?:defaultcollection/)?([^/]+)/_git/([^/]+)"
_PROVISIONAL = r"(?:root|folder):[0-9a-f]{16}"
_HOST_AND_PORT = r"(?i)(?:\[[0-9a-f:.]+\]|[^/:@\[\]]+):\d{1,5}/.+"
_USER = r"^[^/@]*@(?=[^/@]+:)"
_USER_OF_NAME = r"^[^/@]*@(?=[^/@]+\.[^/@]+/)"
_LOGIN = r"^[^/@:]*:[^/@]*@"
_USER_OF_URL = r"(?<=//)[^/@]*@"
_SCP = r"^(?P<host>\[[^\]]+\]|[^/:\[\]]+):(?P<path>(?!//).+)$"  # git-clone(1), "GIT URLS"
_UNSEEN = (
    r"\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Letters that nobody sees: Default_Ignorable_Code_Point (UAX 44)."""
_NAME = rf"[^\s\x00-\x1f\x7f-\x9f\ud800-\udfff{_UNSEEN}]+"
"""Without those: by them a repository would be called as another one is."""


@record
class Checkout:
    """What a worktree says of itself."""

    identity: str
    """The repo's name over all clones: its origin, or `root:…` or `folder:…` where it has none."""
    clone: str = ""
    """This clone's own name, `clone:HASH`; ties a repo to the identity it had before it got an origin."""
    others: tuple[str, ...] = ()
    """What earlier versions, or other clones, may call the same repo; they count where the identity is unknown."""
    branch: str = ""
    worktree: str = ""
    ignore_case: bool = False


@record
class Bearing:
    """What git said of a worktree."""

    stamp: str
    """Of the files that decide it."""
    system: str
    """The file of git's settings for the machine, which is one of them."""
    settings: str
    """The text of the settings that the trunk has."""
    identity: str
    others: tuple[str, ...] = ()


@record
class RepoNames:
    """A repo that a store knows."""

    repo_id: str
    names: tuple[str, ...] = ()
    """What else it is called."""
    clones: int = 0
    """How many clones of it were seen."""


@record
class RepoAlias:
    """A name that stands for a repo from now on."""

    name: str
    repo_id: str
    joined: str = ""
    """The repo that the name stood for until now, all of which is that repo's now; "" where there was none."""


def is_repo_name(name: str, /) -> bool:
    """Whether a repo, or a clone of one, can be called so: one word, of a length that can be kept."""
    return len(name) <= NAME_CHARS_MAX * 2 and bool(re.fullmatch(_NAME, name))


def provisional(identity: str, /) -> bool:
    """Whether a clone has this identity only for want of an origin, so that a later origin replaces it."""
    return identity.startswith(("root:", "folder:"))


def identity_of(name: str, /) -> str:
    """The identity that a URL, an scp-like address or a plain name of a repository stands for, as git reads it.

    The host in lower case; user, default port, leading and trailing slashes and `.git` dropped; where the host ignores
    letter case, all of it in lower case. Raises Invalid for an empty or unspeakable name, and for the one under which
    notes hold for every repo.
    """
    identity = _folded(_spelled(name.strip()))
    if identity == ORG:
        raise Invalid(f"a repository named {ORG} would speak to every other: give it another name")
    return identity


def named_identity(name: str, /) -> str:
    """The same of a name that somebody gives, which may also be an identity as it was printed.

    `host:2222/a` is that port of the host, where git's scp-like address would be a folder there. Raises Invalid.
    """
    name = name.strip()
    if re.fullmatch(_PROVISIONAL, name):
        return name
    if re.fullmatch(_HOST_AND_PORT, name):
        return identity_of(f"ssh://{name}")
    return identity_of(name)


def without_password(name: str, /) -> str:
    """A URL or name as it may be shown: without user and password, one of which may be a token."""
    return re.sub(_USER_OF_URL, "", name) if "://" in name else re.sub(_LOGIN, "", name)


def earlier_identities(name: str, /) -> tuple[str, ...]:
    """What earlier versions took a URL or name to stand for, where that differs; a store may know it so."""
    try:
        return tuple({_spelled(name.strip())} - {named_identity(name), ORG})
    except Invalid:
        return ()


def is_forge(host: str, /) -> bool:
    """Whether a host is a known forge, to which letter case means nothing."""
    return host.lower() in _FORGES or host.lower().endswith(_FORGE_DOMAINS)


def _folded(identity: str) -> str:
    host, slash, path = identity.partition("/")
    host = host.lower() if slash and "." in host else host
    host = _ALSO_HOSTS.get(host, host)
    if is_forge(host):
        path = path.lower()
    identity = f"{host}{slash}{path}"
    azure = re.fullmatch(_AZURE_SSH, identity) or re.fullmatch(_AZURE_EARLIER, identity)
    return azure.expand(r"dev.azure.com/\1/\2/_git/\3") if azure else identity


def _spelled(name: str) -> str:
    if not is_repo_name(name):
        raise Invalid("repo is no name of a repository: pass its URL, or leave it out inside a worktree")
    if re.match(_HELPER, name) or ("://" in name and name.partition("://")[0].lower() not in _SCHEMES):
        return re.sub(_USER_OF_URL, "", name).rstrip("/")
    if "://" in name:
        host, path = _split(name)
    else:
        name = re.sub(_USER, "", name, count=1)  # it may hold a token, and is no part of any identity
        match = re.match(_SCP, name)
        host, path = (match["host"].lower(), match["path"]) if match else ("", re.sub(_USER_OF_NAME, "", name))
    return f"{host}/{_stripped(path)}" if host else _stripped(path)


def _split(url: str) -> tuple[str, str]:
    from urllib.parse import urlsplit  # 5 ms, which a hook need not spend where a repository is known

    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # whose text may quote a password
        raise Invalid("repo is no URL of a repository: its host or port makes no sense; write it anew") from None
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host  # an IPv6 address keeps the brackets that an scp-like one has
    if port and port != _DEFAULT_PORTS.get(parts.scheme):
        host = f"{host}:{port}"
    return host, parts.path


def _stripped(path: str) -> str:
    return path.strip("/").removesuffix(".git").rstrip("/") or "/"
