"""Which repo a checkout belongs to, whatever it was called before."""

from collections.abc import Mapping
from itertools import groupby

from loomstack_mcp.core.errors import Invalid, NotFound
from loomstack_mcp.core.limits import IMPRINT_KEPT_MS
from loomstack_mcp.core.repos import ORG, Checkout, RepoAlias, RepoNames, provisional
from loomstack_mcp.services import events
from loomstack_mcp.store import queries, rows
from loomstack_mcp.store.base import Row, Store, Tx

IMPRINTS = queries.statements("imprints")
REPOS = queries.statements("repos")
RUNS = queries.statements("runs")

_CLONE = "clone:"
_MOVES = (
    *(REPOS["move_runs"], REPOS["move_claims"], REPOS["move_waiters"], REPOS["move_notes"], REPOS["move_outcomes"]),
    *(REPOS["move_events"], REPOS["move_conflicts"], REPOS["move_approvals"], REPOS["move_evidence"]),
    REPOS["move_deploys"],
)
"""What is numbered within its repo."""
_REST = (
    *(REPOS["move_decisions"], REPOS["move_bindings"], REPOS["move_imprints"], REPOS["move_sightings"]),
    *(REPOS["forget_attribution_lines"], REPOS["forget_attributions"], REPOS["move_attributions"], REPOS["move_pulls"]),
    *(
        REPOS["move_deploy_commits"],
        REPOS["move_notices"],
        REPOS["move_expiries"],
        REPOS["move_paths"],
        REPOS["rename"],
        REPOS["raise_seq"],
        REPOS["forget"],
    ),
)


class RepoService:
    """One repo, whatever the clone and whatever it was called before."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def id_of(self, checkout: Checkout) -> str:
        """The id of the checkout's repo, or the one it will have once a run is started in it."""
        with self._store.read() as tx:
            return repo_id_of(tx, checkout)

    def filled(self, checkout: Checkout) -> str:
        """The mark up to which the ledger of the checkout's repo was filled last.

        "" before the first time, and as long as it waits for the content of what a run recorded.
        """
        from loomstack_mcp.core.changes.meaning import MEANING  # a hook asks for the repo alone

        with self._store.read() as tx:
            repo_id = repo_id_of(tx, checkout)
            asked = {"repo_id": repo_id, "meaning": MEANING, "since_ms": tx.now_ms - IMPRINT_KEPT_MS, "limit": 1}
            if tx.all(IMPRINTS["waiting"], **asked):
                return ""
            return "".join(row["filled"] for row in tx.all(REPOS["filled"], repo_id=repo_id))

    def ids(self) -> tuple[str, ...]:
        """Every repo in which a run was ever started, and the organisation's, where it has notes."""
        with self._store.read() as tx:
            return tuple(str(row["id"]) for row in tx.all(REPOS["ids"]))

    def listed(self) -> tuple[RepoNames, ...]:
        """Every repo with what it is called, without the organisation's."""
        with self._store.read() as tx:
            found = tx.all(REPOS["listed"])
        grouped = groupby(((str(row["id"]), str(row["identity"])) for row in found), key=lambda pair: pair[0])
        return tuple(
            _names(repo_id, [name for _, name in pairs if name]) for repo_id, pairs in grouped if repo_id != ORG
        )

    def alias(self, checkout: Checkout, name: str, *, who: str) -> RepoAlias:
        """From now on a name stands for the checkout's repo, with all that was kept under it.

        Raises NotFound where a repo is meant that the store does not know, Invalid where a run is live in the one that
        the name stood for: its tokens would change.
        """
        if not checkout.clone:
            with self._store.read() as tx:
                if not _named(checkout, _known(tx, checkout)):
                    raise NotFound(f"no repo {checkout.identity} is known here; see `loomstack-mcp repo list`")
        repo_id = recorded_repo_id(self._store, checkout)
        with self._store.write(repo_id) as tx:
            former = _of(tx, name)
            if former in (repo_id, ""):
                tx.later(REPOS["name"], identity=name, repo_id=repo_id)
                former = ""
            else:
                _join(tx, repo_id, former)
            events.append(tx, repo_id, "repo.joined", about=name, payload={"who": who})
        return RepoAlias(name=name, repo_id=repo_id, joined=former)


def _names(repo_id: str, names: list[str]) -> RepoNames:
    clones = [name for name in names if name.startswith(_CLONE)]
    others = tuple(name for name in names if name not in (repo_id, *clones))
    return RepoNames(repo_id=repo_id, names=others, clones=len(clones))


