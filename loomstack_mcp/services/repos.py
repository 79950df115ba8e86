"""Which repo a checkout belongs to, whatever it was called before."""

from loomstack_mcp.core.repos import Checkout, provisional
from loomstack_mcp.store import queries
from loomstack_mcp.store.base import Store, Tx

REPOS = queries.statements("repos")


class RepoService:
    """One repo, whatever the clone and whatever it was called before."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def id_of(self, checkout: Checkout) -> str:
        """The id of the checkout's repo, or the one it will have once a run is started in it."""
        with self._store.read() as tx:
            return repo_id_of(tx, checkout)

    def ids(self) -> tuple[str, ...]:
        """Every repo in which a run was ever started, and the organisation's, where it has notes."""
        with self._store.read() as tx:
            return tuple(str(row["id"]) for row in tx.all(REPOS["ids"]))


def recorded_repo_id(store: Store, checkout: Checkout, /) -> str:
    """The id of the checkout's repo; a repo seen for the first time is recorded.

    A clone that got an origin, or whose address is read in another way than before, keeps the repo it had: the new
    identity becomes another name of it.
    """
    with store.read() as tx:
        repo_id = _named(tx, checkout)
        if repo_id and not _unrecorded(tx, checkout, repo_id):
            return repo_id
    with store.append() as tx:
        repo_id = repo_id_of(tx, checkout)
        tx.run(REPOS["insert"], repo_id=repo_id, ignore_case=int(checkout.ignore_case), now_ms=tx.now_ms)
        for name in (checkout.identity, checkout.clone):
            if name:
                tx.run(REPOS["name"], identity=name, repo_id=repo_id)
        for name in checkout.others if checkout.clone else ():
            tx.run(REPOS["also"], identity=name, repo_id=repo_id)
        if checkout.ignore_case:
            tx.run(REPOS["fold"], repo_id=repo_id)
    return repo_id


def repo_id_of(tx: Tx, checkout: Checkout, /) -> str:
    """The id of the checkout's repo, or the one it will have once a run is started in it."""
    return _named(tx, checkout) or _before_origin(tx, checkout) or checkout.identity


def _named(tx: Tx, checkout: Checkout) -> str:
    """By its identity; where that is unknown, by what else it may be called."""
    return next((repo_id for name in (checkout.identity, *checkout.others) if (repo_id := _of(tx, name))), "")


def _before_origin(tx: Tx, checkout: Checkout) -> str:
    """The repo that this clone belonged to while it had no origin."""
    repo_id = _of(tx, checkout.clone)
    names = [str(row["identity"]) for row in tx.all(REPOS["names"], repo_id=repo_id)]
    return repo_id if all(provisional(name) or name.startswith("clone:") for name in names) else ""


def _unrecorded(tx: Tx, checkout: Checkout, repo_id: str) -> bool:
    """Whether its identity, this clone, or that it ignores case, is news."""
    if _of(tx, checkout.identity) != repo_id:
        return True
    folds = any(row["ignore_case"] for row in tx.all(REPOS["get"], repo_id=repo_id))
    return (checkout.ignore_case and not folds) or (bool(checkout.clone) and _of(tx, checkout.clone) != repo_id)


def _of(tx: Tx, identity: str) -> str:
    return next((str(row["id"]) for row in tx.all(REPOS["by_identity"], identity=identity)), "")
