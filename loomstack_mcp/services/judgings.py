"""By what hooks judged an agent's steps, and that it is to be judged again."""

from loomstack_mcp.store import queries
from loomstack_mcp.store.base import Tx

GUARDS = queries.statements("guards")


def forget_judgings(tx: Tx, run_id: str) -> None:
    """A run began, or an outcome about it came: rules may say something else of each agent of its session."""
    tx.later(GUARDS["forget_session"], run_id=run_id)
