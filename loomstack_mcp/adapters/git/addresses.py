"""Where a remote really is: its URL as git rewrites it, and the host that SSH connects to for it."""

import re
from collections.abc import Sequence

from loomstack_mcp.adapters.git.discovery import Place
from loomstack_mcp.adapters.git.run import as_text, run
from loomstack_mcp.adapters.git.ssh_hosts import ssh_host
from loomstack_mcp.core.errors import NotFound
from loomstack_mcp.core.records import record
from loomstack_mcp.core.repos import is_forge

_RULES = r"^url\..*\.(insteadof|pushinsteadof)$"
_NONE = 1
"""How git-config(1) ends where nothing matches."""
_SSH = re.compile(r"(?:ssh|git\+ssh|ssh\+git)://(?:[^/@]*@)?(?P<host>[^/:@\[\]]+)(?P<port>:\d+)?/(?P<path>.*)", re.I)
_SCP = re.compile(r"(?:[^/@]*@)?(?P<host>[^/:@\[\]]+):(?P<port>)(?!//|:)(?P<path>.+)")
_NOWHERE = re.compile(r"localhost|[\d.]+|.*:.*")

_Rules = Sequence[tuple[str, str]]
"""Pairs of a beginning and what stands in its place."""


@record
class RemoteAddress:
    """A remote's address."""

    url: str
    through: str = ""
    """By which settings it was found, in words."""
    others: tuple[str, ...] = ()
    """The URL as it was written, and those to which the same is pushed."""
    by_ssh: bool = False
    """Whether the settings of SSH were asked where one of them leads."""


def remote_address(place: Place, url: str) -> RemoteAddress:
    """Where git fetches from for a URL. Raises NotFound where it cannot read its settings.

    A person's settings count here, for they are git's own word: `url.BASE.insteadOf` by its longest match
    (git-config(1)), then the host of an alias in `~/.ssh/config` (ssh_config(5)).
    """
    fetched, pushed = _rules(place)
    plain = _rewritten(url, fetched)
    real = _connected(plain)
    through = [name for name, is_used in (("url.insteadOf", plain != url), ("ssh_config", real != plain)) if is_used]
    pushed_to = _rewritten(url, pushed)
    also = (url, plain, _connected(pushed_to))
    return RemoteAddress(
        url=real,
        through=f" through {' and '.join(through)}" if through else "",
        others=tuple(dict.fromkeys(one for one in also if one != real)),
        by_ssh=bool(_by_ssh(plain) or _by_ssh(pushed_to)),
    )


def _rules(place: Place) -> tuple[_Rules, _Rules]:
    ran = run(place.folder, "config", "--null", "--get-regexp", _RULES)
    if ran.code not in (0, _NONE):
        # What git will not read is not another repository: that would hold nothing of what the real one holds.
        raise NotFound(f"the settings of {place.folder} cannot be read ({ran.complaint}); mend them")
    fetched: list[tuple[str, str]] = []
    pushed: list[tuple[str, str]] = []
    for entry in as_text(ran.printed).split("\0")[:-1]:
        name, _, beginning = entry.partition("\n")
        base, _, kind = name.removeprefix("url.").rpartition(".")
        (fetched if kind == "insteadof" else pushed).append((beginning, base))
    return fetched, pushed


def _rewritten(url: str, rules: _Rules) -> str:
    fitting = [rule for rule in rules if url.startswith(rule[0])]
    if not fitting:
        return url
    beginning, base = max(fitting, key=lambda rule: len(rule[0]))
    return base + url[len(beginning) :]


def _connected(url: str) -> str:
    """The same with the host that SSH connects to, where its settings give it another one, or a port."""
    match = _by_ssh(url)
    if match is None:
        return url
    host, port = ssh_host(match["host"])
    if _NOWHERE.fullmatch(host):  # a tunnel, say: the name tells more than where it leads
        return url
    port = match["port"] or (f":{port}" if port else "")
    if (host, port) == (match["host"], match["port"]):
        return url
    return f"ssh://{host}{port}/{match['path']}"


def _by_ssh(url: str) -> re.Match[str] | None:
    """The parts of an address for whose host SSH may have another; None for those of the forges, and other kinds."""
    match = _SSH.fullmatch(url) or ("://" not in url and _SCP.fullmatch(url)) or None
    return None if match is None or is_forge(match["host"]) else match
