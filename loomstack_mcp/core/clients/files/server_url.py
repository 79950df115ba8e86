"""Which address of a team's server may be written into a repository."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from loomstack_mcp.core.errors import Invalid


def usable_url(url: str, /) -> str:
    """The URL, where it is one that a client can use, nobody on the way can listen in on, and that holds no secret.

    Raises Invalid with the reason. The message never shows the URL: it may hold a password.
    """
    if reason := _objection(url):
        raise Invalid(f"--url {reason}; nothing was changed")
    return url


def _objection(url: str) -> str:
    if not url:
        return "is empty; leave it out for a server per session"
    # urlsplit drops some of these without a word, and TOML forbids others.
    if " " in url or not url.isprintable():
        return "has a blank or a control character in it"
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return "is no URL"
    if parts.scheme not in ("http", "https"):
        found = f"not {parts.scheme}://" if parts.netloc else "as in https://host/mcp"
        return f"must start with https://, or with http:// for a loopback address, {found}"
    if "@" in parts.netloc:
        return (
            "has a user name or password in it, and the files are meant to be committed; leave it out, "
            "and export the token as LOOMSTACK_TOKEN, which the files refer to"
        )
    return _objection_to_host(url, parts.scheme, host or "")


def _objection_to_host(url: str, scheme: str, host: str) -> str:
    if not host:
        return "has no host in it"
    if not _has_port(url):
        return "has a port that is no number from 1 to 65535"
    if scheme == "http" and not _is_loopback(host):
        return "would send the token in clear text; use https://, or a loopback address"
    return ""


def _has_port(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
