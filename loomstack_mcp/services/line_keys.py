"""The key of a repo's lines, made of the store's; and that nothing is compared across two of them."""

import hmac

from loomstack_mcp.core.errors import StoreUnavailable
from loomstack_mcp.services.landed import CHANGES
from loomstack_mcp.store.base import Statement, Tx


def line_key(store_key: bytes, repo_id: str, /) -> bytes:
    """Who has it confirms no line of another repo."""
    return hmac.digest(store_key, f"lines {repo_id}".encode("utf-8", "surrogateescape"), "sha256")


def refuse_other_key(tx: Tx, repo_id: str, told_name: str, /) -> None:
    """A repo that moved, and a store with a new key, compare nothing with what the old one hashed.

    Raises StoreUnavailable, unless nobody said of which key it is.
    """
    _refuse(tx, CHANGES["key"], repo_id, told_name)


def hold_key(tx: Tx, repo_id: str, told_name: str, /) -> None:
    """The same, and nobody gets the store another key before this transaction ends: asked before it writes."""
    _refuse(tx, CHANGES["hold_key"], repo_id, told_name)


def _refuse(tx: Tx, asked: Statement, repo_id: str, told_name: str) -> None:
    if not told_name:
        return
    from loomstack_mcp.core.changes.lines import key_name  # which most calls do without

    keys = [bytes(row["key"]) for row in tx.all(asked)]
    if told_name not in [key_name(line_key(key, repo_id)) for key in keys]:
        raise StoreUnavailable(
            f"the lines of {repo_id} are hashed with another key by now, as it was joined with another repository, or "
            "the store got a new key; or these are of another one. None of these was kept or compared: do it again, in "
            "a worktree of it"
        )
