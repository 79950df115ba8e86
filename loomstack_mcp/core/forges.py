"""Where a forge shows a commit, told from the address of a remote."""

import re
from types import MappingProxyType

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.repos import identity_of, is_forge

_WORDS = MappingProxyType(
    {"github": "commit", "ghe": "commit", "gitlab": "-/commit", "gitea": "commit", "forgejo": "commit"}
)
"""What stands before the id of a commit, by a word in the host's name: people name their own after what it runs."""
_HOSTS = MappingProxyType({"bitbucket.org": "commits", "codeberg.org": "commit", "dev.azure.com": "commit"})
_PULL = re.compile(
    r"(https?://[^\s?#]{1,300}?)/(?:pull|pulls|-/merge_requests|merge_requests|pull-requests|pullrequest)/(\d{1,9})(?![\w.])"
)
"""As GitHub, Gitea, GitLab, Bitbucket and Azure DevOps have it."""
_PATH = re.compile(r"[\w.~+%@-]+(?:/[\w.~+%@-]+)+", re.ASCII)
_HOST = re.compile(r"[a-z0-9.-]+(?::\d{1,5})?")


def commit_pages(url: str, /) -> str:
    """An address that lacks the id of a commit at its end; "" where no forge is known there.

    Of a remote by SSH the port is dropped, for the forge's pages have another. Users and tokens are no part of it.
    """
    try:
        host, _, path = identity_of(url).partition("/")
    except Invalid:
        return ""
    is_web = url.strip().lower().startswith(("http://", "https://"))
    host = host if is_web else host.partition(":")[0]
    word = _word_of(host.partition(":")[0])
    if not word or not _HOST.fullmatch(host) or not _PATH.fullmatch(path):
        return ""
    is_plain = url.strip().lower().startswith("http://") and not is_forge(host)
    return f"{'http' if is_plain else 'https'}://{host}/{path}/{word}/"


def pull_of(url: str, /) -> tuple[str, int] | None:
    """The repository, by its identity, and the number of a pull or merge request, by the address of its page."""
    found = _PULL.match(url.strip())
    if not found:
        return None
    try:
        return identity_of(found[1]), int(found[2])
    except Invalid:
        return None


def _word_of(host: str) -> str:
    if host in _HOSTS:
        return _HOSTS[host]
    parts = re.split(r"[.-]", host)
    return next((word for name, word in _WORDS.items() if name in parts), "")
