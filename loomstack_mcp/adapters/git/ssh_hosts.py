"""The host that SSH connects to for a name, by `Host` and `HostName` of its settings (ssh_config(5)).

Read here, for `ssh -G` would run the programs that `Match exec` names: what stands under `Match` does not count.
"""

import glob
import os
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

_SYSTEM = Path("/etc/ssh")
_INCLUDES_MAX = 16
_BYTES_MAX = 1_000_000
_LINE = re.compile(r"\s*([A-Za-z]+)(?:\s*=\s*|\s+)(.*?)\s*")


def ssh_host(name: str) -> tuple[str, str]:
    """The real host and port for a name; the port is "" where none is set. The first value of each counts."""
    found: dict[str, str] = {}
    own = Path(os.path.expanduser("~/.ssh"))  # noqa: PTH111 Path.expanduser fails for a user without a home
    for folder, file in ((own, "config"), (_SYSTEM, "ssh_config")):
        for keyword, value in _applying(folder, (folder / file,), name.lower()):
            found.setdefault(keyword, value.strip('"'))
    host = found.get("hostname", name).replace("%h", name).replace("%%", "%")
    return host, found.get("port", "")


def _applying(folder: Path, files: tuple[Path, ...], name: str) -> Iterator[tuple[str, str]]:
    """The settings that hold for a name: of the last of `files`, which the others include, and what that includes."""
    applies = True
    for line in _lines(files[-1]):
        if not (match := _LINE.fullmatch(line)):
            continue
        keyword, value = match[1].lower(), match[2]
        if keyword == "host":
            applies = _matches(name, value)
        elif keyword == "match":
            applies = False
        elif applies and keyword == "include" and len(files) < _INCLUDES_MAX:
            for included in _included(folder, value):
                if included not in files:
                    yield from _applying(folder, (*files, included), name)
        elif applies:
            yield keyword, value


def _lines(file: Path) -> list[str]:
    try:
        with file.open(encoding="utf-8", errors="replace") as opened:
            return opened.read(_BYTES_MAX).splitlines()
    except OSError:
        return []


def _included(folder: Path, patterns: str) -> Iterator[Path]:
    for pattern in patterns.split():
        whole = folder / os.path.expanduser(pattern.strip('"'))  # noqa: PTH111 as above
        yield from map(Path, sorted(glob.glob(str(whole))))  # noqa: PTH207 Path.glob fails for some patterns


def _matches(name: str, patterns: str) -> bool:
    """One of the patterns has to fit, and none that is negated."""
    words = [word.strip('"').lower() for word in patterns.split()]
    fits = {word for word in words if fnmatchcase(name, word.removeprefix("!").replace("[", "[[]"))}
    return bool(fits) and not any(word.startswith("!") for word in fits)
