"""By which key the lines of a whole store are hashed: whether two stores share it, and what a new one costs."""

import os
from collections.abc import Sequence

from loomstack_mcp.core.records import record
from loomstack_mcp.services import events
from loomstack_mcp.services.hub_keys import HUB_KEY, TOKENS
from loomstack_mcp.services.landed import CHANGES
from loomstack_mcp.services.repos import REPOS
from loomstack_mcp.store import queries
from loomstack_mcp.store.base import Store

ERASING = queries.statements("erasing")
COPYING = queries.statements("copying")
_KEY_BYTES = 32


@record
class KeyedStore:
    """A store, and what it keeps to itself where it is a hub's; None where it never was one."""

    store: Store
    private: Store | None = None


def one_key(source: KeyedStore, target: KeyedStore, *, is_tried: bool = False) -> bool:
    """Whether both hash lines with one key; an empty store takes the other's.

    A hub has a key for each repo, made of one of its own: what was hashed by the key of a person's store it cannot use.
    """
    ours, theirs = _key_of(source), _key_of(target)
    if (source.private is None) != (target.private is None) or not ours:
        return False
    if theirs or _has_ledger(target.store):
        return ours == theirs
    if not is_tried:
        _take_key(target, ours)
    return True


def rotated_key(keyed: KeyedStore, *, who: str) -> Sequence[str]:
    """Lines are hashed with a new key from now on, and all that was hashed is forgotten; returns the repos.

    Nobody is to write meanwhile: what came in between is of the old key.
    """
    with keyed.store.read() as tx:
        ids = [str(row["id"]) for row in tx.all(REPOS["ids"])]
    for repo_id in ids:
        _empty_ledger(keyed.store, repo_id, who=who)
    fresh = os.urandom(_KEY_BYTES)
    with (keyed.private or keyed.store).append() as tx:
        if keyed.private:
            tx.run(TOKENS["change_hub_key"], which=HUB_KEY, value=fresh.hex())
        else:
            tx.run(CHANGES["drop_key"])
            tx.run(CHANGES["make_key"], key=fresh)
    return ids


def _empty_ledger(store: Store, repo_id: str, *, who: str) -> None:
    with store.write(repo_id) as tx:
        for statement in (
            *(REPOS["forget_landed"], REPOS["forget_landed_paths"], REPOS["unfill"]),
            *(ERASING["forget_imprints"], COPYING["unprint"]),
        ):
            tx.later(statement, repo_id=repo_id)
        events.append(tx, repo_id, "ledger.emptied", about="key", payload={"who": who})


def _key_of(keyed: KeyedStore) -> str:
    if keyed.private:
        with keyed.private.read() as tx:
            return "".join(str(row["value"]) for row in tx.all(TOKENS["hub_key"], which=HUB_KEY))
    with keyed.store.read() as tx:
        return "".join(bytes(row["key"]).hex() for row in tx.all(CHANGES["key"]))


def _has_ledger(store: Store) -> bool:
    with store.read() as tx:
        return bool(tx.all(COPYING["any_landed"]))


def _take_key(target: KeyedStore, key: str) -> None:
    if target.private:
        with target.private.append() as tx:
            tx.run(TOKENS["keep_hub_key"], which=HUB_KEY, value=key)
    else:
        with target.store.append() as tx:
            tx.run(CHANGES["make_key"], key=bytes.fromhex(key))
