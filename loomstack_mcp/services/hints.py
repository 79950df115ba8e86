"""The runs that the message of a commit names, as far as they are runs of its repo."""

from collections.abc import Iterable

from loomstack_mcp.core.runs import Run
from loomstack_mcp.services.acting import RUNS
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Tx


def known_hints(tx: Tx, repo_id: str, hints: Iterable[str]) -> tuple[Run, ...]:
    """The runs of the repo among those that a message names, in its order."""
    named = list(hints)
    if not named:
        return ()
    found = {run.id: run for run in rows.as_records(Run, tx.all(RUNS["by_ids"], ids=rows.json_column(named)))}
    return tuple(found[one] for one in named if one in found and found[one].repo_id == repo_id)
