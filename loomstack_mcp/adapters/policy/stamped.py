"""The rules of a worktree as they were when no file that decides them was other than it is now."""

import hashlib
from pathlib import Path

from loomstack_mcp.adapters.policy.cache import ENGINE, cache_secret, keep_under, kept_under
from loomstack_mcp.core.policy.rules import Rulebook


def book_under(home: str, stamp: str) -> Rulebook | None:
    """The rules that were kept under a stamp; None where none were."""
    secret = cache_secret(Path(home))
    return kept_under(Path(home), _key(stamp), secret=secret) if secret else None


def keep_book(home: str, stamp: str, book: Rulebook) -> None:
    """Keep rules under the stamp that the files had before they were read."""
    if secret := cache_secret(Path(home)):
        keep_under(Path(home), _key(stamp), book, secret=secret)


def _key(stamp: str) -> str:
    return hashlib.sha256(f"{ENGINE} {stamp}".encode("utf-8", "surrogateescape")).hexdigest()
