"""What stands in the way of a request: held claims, and earlier requests that keep their place."""

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from functools import partial

from loomstack_mcp.core.claims import Blocker, Claim, Waiter, blockers
from loomstack_mcp.core.edits import gives_way
from loomstack_mcp.core.errors import StoreUnavailable
from loomstack_mcp.core.limits import BLOCKERS_MAX
from loomstack_mcp.core.repos import ORG, Checkout
from loomstack_mcp.core.runs import Caller, Run, acts_for
from loomstack_mcp.core.texts import encodable
from loomstack_mcp.services import repos
from loomstack_mcp.services.acting import RUNS, own_runs
from loomstack_mcp.services.gone import gone_holders, seen_gone
from loomstack_mcp.services.path_index import all_overlapping, folds, overlapping
from loomstack_mcp.store import queries, rows
from loomstack_mcp.store.base import Row, Store, Tx

CLAIMS = queries.statements("claims")
WAITERS = queries.statements("waiters")


class EditService:
    """What stands in the way of an edit, for a hook: nothing that it does not need is imported here."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def blockers(self, caller: Caller, checkout: Checkout, patterns: Sequence[str]) -> tuple[tuple[Blocker, ...], int]:
        """Who holds, exclusively, what a caller is about to edit. And the time.

        Its own runs stand not in its way, nor do those that they descend from and those of the session's own agent.
        """
        with self._store.read() as tx:
            edit = Waiter(
                id="",
                repo_id=repos.repo_id_of(tx, checkout),
                run_id="",
                seq=0,
                mode="shared",  # so that only what is held exclusively stands in its way
                intent="",
                patterns=tuple(patterns),
                place_until_ms=0,
            )
            ignore_case = folds(tx, edit.repo_id)
            pages = overlapping(tx, edit.repo_id, "claim", edit.patterns, ignore_case=ignore_case)
            family = {str(row["id"]) for row in edit_family(tx, caller)}
            # Nothing is held for the edits of whom no client names, so that what is held is another's.
            yielding = partial(kin, tx, caller) if caller.session else frozenset
            found, _ = held_against(tx, edit, family, pages, kin=yielding, ignore_case=ignore_case)
            now_ms, is_any_gone = tx.now_ms, bool(gone_holders(tx, found))
        if is_any_gone:
            with suppress(StoreUnavailable), self._store.write(edit.repo_id) as tx:  # else whoever comes next does it
                found, now_ms = seen_gone(tx, found), tx.now_ms
        return tuple(found), now_ms

    def held_in(self, caller: Caller, checkout: Checkout) -> tuple[str, ...]:
        """The patterns of what is held exclusively by whoever else works in this worktree."""
        who = {"principal": caller.principal, "session": caller.session, "agent": caller.agent}
        with self._store.read() as tx:
            repo_id, worktree = repos.repo_id_of(tx, checkout), encodable(checkout.worktree)
            found = tx.all(CLAIMS["of_worktree"], repo_id=repo_id, worktree=worktree, **who)
        return tuple(pattern for row in found for pattern in rows.list_column(row["patterns"]))

    def check_of(self, caller: Caller) -> tuple[str, str] | None:
        """The run under which a sub-agent now checks another's, and that other; None for whoever makes something.

        Of a session's own agent nothing is said: without a hook's word its sub-agents' runs count as its own.
        """
        if not caller.agent:
            return None
        with self._store.read() as tx:
            for run in own_runs(tx, caller):
                if run.origin == "session":
                    continue
                if not run.checks_run:
                    return None
                if not _is_made_by(tx, caller, run.checks_run):
                    return run.id, run.checks_run
        return None


def may_be_meant(tx: Tx, repo_id: str, pattern: str) -> bool:
    """Whether anything on a file may have been made on purpose: a run's landed change, or what a note is about."""
    ignore_case = folds(tx, repo_id)
    if all_overlapping(tx, repo_id, "change", [pattern], ignore_case=ignore_case).ids:
        return True
    notes = (all_overlapping(tx, one, "note", [pattern], ignore_case=ignore_case) for one in (repo_id, ORG))
    return any(found.ids for found in notes)


def _is_made_by(tx: Tx, caller: Caller, run_id: str) -> bool:
    return any(acts_for(caller, run) for run in rows.as_records(Run, tx.all(RUNS["get"], id=run_id)))


def edit_family(tx: Tx, caller: Caller) -> list[Row]:
    """The runs whose claims stand not in the way of an agent's edits; `is_own` are those of exactly this agent."""
    return tx.all(CLAIMS["family"], principal=caller.principal, session=caller.session, agent=caller.agent)


def kin(tx: Tx, whose: Caller | Run) -> frozenset[str]:
    """The runs whose automatic claims give way to an agent: its own, and those of the agents below it."""
    found = tx.all(CLAIMS["kin"], principal=whose.principal, session=whose.session, agent=whose.agent)
    return frozenset(row["id"] for row in found)


def held_against(
    tx: Tx,
    wanted: Waiter,
    family: Collection[str],
    pages: Iterable[Sequence[str]],
    /,
    *,
    kin: Callable[[], Collection[str]],
    ignore_case: bool,
) -> tuple[list[Blocker], list[Claim]]:
    """The live claims that forbid a request, until there are enough, and those that end with its grant.

    Those have lapsed, or they are automatic and give way. `pages` are the ids of the claims that overlap it.
    """
    found: list[Blocker] = []
    ending: list[Claim] = []
    for page in pages:
        claims = rows.as_records(Claim, tx.all(CLAIMS["held_by_ids"], ids=rows.json_column(page)))
        yielding = _yielding(claims, family, kin)
        standing = [claim for claim in claims if claim not in yielding]
        live = [claim for claim in standing if claim.expires_at_ms > tx.now_ms]
        lapsed = [claim for claim in standing if claim.expires_at_ms <= tx.now_ms and _forbids(claim, wanted, family)]
        found += blockers(wanted, live, lineage=family, ignore_case=ignore_case)
        ending += [*yielding, *lapsed]
        if len(found) >= BLOCKERS_MAX:
            break
    return found, ending


def _yielding(claims: Sequence[Claim], family: Collection[str], kin: Callable[[], Collection[str]]) -> list[Claim]:
    """The automatic ones that give way; who is kin is asked only where there are any."""
    autos = [claim for claim in claims if claim.origin == "auto"]
    return [claim for claim in autos if gives_way(claim, {*family, *kin()})] if autos else []


def _forbids(lapsed: Claim, wanted: Waiter, family: Collection[str]) -> bool:
    """Whether a lapsed claim would forbid the grant, were it live; then the grant has to end it."""
    return lapsed.run_id not in family and "exclusive" in (lapsed.mode, wanted.mode)
