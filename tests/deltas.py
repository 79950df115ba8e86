"""What would land, asked of a folder: each question by a look at the repository of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loomstack_mcp.adapters.git import blobs
from loomstack_mcp.adapters.git.blobs import FileTree, tree_of
from loomstack_mcp.adapters.git.delta import landing_delta, push_delta, staged_delta
from loomstack_mcp.adapters.git.discovery import place_at
from loomstack_mcp.adapters.git.plain import Delta
from loomstack_mcp.adapters.git.repository import Repository


@contextmanager
def opened_repository(folder: Path, *, quarantined: bool = False) -> Iterator[Repository]:
    with Repository(place_at(folder), quarantined=quarantined) as repo:
        yield repo


def landing(folder: Path, base: str, head: str) -> Delta:
    with opened_repository(folder) as repo:
        return landing_delta(repo, base, head)


def staged(folder: Path) -> Delta:
    with opened_repository(folder) as repo:
        return staged_delta(repo)


def pushed(
    folder: Path, old: str, new: str, *, trunk: str = "", excused: bool = True, quarantined: bool = False
) -> Delta:
    with opened_repository(folder, quarantined=quarantined) as repo:
        return push_delta(repo, old, new, trunk=trunk, excused=excused)


def tree(folder: Path, name: str) -> FileTree:
    with opened_repository(folder) as repo:
        return tree_of(repo, name)


@contextmanager
def Blobs(folder: Path, *, quarantined: bool = False) -> Iterator[blobs.Blobs]:  # noqa: N802 as the class it opens
    with opened_repository(folder, quarantined=quarantined) as repo:
        yield blobs.Blobs(repo)
