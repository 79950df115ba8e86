"""The rules of a worktree as they were when no file that decides them was other than it is now."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from loomstack_mcp.adapters.policy.cache import BUILTIN_FILE, ENGINE, cache_secret, keep_under, kept_under
from loomstack_mcp.core.policy.rules import Rulebook

FOLDER = "policies"


def deciding_paths(root: Path, home: str) -> Iterator[str]:
    """The built-in rules, and the folders of the worktree's and the organisation's with all in them, there or not."""
    yield str(BUILTIN_FILE)
    for folder in (f"{root}/{FOLDER}", f"{home}/{FOLDER}"):
        yield folder
        with suppress(OSError):
            yield from sorted(entry.path for entry in os.scandir(folder))


def book_under(home: str, stamp: str) -> Rulebook | None:
    """The rules that were kept under a stamp; None where none were, or the folder of LoomStack is not there."""
    secret = cache_secret(Path(home)) if os.path.isdir(home) else b""  # noqa: PTH112 a hook makes no home
    return kept_under(Path(home), _key(stamp), secret=secret) if secret else None


def keep_book(home: str, stamp: str, book: Rulebook) -> None:
    """Keep rules under the stamp that the files had before they were read."""
    if os.path.isdir(home) and (secret := cache_secret(Path(home))):  # noqa: PTH112
        keep_under(Path(home), _key(stamp), book, secret=secret)


def _key(stamp: str) -> str:
    return hashlib.sha256(f"{ENGINE} {stamp}".encode("utf-8", "surrogateescape")).hexdigest()
