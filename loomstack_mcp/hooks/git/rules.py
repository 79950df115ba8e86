"""Whether any rule here may look at a commit's message: told by the text of the files, without loading them."""

import os
from collections.abc import Iterator
from pathlib import Path

from loomstack_mcp.adapters.git.discovery import Place
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.settings import load_settings

_FOLDER = "policies"
_WORD = b"message"
"""The key of such a rule. A quoted one may be spelled with escapes, and so a backslash counts as well."""
_ESCAPE = b"\\"


def may_judge_messages(place: Place) -> bool:
    """False only where surely no rule does: the built-in ones do not."""
    settings = load_settings({})
    own = [Path(settings.rules_home), *([place.root] if place.root else [])]
    if settings.rules_home != settings.home and not (own[0] / _FOLDER).exists():  # the hub's were not read yet
        return True
    if any(_may_ask(content) for folder in own for content in _files(folder / _FOLDER)):
        return True
    with Repository(place) as repo:
        return any(map(_may_ask, _landed(repo)))


def _landed(repo: Repository) -> Iterator[bytes]:
    """The files of the trunk; what cannot be read may say anything."""
    commit = repo.commit(repo.trunk) if repo.trunk else ""
    top = repo.objects.entries(f"{commit}^{{tree}}") if commit else {}
    if top is not None and _FOLDER not in top:
        return
    names = repo.objects.entries(top[_FOLDER].id) if top else None
    for found in map(repo.objects.object_named, (entry.id for entry in names.values()) if names else ("",)):
        yield (found and found.content) or _ESCAPE


def _may_ask(content: bytes) -> bool:
    return _WORD in content or _ESCAPE in content


def _files(folder: Path) -> Iterator[bytes]:
    try:
        for entry in os.scandir(folder):
            if entry.is_file():
                yield Path(entry.path).read_bytes()
    except FileNotFoundError:
        return
