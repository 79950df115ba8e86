"""What is old goes while clients are killed: another repository of the same store, a piece at each time."""

from pathlib import Path
from random import Random

from loomstack_mcp.adapters.user import SQLITE
from loomstack_mcp.services.repos import RepoService
from loomstack_mcp.services.retention import before_of, pruned_repo
from loomstack_mcp.store.sqlite.space import given_back
from tests.bench.year import Year, filled
from tests.fire.burning import Harm
from tests.fire.stores import opened

_YEAR = Year(runs=500, repos=10)


def old_things(store: str) -> Harm:
    """A year lies in the store; of one of its repositories at a time what is old goes, and the file shrinks."""
    with opened(store) as loom:
        filled(loom.store, _YEAR)
    return Harm("what is old goes", lambda random: _go(store, random), "database")


def _go(store: str, random: Random) -> None:
    with opened(store) as loom:
        repo_id = random.choice([one for one in RepoService(loom.store).ids() if "team/repo-" in one])
        before_ms = before_of(loom.store, random.choice((30, 90, 200)), window_days=30)
        pruned_repo(loom.store, repo_id, before_ms=before_ms, who="fire")
    if store.startswith(SQLITE):
        given_back(Path(store.removeprefix(SQLITE)))
