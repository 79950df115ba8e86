"""What is new in a repo since a cursor, oldest first: what does not fit one answer comes with the next."""

from collections.abc import Iterator
from dataclasses import replace

from loomstack_mcp.core.briefing import items as core
from loomstack_mcp.core.briefing.items import Item, View
from loomstack_mcp.core.changes.conflict_records import Conflict
from loomstack_mcp.core.claims import Claim
from loomstack_mcp.core.notes import Note
from loomstack_mcp.core.outcomes import Outcome
from loomstack_mcp.core.repos import ORG
from loomstack_mcp.core.runs import Run
from loomstack_mcp.services import events, path_index
from loomstack_mcp.services.acting import RUNS
from loomstack_mcp.services.blockers import CLAIMS
from loomstack_mcp.services.conflict_states import CONFLICTS
from loomstack_mcp.services.nearby import is_addressed, own_ids, works
from loomstack_mcp.services.note_index import NOTES
from loomstack_mcp.services.recorded import OUTCOMES
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Row, Statement, Tx

_PAGE = 100


class News:
    """What happened after a cursor, up to where each kind of it was read."""

    def __init__(self, tx: Tx, repo_id: str, run: Run | None, view: View, *, since: int) -> None:
        self._tx = tx
        self._repo_id = repo_id
        self._run = run
        self._since = since
        self.cursor = path_index.cursor(tx, repo_id)
        """Where the reading stands: no later than the last of a kind of which there is more."""
        found = [*self._items(view)]
        self.items = [item for item in found if item.seq <= max(self.cursor, since + 1)]

    def _items(self, view: View) -> Iterator[Item]:
        mine = own_ids(self._tx, self._run)
        notes = rows.as_records(Note, self._page(NOTES["shared_since"]))
        yield from (core.of_note(one, view) for one in notes if not one.addressee or is_addressed(one, self._run))
        claims = rows.as_records(Claim, self._page(CLAIMS["held_since"]))
        yield from (core.of_claim(one, view) for one in claims if one.run_id not in mine)
        runs = rows.as_records(Run, self._page(RUNS["started_since"]))
        yield from (core.of_run(one, view) for one in runs if one.id not in mine and one.origin == "asked")
        outcomes = rows.as_records(Outcome, self._page(OUTCOMES["landed_since"]))
        yield from (core.of_change(one, view) for one in works(self._tx, outcomes))
        yield from (
            core.of_conflict(one, view) for one in rows.as_records(Conflict, self._page(CONFLICTS["open_since"]))
        )
        # The organisation's notes have numbers of their own: they come first, again where the time is the same.
        reached = self._tx.all(events.EVENTS["reached"], repo_id=self._repo_id, since=self._since)
        at_ms = max((row["at_ms"] for row in reached), default=0)
        shared = self._tx.all(NOTES["latest"], repo_id=ORG, now_ms=self._tx.now_ms, limit=_PAGE)
        for one in rows.as_records(Note, shared):
            if one.shared_at_ms >= at_ms:
                yield replace(core.of_note(one, view), seq=self._since + 1)

    def _page(self, statement: Statement) -> list[Row]:
        asked = {"repo_id": self._repo_id, "since": self._since, "now_ms": self._tx.now_ms, "limit": _PAGE}
        found = self._tx.all(statement, **asked)
        if len(found) == _PAGE:
            self.cursor = min(self.cursor, found[-1]["seq"])
        return found
