"""Levers: a person ends a claim, or stops a run, and everybody concerned is told."""

from collections.abc import Sequence
from dataclasses import replace

from loomstack_mcp.core.claims import Claim, Waiter, few_listed
from loomstack_mcp.core.errors import Invalid, NotFound
from loomstack_mcp.core.events import AlertKind
from loomstack_mcp.core.limits import SENTENCE_CHARS_MAX
from loomstack_mcp.core.phrases import age
from loomstack_mcp.core.records import record
from loomstack_mcp.core.runs import STOPPED, Caller, Run
from loomstack_mcp.core.texts import bounded, plain_line
from loomstack_mcp.services import events, expiry, path_index, waiters
from loomstack_mcp.services.acting import RUNS, own_runs
from loomstack_mcp.services.blockers import CLAIMS, WAITERS
from loomstack_mcp.services.claims import end_claims, held_by
from loomstack_mcp.services.notices import give_notice
from loomstack_mcp.services.starts import run_of_id
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Store, Tx

_GOAL_CHARS_MAX = 100


@record
class Lever:
    """What a person is about to end, or has ended."""

    runs: tuple[Run, ...]
    """Those that end; where a claim ends alone, the one that holds it goes on."""
    claims: tuple[Claim, ...]
    waiting: tuple[Waiter, ...]
    """Refused requests of other runs on these paths."""
    freed_for: tuple[str, ...] = ()
    """The runs that can now have what they were refused, once it is done."""


class LeverService:
    """What people can do to runs that are not theirs. Who may is the face's to see to."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def about_claim(self, claim_id: str) -> Lever:
        """What the end of this claim would free. Raises NotFound, or Invalid where it has ended."""
        with self._store.read() as tx:
            return _of_claim(tx, claim_id)

    def about_run(self, run_id: str) -> Lever:
        """What the end of this run would end. Raises NotFound, or Invalid where it has ended."""
        with self._store.read() as tx:
            return _of_run(tx, run_id)

    def release_claim(self, claim_id: str, *, who: str, why: str) -> Lever:
        """A person ends a claim: its holder hears of it, and those who wait. Raises as `about_claim`."""
        why = bounded("why", why, chars_max=SENTENCE_CHARS_MAX, required=True)
        with self._store.write(lambda tx: _of_claim(tx, claim_id).claims[0].repo_id) as tx:
            lever = _of_claim(tx, claim_id)
            freed_for = end_claims(tx, lever.claims, "revoked", why=f"{who}: {why}")
            for claim in lever.claims:
                text = f"{who} ended your claim on {few_listed(claim.patterns)}: {why}. Stop editing there"
                _told(tx, claim.run_id, "revoked", about=claim.id, repo_id=claim.repo_id, text=text, who=who)
            return replace(lever, freed_for=freed_for)

    def stop_run(self, run_id: str, *, who: str, why: str) -> Lever:
        """A person ends a run, with those started in it: what they hold is free, and no key resumes them.

        Raises as `about_run`.
        """
        why = bounded("why", why, chars_max=SENTENCE_CHARS_MAX, required=True)
        with self._store.write(lambda tx: run_of_id(tx, run_id).repo_id) as tx:
            lever = _of_run(tx, run_id)
            for run in lever.runs:  # first of all, so that none of them is told that another's paths are free
                waiters.forget_waiters(tx, run.id)
            freed = [name for run in lever.runs for name in _stopped(tx, run, who=who, why=why)]
            run = lever.runs[0]
            text = f"{who} stopped {run.id} ({run.who}): {why}"
            give_notice(tx, run.repo_id, "run.stopped", about=run.id, run_id=run.id, text=text)
            return replace(lever, freed_for=tuple(dict.fromkeys(freed)))


def _of_claim(tx: Tx, claim_id: str) -> Lever:
    found = rows.as_records(Claim, tx.all(CLAIMS["get"], id=claim_id))
    if not found:
        raise NotFound(f"claim {claim_id[:40]} is unknown; loomstack-mcp claims lists what is held")
    [claim] = found
    if claim.ended_at_ms is not None:
        ago = age(tx.now_ms - claim.ended_at_ms)
        raise Invalid(f"claim {claim.id} ended {ago} ago ({claim.ended_how}); nothing was changed")
    return Lever(runs=(run_of_id(tx, claim.run_id),), claims=found, waiting=_waiting(tx, found, but={claim.run_id}))


def _of_run(tx: Tx, run_id: str) -> Lever:
    run = run_of_id(tx, run_id)
    if run.state != "live":
        how = run.status or run.state
        raise Invalid(
            f"run {run.id} is over ({how}); nothing was changed. loomstack-mcp runs --live lists those that go on"
        )
    ids = [row["id"] for row in tx.all(RUNS["descendants"], id=run.id)]
    ending = rows.as_records(Run, tx.all(RUNS["by_ids"], ids=rows.json_column(ids)))
    claims = tuple(claim for each in ending for claim in held_by(tx, each.id))
    return Lever(runs=ending, claims=claims, waiting=_waiting(tx, claims, but=set(ids)))


def _waiting(tx: Tx, claims: Sequence[Claim], *, but: set[str]) -> tuple[Waiter, ...]:
    if not claims:
        return ()
    repo_id = claims[0].repo_id
    patterns = sorted({text for claim in claims for text in claim.patterns})
    near = path_index.all_overlapping(tx, repo_id, "waiter", patterns, ignore_case=path_index.folds(tx, repo_id))
    found = rows.as_records(Waiter, tx.all(WAITERS["by_ids"], ids=rows.json_column(near.ids)))
    return tuple(waiter for waiter in found if waiter.run_id not in but)


def _stopped(tx: Tx, run: Run, *, who: str, why: str) -> tuple[str, ...]:
    """The run is over, and so is what it holds; returns those that can now have what they were refused."""
    freed = end_claims(tx, held_by(tx, run.id), "revoked", why=f"{who}: {why}")
    expiry.over(tx, replace(run, state="ended", status=f"{STOPPED}{who}: {why}"), "run.ended")
    goal = plain_line(run.goal, chars_max=_GOAL_CHARS_MAX)
    text = f"{who} stopped {run.id} ({goal}): {why}. Leave that work; what it held is free"
    beside = own_runs(tx, Caller(principal=run.principal, session=run.session, agent=run.agent))
    # Its own alerts reach its session by hooks alone, for no call of it is answered any more.
    for run_id in dict.fromkeys((run.id, run.parent_id, *(other.id for other in beside))):
        if run_id:
            _told(tx, run_id, "stopped", about=run.id, repo_id=run.repo_id, text=text, who=who)
    return freed


def _told(tx: Tx, run_id: str, kind: AlertKind, *, about: str, repo_id: str, text: str, who: str) -> None:
    events.alert(tx, run_id, kind, seq=path_index.cursor(tx, repo_id), about=about, text=text, who=who)
