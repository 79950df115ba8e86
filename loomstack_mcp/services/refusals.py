"""Refusals: what an agent was not let edit is kept as a request of its run, so that it hears once that is free."""

from collections.abc import Sequence

from loomstack_mcp.core.claims import Blocker, Waiter
from loomstack_mcp.core.edits import edited_by
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import PROCESS_SESSION, Caller
from loomstack_mcp.services import events, repos
from loomstack_mcp.services.sessions import session_run
from loomstack_mcp.services.waiters import keep_waiter, refused_before
from loomstack_mcp.store.base import Store


class RefusalService:
    """What hooks refused."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def keep(self, caller: Caller, checkout: Checkout, patterns: Sequence[str], blocker: Blocker) -> None:
        """The caller was refused an edit of these files; without a place in the queue, as `claim_paths` without a wait.

        Nothing is kept for whom no client names: nobody could tell it.
        """
        if not caller.session or caller.session.startswith(PROCESS_SESSION):
            return
        with self._store.write(lambda tx: repos.recorded_in(tx, checkout)) as tx:
            run = session_run(tx, caller, repos.repo_id_of(tx, checkout), checkout)
            wanted = Waiter(
                id="",
                repo_id=run.repo_id,
                run_id=run.id,
                seq=0,
                mode="shared",  # so that only what is held exclusively keeps it waiting
                intent=edited_by(caller.session),
                patterns=tuple(sorted(patterns)),
                place_until_ms=0,
            )
            keep_waiter(tx, wanted, before=refused_before(tx, wanted), blocker=blocker)
            events.wake(tx, run.session)
