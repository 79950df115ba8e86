"""Which repo of another store is which of this one, and whether it came before."""

import hashlib

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.phrases import counted
from loomstack_mcp.core.records import record
from loomstack_mcp.services.copied_tables import COPYING
from loomstack_mcp.services.repos import REPOS
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Tx

_CLONE = "clone:"  # a folder of one machine, which on another would be another clone


@record
class CopyOrigin:
    """A repo as the store has it that it comes from."""

    repo_id: str
    names: tuple[str, ...]
    seq: int
    ignore_case: int
    created_at_ms: int
    filled: str
    told_by: str
    """What tells it from every other, wherever its store lies."""


def copy_origin(out: Tx, repo_id: str) -> CopyOrigin:
    """What tells a repo of a store."""
    [made] = out.all(COPYING["made"], repo_id=repo_id)
    names = (str(row["identity"]) for row in out.all(REPOS["names"], repo_id=repo_id))
    return CopyOrigin(
        repo_id=repo_id,
        names=tuple(name for name in names if not name.startswith(_CLONE)),
        told_by=_told_by(out, repo_id),
        **made,
    )


def _told_by(tx: Tx, repo_id: str) -> str:
    begun = [tuple(row.values()) for row in tx.all(COPYING["first_event"], repo_id=repo_id)]
    return hashlib.sha256(rows.json_column([repo_id, begun]).encode()).hexdigest()[:32]


def arriving_repo(tx: Tx, origin: CopyOrigin) -> str:
    """The repo that it becomes part of, or its own id. Raises Invalid."""
    named = (tx.all(REPOS["by_identity"], identity=name) for name in (origin.repo_id, *origin.names))
    into = {str(row["id"]) for found in named for row in found}
    into |= {str(row["id"]) for row in tx.all(REPOS["get"], repo_id=origin.repo_id)}
    if len(into) > 1:
        raise Invalid(
            f"{origin.repo_id} is called as {' and '.join(sorted(into))} are there; make one of them first: "
            "loomstack-mcp repo alias"
        )
    return next(iter(into), origin.repo_id)


def came_before(tx: Tx, into: str, origin: CopyOrigin) -> str:
    """That it came, and how much it has told since; "" where it did not."""
    for row in tx.all(COPYING["copied"], repo_id=into, about=origin.told_by):
        newer = origin.seq - int(rows.object_column(row["payload"])["seq"])
        return f"it came before; {counted(newer, 'newer event')} not copied" if newer else "it came before, whole"
    is_same = repo_seq(tx, into) > 0 and _told_by(tx, into) == origin.told_by
    return "it came from there, and what is newer is not copied" if is_same else ""


def repo_seq(tx: Tx, repo_id: str) -> int:
    """How far its sequence has come; 0 where nothing is known of it."""
    return sum(int(row["seq"]) for row in tx.all(REPOS["get"], repo_id=repo_id))
