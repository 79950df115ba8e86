"""Shared context: the briefing of a run, gathered near its paths and ranked by the core."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from loomstack_mcp.core.briefing import items as core
from loomstack_mcp.core.briefing.fitting import Briefing, fitted
from loomstack_mcp.core.briefing.items import Item, View
from loomstack_mcp.core.errors import StoreUnavailable
from loomstack_mcp.core.events import Alert
from loomstack_mcp.core.limits import BUDGET_TOKENS_MAX, BUDGET_TOKENS_MIN, SENTENCE_CHARS_MAX
from loomstack_mcp.core.policy.rules import Rule
from loomstack_mcp.core.records import record
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller, Run, acts_for, renewal_due
from loomstack_mcp.core.stranded import StrandedRun
from loomstack_mcp.core.texts import bounded, within
from loomstack_mcp.services import events, path_index, repos
from loomstack_mcp.services.acting import acting_run, meant_runs, named_run
from loomstack_mcp.services.conflict_states import open_conflicts
from loomstack_mcp.services.nearby import claims_near, landed_work, notes_near, own_paths, runs_near
from loomstack_mcp.services.news import News
from loomstack_mcp.services.note_index import matching
from loomstack_mcp.services.stranded import tell_stranded
from loomstack_mcp.store.base import Store, Tx

_CONFLICTS_MAX = 1_000
_PATHS_MAX = 1_000
"""Each is held against all that lies there."""


@record
class ContextResult:
    """Shared context as seen from some paths."""

    briefing: Briefing
    alerts: tuple[Alert, ...] = ()


_CURSOR_MAX = 2**63 - 1
"""What a store can compare."""


class ContextService:
    """What one should know before one works somewhere."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def read_context(
        self,
        caller: Caller,
        run_id: str,
        checkout: Checkout | None,
        *,
        patterns: Sequence[str] = (),
        beside: Sequence[str] = (),
        query: str = "",
        since: int = 0,
        rules: Sequence[Rule] = (),
        stranded: Sequence[StrandedRun] = (),
        budget_tokens: int,
    ) -> ContextResult:
        """What is shared about `patterns` (default: the run's own paths), best first, within the budget.

        `beside` are paths that history changed together with them; what lies there counts as near.
        Any run may be looked from, also another's. Without a run, the checkout's repo is read. Of
        `stranded` runs of its own loop a run hears once. Raises
        Invalid, LimitExceeded or NotFound, each saying what to do next.
        """
        within("since", since, least=-1, most=_CURSOR_MAX)
        within("budget_tokens", budget_tokens, least=BUDGET_TOKENS_MIN, most=BUDGET_TOKENS_MAX)
        within("the number of paths", len(patterns) + len(beside), least=0, most=_PATHS_MAX)
        query = bounded("query", query, chars_max=SENTENCE_CHARS_MAX)
        with self._store.read() as tx:
            run = _seen_from(tx, caller, run_id, checkout)
            repo_id = run.repo_id if run else repos.repo_id_of(tx, checkout or Checkout(identity=""))
            found = briefing(
                tx,
                repo_id,
                run,
                patterns,
                beside=beside,
                query=query,
                since=since,
                rules=rules,
                budget_tokens=budget_tokens,
            )
            owed = run is not None and _owed(tx, caller, run, stranded)
        if run is None or not owed:
            return ContextResult(briefing=found)
        try:
            with acting_run(self._store, caller, run.id) as (tx, _):
                tell_stranded(tx, run, stranded)
                return ContextResult(briefing=found, alerts=events.delivered(tx, run.id))
        except StoreUnavailable:  # what could be read is an answer; what this call owes comes with the next
            return ContextResult(briefing=found)


def briefing(
    tx: Tx,
    repo_id: str,
    run: Run | None,
    patterns: Sequence[str],
    *,
    beside: Sequence[str] = (),
    query: str = "",
    since: int = 0,
    rules: Sequence[Rule] = (),
    budget_tokens: int,
) -> Briefing:
    """Rank and fit what lies near the paths; with a query, only the notes that match it."""
    mine = tuple(patterns) or own_paths(tx, run)
    view = View(paths=mine, beside=tuple(beside), now_ms=tx.now_ms, ignore_case=path_index.folds(tx, repo_id))
    cursor = path_index.cursor(tx, repo_id)
    if query:
        found = [core.of_note(note, view) for note in matching(tx, repo_id, query)]
        # A search is no feed: what did not fit is found again by searching again.
        return replace(fitted(found, cursor=cursor, since=0, budget_tokens=budget_tokens), cursor=cursor)
    if since:
        news = News(tx, repo_id, run, view, since=since)
        return fitted(news.items, cursor=news.cursor, since=since, budget_tokens=budget_tokens)
    near = _items_near(tx, repo_id, run, view, rules)
    return fitted(near, cursor=cursor, since=0, budget_tokens=budget_tokens)


def _items_near(tx: Tx, repo_id: str, run: Run | None, view: View, rules: Sequence[Rule]) -> Iterator[Item]:
    yield from (core.of_note(note, view) for note in notes_near(tx, repo_id, run, view))
    yield from (core.of_claim(claim, view) for claim in claims_near(tx, repo_id, run, view))
    yield from (core.of_run(other, view) for other in runs_near(tx, repo_id, run, view))
    yield from (core.of_change(landed, view) for landed in landed_work(tx, repo_id, run, view))
    yield from (item for rule in rules if (item := core.of_rule(rule, view)))
    yield from (core.of_conflict(found, view) for found in open_conflicts(tx, repo_id, limit=_CONFLICTS_MAX))


def _seen_from(tx: Tx, caller: Caller, run_id: str, checkout: Checkout | None) -> Run | None:
    if run_id or checkout is None or meant_runs(tx, caller):
        return named_run(tx, caller, run_id)
    return None


def _owed(tx: Tx, caller: Caller, run: Run, stranded: Sequence[StrandedRun]) -> bool:
    """Whether this read has to write: a renewal that is due, or alerts that wait, or come now."""
    if run.state != "live" or not acts_for(caller, run):
        return False
    waiting = tx.all(events.ALERTS["due"], run_id=run.id, limit=1)
    return bool(waiting) or any(one.run.who == run.who for one in stranded) or renewal_due(run, now_ms=tx.now_ms)
