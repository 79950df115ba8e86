"""Shared context: the briefing of a run, gathered near its paths and ranked by the core."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from loomstack_mcp.core.briefing import items as core
from loomstack_mcp.core.briefing.fitting import Briefing, fitted
from loomstack_mcp.core.briefing.items import Item, LandedWork, View
from loomstack_mcp.core.claims import Claim
from loomstack_mcp.core.events import Alert
from loomstack_mcp.core.limits import BUDGET_TOKENS_MAX, BUDGET_TOKENS_MIN, SENTENCE_CHARS_MAX
from loomstack_mcp.core.notes import ORG, Note
from loomstack_mcp.core.outcomes import Outcome
from loomstack_mcp.core.policy.rules import Rule
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller, Run, acts_for, renewal_due
from loomstack_mcp.core.texts import bounded, within
from loomstack_mcp.services import events, path_index, repos
from loomstack_mcp.services.acting import RUNS, entered, named, own_runs
from loomstack_mcp.services.blockers import CLAIMS
from loomstack_mcp.services.conflicts import open_in
from loomstack_mcp.services.notes import NOTES, matching
from loomstack_mcp.services.outcomes import OUTCOMES
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Store, Tx

_NEAR_MAX = 300
_BESIDE_MAX = 100
_LATEST_MAX = 100
_LANDED_MAX = 20


@dataclass(frozen=True, kw_only=True)
class ContextResult:
    """Shared context as seen from some paths."""

    briefing: Briefing
    alerts: tuple[Alert, ...] = ()


class ContextService:
    """What one should know before one works somewhere."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(
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
        budget_tokens: int,
    ) -> ContextResult:
        """What is shared about `patterns` (default: the run's own paths), best first, within the budget.

        `beside` are paths that history changed together with them; what lies there counts as near.
        Any run may be looked from, also another's. Without a run, the checkout's repo is read.
        """
        within("budget_tokens", budget_tokens, least=BUDGET_TOKENS_MIN, most=BUDGET_TOKENS_MAX)
        query = bounded("query", query, chars_max=SENTENCE_CHARS_MAX)
        with self._store.read() as tx:
            run = _seen_from(tx, caller, run_id, checkout)
            repo_id = run.repo_id if run else repos.found(tx, checkout or Checkout(identity=""))
            found = briefing(
                tx, repo_id, run, patterns,
                beside=beside, query=query, since=since, rules=rules, budget_tokens=budget_tokens,
            )  # fmt: skip
            owed = run is not None and _owed(tx, caller, run)
        if run is None or not owed:
            return ContextResult(briefing=found)
        with entered(self._store, caller, run.id) as (tx, _):
            return ContextResult(briefing=found, alerts=events.delivered(tx, run.id))


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
    mine = tuple(patterns) or _own_paths(tx, run)
    view = View(paths=mine, beside=tuple(beside), now_ms=tx.now_ms, ignore_case=path_index.folds(tx, repo_id))
    if query:
        items: list[Item] = [core.of_note(note, view) for note in matching(tx, repo_id, query)]
    else:
        items = [
            *(core.of_note(note, view) for note in _notes(tx, repo_id, run, view)),
            *(core.of_claim(claim, view) for claim in _claims(tx, repo_id, run, view)),
            *(core.of_run(other, view) for other in _runs(tx, repo_id, run, view)),
            *(core.of_change(landed, view) for landed in _landed(tx, repo_id)),
            *(item for rule in rules if (item := core.of_rule(rule, view))),
            *(core.of_conflict(found, view) for found in open_in(tx, repo_id, limit=_LATEST_MAX)),
        ]
    cursor = path_index.cursor(tx, repo_id)
    return fitted(items, cursor=cursor, since=since, budget_tokens=budget_tokens)


def _seen_from(tx: Tx, caller: Caller, run_id: str, checkout: Checkout | None) -> Run | None:
    if run_id or checkout is None or own_runs(tx, caller):
        return named(tx, caller, run_id)
    return None


