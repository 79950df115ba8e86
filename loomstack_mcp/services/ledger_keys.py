"""The key of a store, of which that of each repo's lines is made: whether two stores share it, and a new one."""

import os
from collections.abc import Sequence

from loomstack_mcp.services import events
from loomstack_mcp.services.landed import CHANGES
from loomstack_mcp.services.repos import REPOS
from loomstack_mcp.store import queries
from loomstack_mcp.store.base import Store

ERASING = queries.statements("erasing")
COPYING = queries.statements("copying")
ATTRIBUTIONS = queries.statements("attributions")
_KEY_BYTES = 32


def one_key(source: Store, target: Store, *, is_tried: bool = False) -> bool:
    """Whether both stores have one key; a store that has none yet takes the other's."""
    ours, theirs = _key_of(source), _key_of(target)
    if ours and not theirs:
        if not is_tried:
            with target.append() as tx:
                tx.run(CHANGES["make_key"], key=ours)
        return True
    return bool(ours) and ours == theirs


def rotated_key(store: Store, *, who: str) -> Sequence[str]:
    """Lines are hashed with a new key from now on, and all that was hashed is forgotten; returns the repos.

    At once: whoever still has the old key finds that it is another one, and never a ledger that is merely empty.
    """
    with store.append() as tx:
        tx.run(CHANGES["drop_key"])  # first, behind all who fill a ledger by it
        tx.run(CHANGES["make_key"], key=os.urandom(_KEY_BYTES))
        ids = sorted(str(row["id"]) for row in tx.all(REPOS["ids"]))
        for repo_id in ids:
            tx.later(REPOS["hold"], repo_id=repo_id)  # before what is of it, as everybody does
            for statement in (
                *(REPOS["forget_landed"], REPOS["forget_landed_paths"], REPOS["unfill"]),
                *(ERASING["forget_imprints"], COPYING["unprint"], ATTRIBUTIONS["forget_line_keys"]),
            ):
                tx.later(statement, repo_id=repo_id)
            events.append(tx, repo_id, "ledger.emptied", about="key", payload={"who": who})
    return ids


def _key_of(store: Store) -> bytes:
    with store.read() as tx:
        return b"".join(bytes(row["key"]) for row in tx.all(CHANGES["key"]))
