"""What a client's files say to `doctor`, whatever is in them: absent, broken, or of another shape than expected."""

import json
import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any

from loomstack_mcp.adapters.git.worktree import Worktree
from loomstack_mcp.adapters.install.doctor import Check
from loomstack_mcp.core.records import record

Entries = Mapping[str, Any]

_FILE_BYTES_MAX = 20_000_000


@record
class Surroundings:
    """Where somebody starts a client."""

    worktree: Worktree
    home: Path
    environment: Mapping[str, str]

    @property
    def root(self) -> Path:
        """The worktree that they stand in."""
        return self.worktree.root

    @property
    def main(self) -> Path:
        """The clone's main worktree, by which both clients know all its worktrees."""
        common = self.worktree.common_dir
        return common.parent if common.name == ".git" else self.root

    @property
    def roots(self) -> tuple[Path, ...]:
        """The worktree, and the main one where that is another."""
        return (self.root,) if self.root == self.main else (self.root, self.main)

    def tracks(self, root: Path, path: str) -> bool:
        """Whether git tracks a file in one of the `roots`."""
        return replace(self.worktree, root=root).tracks(path)


@record
class Client:
    """What was found out about a client, and what it would start or call here."""

    name: str
    checks: tuple[Check, ...]
    is_there: bool = True
    """Whether it is on PATH."""
    entry: Entries = field(default_factory=dict)
    """Its entry for our server; empty where it has none that counts."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """What a server that it starts would get."""
    hooks: tuple[str, ...] = ()
    """The commands of ours that it runs, one for each event that has one."""
    is_approved: bool = False
    """Whether a person, in a file that no repository brings along, agreed to this entry."""
    denied: tuple[tuple[Path, str], ...] = ()
    """Every rule by which its settings deny something, with the file."""


class SettingsReader:
    """Reads a client's files, and remembers those that nobody can read."""

    def __init__(self, client: str) -> None:
        self._client = client
        self.broken: list[Check] = []
        """One for each of those."""

    def json(self, path: Path) -> Entries:
        """What is in a JSON file; empty where there is none, or none that can be read."""
        return self._read(path, json.loads)

    def toml(self, path: Path) -> Entries:
        """The same of a TOML file."""
        return self._read(path, tomllib.loads)

    def _read(self, path: Path, parsed: Callable[[str], object]) -> Entries:
        try:
            # A link to a device never ends, so it is not opened.
            if not path.is_file():
                return self._unreadable(path, "it is no file") if os.path.lexists(path) else {}
            with path.open("rb") as file:
                # Both clients take a byte order mark (run on 2.1.330 and 0.169.0, 2026-11).
                found = parsed(file.read(_FILE_BYTES_MAX).decode("utf-8-sig"))
        except OSError as error:
            return self._unreadable(path, str(error.strerror))
        except (ValueError, RecursionError) as error:
            return self._unreadable(path, str(error) or type(error).__name__)
        return found if isinstance(found, dict) else self._unreadable(path, "it holds no object")

    def _unreadable(self, path: Path, reason: str) -> Entries:
        found, mend = f"{path} cannot be read: {reason}", f"mend {path}, or move it away"
        self.broken.append(Check(check=self._client, status="fail", found=found, mend=mend))
        return {}


def table_at(tree: Entries, *names: str) -> Entries:
    """The object below these names; empty where there is none."""
    for name in names:
        found = tree.get(name)
        tree = found if isinstance(found, dict) else {}
    return tree


def text_at(tree: Entries, name: str) -> str:
    """A text; "" where there is none."""
    found = tree.get(name)
    return found if isinstance(found, str) else ""


def words_at(tree: Entries, name: str) -> tuple[str, ...]:
    """The texts of a list; whatever else is in it, or there instead of it, is left out."""
    found = tree.get(name)
    return tuple(each for each in found if isinstance(each, str)) if isinstance(found, list) else ()


def texts_at(tree: Entries, name: str) -> dict[str, str]:
    """The texts of an object."""
    return {key: value for key, value in table_at(tree, name).items() if isinstance(value, str)}


def tables_at(tree: Entries, name: str) -> Iterator[tuple[int, Entries]]:
    """The objects of a list, each with its index among all that is in it."""
    found = tree.get(name)
    for index, each in enumerate(found if isinstance(found, list) else ()):
        if isinstance(each, dict):
            yield index, each