def _owed(tx: Tx, caller: Caller, run: Run) -> bool:
    """Whether this read has to write: a renewal that is due, or alerts that wait."""
    if run.state != "live" or not acts_for(caller, run):
        return False
    waiting = tx.all(events.ALERTS["due"], run_id=run.id, limit=1)
    return bool(waiting) or renewal_due(run, now_ms=tx.now_ms)


def _own_paths(tx: Tx, run: Run | None) -> tuple[str, ...]:
    if run is None:
        return ()
    held = rows.records(Claim, tx.all(CLAIMS["held_by_run"], run_id=run.id))
    return tuple(dict.fromkeys((*run.paths, *(text for claim in held for text in claim.patterns))))


def _notes(tx: Tx, repo_id: str, run: Run | None, view: View) -> Iterable[Note]:
    near = rows.text(_near(tx, repo_id, "note", view))
    now = {"now_ms": tx.now_ms}
    found = [
        *tx.all(NOTES["by_ids"], ids=near, **now),
        *tx.all(NOTES["latest"], repo_id=repo_id, limit=_LATEST_MAX, **now),
        *tx.all(NOTES["latest_of_people"], repo_id=repo_id, limit=_LATEST_MAX, **now),
        *tx.all(NOTES["latest"], repo_id=ORG, limit=_LATEST_MAX, **now),
    ]
    once = {note.id: note for note in rows.records(Note, found)}
    return [note for note in once.values() if not note.addressee or _addressed(note, run)]


def _addressed(note: Note, run: Run | None) -> bool:
    return run is not None and note.addressee in (run.id, run.loop, run.parent_id)


def _claims(tx: Tx, repo_id: str, run: Run | None, view: View) -> Iterable[Claim]:
    near = rows.text(_near(tx, repo_id, "claim", view))
    found = [
        *tx.all(CLAIMS["held_by_ids"], ids=near),
        *tx.all(CLAIMS["held"], repo_id=repo_id, now_ms=tx.now_ms, limit=_LATEST_MAX),
    ]
    once = {claim.id: claim for claim in rows.records(Claim, found)}
    me = run.id if run else ""
    return [claim for claim in once.values() if claim.run_id != me and claim.expires_at_ms > tx.now_ms]


def _runs(tx: Tx, repo_id: str, run: Run | None, view: View) -> Iterable[Run]:
    near = rows.text(_near(tx, repo_id, "run", view))
    found = [
        *tx.all(RUNS["by_ids"], ids=near),
        *tx.all(RUNS["live"], repo_id=repo_id, now_ms=tx.now_ms, limit=_LATEST_MAX),
    ]
    once = {other.id: other for other in rows.records(Run, found)}
    me = run.id if run else ""
    return [
        other for other in once.values() if other.id != me and other.state == "live" and other.expires_at_ms > tx.now_ms
    ]


def _landed(tx: Tx, repo_id: str) -> Iterable[LandedWork]:
    """What runs recorded as landed, on the paths that they had claimed for it."""
    outcomes = tx.all(OUTCOMES["landed"], repo_id=repo_id, limit=_LANDED_MAX)
    for outcome in rows.records(Outcome, outcomes):
        [run] = rows.records(Run, tx.all(RUNS["get"], id=outcome.about_run))
        claims = rows.records(Claim, tx.all(CLAIMS["of_run"], run_id=run.id, limit=20))
        yield LandedWork(
            commits=outcome.commits,
            run=run,
            paths=tuple(dict.fromkeys(text for claim in claims for text in claim.patterns)) or run.paths,
            intent="; ".join(dict.fromkeys(claim.intent for claim in claims)) or outcome.summary,
            seq=outcome.seq,
            at_ms=outcome.recorded_at_ms,
        )


def _near(tx: Tx, repo_id: str, noun: path_index.Noun, view: View) -> list[str]:
    """What lies at, above or below my paths, and then what lies beside them."""
    if not view.paths:
        return []
    beside = [*sorted(folder for folder in core.folders(view.paths) if folder), *view.beside]
    found = path_index.near(tx, repo_id, noun, view.paths, limit=_NEAR_MAX)
    return found + (path_index.near(tx, repo_id, noun, beside, limit=_BESIDE_MAX) if beside else [])
