"""A clone's own settings: read from its files where those are plain, as most are, and asked of git where not."""

import os
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from loomstack_mcp.adapters.git.discovery import Place
from loomstack_mcp.adapters.git.run import as_text, run
from loomstack_mcp.core.errors import NotFound

_SECTION = re.compile(r'\[([A-Za-z0-9-]+)(?: "([^"\\]*)")?\]')
_VARIABLE = re.compile(r'([A-Za-z][A-Za-z0-9-]*)\s*(?:=\s*([^"\\#;]*))?')
_REMOTE_URL = re.compile(r"remote\.(.+)\.url", re.DOTALL)
_BLANK = re.compile(r"\s*(?:[#;].*)?")
_OWN = ("local", "worktree")

CloneSettings = Mapping[str, tuple[str, ...]]
"""All values of each name, as git-config(1) spells it: section and variable in lower case."""


class Remote(NamedTuple):
    """Where a clone fetches from."""

    name: str
    url: str


def clone_settings(place: Place) -> CloneSettings:
    """What the clone itself sets. Raises NotFound where git cannot read it."""
    files = [place.common_dir / "config", place.git_dir / "config.worktree"]
    texts = [file.read_bytes() for file in files if os.access(file, os.R_OK)]
    plain = _plain("\n".join(map(as_text, texts)))
    return _asked(place) if plain is None else plain


def default_remote(settings: CloneSettings, usual: tuple[str, ...]) -> str:
    """Where a clone belongs: its origin, or its only remote, or that of a local branch of a usual name; else "".

    Whatever branch is checked out: a clone is of one repository.
    """
    named = [remote.name for remote in remotes(settings)]
    if "origin" in named or len(named) < 2:
        return "origin" if "origin" in named else "".join(named)
    tracked = (settings.get(f"branch.{name}.remote", ("",))[-1] for name in usual)
    return next((name for name in (*tracked, "upstream") if name in named), "")


def remotes(settings: CloneSettings) -> tuple[Remote, ...]:
    """The clone's remotes; git fetches from the first URL of each."""
    found = ((_REMOTE_URL.fullmatch(name), values[0]) for name, values in settings.items())
    return tuple(Remote(name[1], url) for name, url in found if name)


def is_partial(settings: CloneSettings) -> bool:
    """Whether objects may come only when somebody asks for them (git-clone(1), --filter)."""
    return "extensions.partialclone" in settings or any(name.endswith(".promisor") for name in settings)


def _plain(text: str) -> CloneSettings | None:
    """The settings of a file that a line-by-line reader understands; None for quotes, escapes and includes."""
    found: dict[str, tuple[str, ...]] = {}
    section = ""
    for line in map(str.strip, text.split("\n")):
        if _BLANK.fullmatch(line):
            continue
        if header := _SECTION.fullmatch(line):
            section = f"{header[1].lower()}.{header[2]}." if header[2] is not None else f"{header[1].lower()}."
            if section.startswith("include"):
                return None
        elif section and (variable := _VARIABLE.fullmatch(line)):
            name = f"{section}{variable[1].lower()}"
            found[name] = (*found.get(name, ()), "true" if variable[2] is None else variable[2].rstrip())
        else:
            return None
    return found


def _asked(place: Place) -> CloneSettings:
    ran = run(place.folder, "config", "--null", "--show-scope", "--list")
    if ran.code:
        # What git will not read is not another repository: that would hold nothing of what the real one holds.
        raise NotFound(f"the settings of {place.folder} cannot be read ({ran.complaint}); mend them")
    found: dict[str, tuple[str, ...]] = {}
    for name, value in _listed(as_text(ran.printed)):
        found[name] = (*found.get(name, ()), value)
    return found


def _listed(printed: str) -> Iterator[tuple[str, str]]:
    fields = iter(printed.split("\0")[:-1])
    for scope, entry in zip(fields, fields, strict=True):
        name, equals, value = entry.partition("\n")
        if scope in _OWN:  # what a person's own file says of a remote is nobody's identity
            yield name, value if equals else "true"
