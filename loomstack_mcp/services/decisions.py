"""Decisions that were kept, for people who look through them."""

from loomstack_mcp.core.errors import NotFound
from loomstack_mcp.core.policy.past import PastDecision
from loomstack_mcp.core.policy.rules import Answer
from loomstack_mcp.store import queries, rows
from loomstack_mcp.store.base import Row, Store

DECISIONS = queries.statements("decisions")


class DecisionService:
    """What the policy answered, newest first."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def latest(
        self, repo_id: str, *, limit: int, before: str = "", answer: Answer | None = None
    ) -> tuple[tuple[PastDecision, ...], int]:
        """The last decisions of a repo, or those before the one of an id: all, or those of an answer. And the time.

        Raises NotFound where the repo has none of that id.
        """
        with self._store.read() as tx:
            asked = {"repo_id": repo_id, "answer": answer or "", "limit": limit}
            if not before:
                return tuple(map(_past, tx.all(DECISIONS["latest"], **asked))), tx.now_ms
            if not (found := tx.all(DECISIONS["place"], repo_id=repo_id, id=before)):
                raise NotFound(f"decision {before[:100]} is unknown here; loomstack-mcp decisions lists the last ones")
            place = {"before": before, "before_ms": int(found[0]["decided_at_ms"])}
            return tuple(map(_past, tx.all(DECISIONS["before"], **asked, **place))), tx.now_ms


def _past(row: Row) -> PastDecision:
    lists = {name: rows.list_column(row[name]) for name in ("actions", "subject", "reasons")}
    return rows.as_record(PastDecision, {**row, **lists})