def _join(tx: Tx, repo_id: str, former: str) -> None:
    """All that one repo holds is another's, behind what that holds already."""
    tx.run(REPOS["hold"], repo_id=former)  # or somebody starts a run in it meanwhile
    if live := tx.all(RUNS["live"], repo_id=former, origin="", now_ms=tx.now_ms, limit=1):
        raise Invalid(f"{live[0]['id']} is live in {former}; let it end, or its lease run out, and do this again")
    [into] = tx.all(REPOS["get"], repo_id=repo_id)
    for either in (repo_id, former):  # whose a landed change is, the runs of both may say by now
        tx.later(REPOS["forget_landed"], repo_id=either)
        tx.later(REPOS["forget_landed_paths"], repo_id=either)
    tx.later(REPOS["unfill"], repo_id=repo_id)
    move_all(tx, repo_id, former, shift=into["seq"])


def move_all(tx: Tx, repo_id: str, former: str, *, shift: int) -> None:
    """All that a repo holds is another's from now on, its numbers behind `shift`; and it is no more."""
    for statement in _MOVES:
        tx.later(statement, repo_id=repo_id, former=former, shift=shift)
    for statement in _REST:
        tx.later(statement, repo_id=repo_id, former=former)


def recorded_repo_id(store: Store, checkout: Checkout, /) -> str:
    """The id of the checkout's repo; a repo seen for the first time is recorded.

    A clone that got an origin, or whose address is read in another way than before, keeps the repo it had: the new
    identity becomes another name of it.
    """
    with store.read() as tx:
        known = _known(tx, checkout)
    if not _is_news(checkout, known):
        return _named(checkout, known)
    with store.append() as tx:
        return _recorded(tx, checkout)


def is_named_repo(tx: Tx, identity: str, /) -> bool:
    """Whether a repo was recorded under that very name."""
    return bool(_of(tx, identity))


def recorded_in(tx: Tx, checkout: Checkout, /) -> str:
    """The same, within a transaction that writes."""
    known = _known(tx, checkout)
    return _recorded(tx, checkout) if _is_news(checkout, known) else _named(checkout, known)


def repo_id_of(tx: Tx, checkout: Checkout, /) -> str:
    """The id of the checkout's repo, or the one it will have once a run is started in it."""
    known = _known(tx, checkout)
    return _named(checkout, known) or _before_origin(tx, checkout, known) or checkout.identity


def _recorded(tx: Tx, checkout: Checkout) -> str:
    repo_id = repo_id_of(tx, checkout)
    tx.later(REPOS["insert"], repo_id=repo_id, ignore_case=int(checkout.ignore_case), now_ms=tx.now_ms)
    if checkout.ignore_case:
        tx.later(REPOS["fold"], repo_id=repo_id)
    others = dict.fromkeys(checkout.others if checkout.clone else (), REPOS["also"])
    # The repo before its names, and these in their order: several clones may come at once.
    named = {**others, checkout.identity: REPOS["name"], checkout.clone: REPOS["name"]}
    for name in sorted(filter(None, named)):
        tx.later(named[name], identity=name, repo_id=repo_id)
    return repo_id


def _known(tx: Tx, checkout: Checkout) -> dict[str, Row]:
    """The repos that a checkout's names, and its clone, stand for by now."""
    names = [checkout.identity, *checkout.others, checkout.clone]
    return {str(row["identity"]): row for row in tx.all(REPOS["known"], called=rows.json_column(names))}


def _named(checkout: Checkout, known: Mapping[str, Row]) -> str:
    """By its identity; where that is unknown, by what else it may be called."""
    return next((str(known[name]["id"]) for name in (checkout.identity, *checkout.others) if name in known), "")


def _before_origin(tx: Tx, checkout: Checkout, known: Mapping[str, Row]) -> str:
    """The repo that this clone belonged to while it had no origin."""
    if checkout.clone not in known:
        return ""
    repo_id = str(known[checkout.clone]["id"])
    names = [str(row["identity"]) for row in tx.all(REPOS["names"], repo_id=repo_id)]
    return repo_id if all(provisional(name) or name.startswith(_CLONE) for name in names) else ""


def _is_news(checkout: Checkout, known: Mapping[str, Row]) -> bool:
    """Whether its identity, this clone, or that it ignores case, is news."""
    repo = known.get(checkout.identity)
    if repo is None:
        return True
    is_moved = bool(checkout.clone) and (checkout.clone not in known or known[checkout.clone]["id"] != repo["id"])
    return is_moved or (checkout.ignore_case and not repo["ignore_case"])


def _of(tx: Tx, identity: str) -> str:
    return next((str(row["id"]) for row in tx.all(REPOS["by_identity"], identity=identity)), "")
