"""Attributions: whose the commits of a repo are, as was found when they landed, or somebody asked; kept for good."""

from collections.abc import Sequence

from loomstack_mcp.core.changes.attributions import Attribution, CommitFacts
from loomstack_mcp.core.changes.blamed import LineMaker
from loomstack_mcp.core.limits import LIST_MAX
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.texts import within
from loomstack_mcp.services import repos
from loomstack_mcp.services.attributed import (
    ATTRIBUTIONS,
    found_attribution,
    keep_attribution,
    kept_attributions,
    runs_of_pulls,
)
from loomstack_mcp.services.line_keys import hold_key
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Store

_FITTING_MAX = 5
"""Commits that one prefix may mean, as far as they are told."""
_LINES_MAX = 1_000


class AttributionService:
    """Whose commits are. It sees no clone: what a commit did is told, or was kept."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def attributed(self, checkout: Checkout, facts: CommitFacts, *, key_name: str = "") -> Attribution:
        """Whose a commit is, which is kept from now on.

        Raises StoreUnavailable where `key_name` is of another key than the repo's by now.
        """
        with self._store.append() as tx:
            repo_id = repos.repo_id_of(tx, checkout)
            hold_key(tx, repo_id, key_name)
            found = found_attribution(tx, repo_id, facts)
            if tx.all(repos.REPOS["get"], repo_id=repo_id):
                return keep_attribution(tx, repo_id, found)
            return found.attribution

    def of_prefix(self, repo_id: str, prefix: str) -> tuple[Attribution, ...]:
        """The commits of a repo that begin with these digits, as far as it was ever asked, or seen, whose they are.

        None is unknown here; several are five at most.
        """
        prefix = prefix.strip().lower()
        with self._store.read() as tx:
            asked = {"repo_id": repo_id, "prefix": prefix, "beyond": f"{prefix}g", "limit": _FITTING_MAX}
            return kept_attributions(tx, tx.all(ATTRIBUTIONS["of_prefix"], **asked))

    def unattributed(self, repo_id: str, *, since_ms: int = 0, limit: int = LIST_MAX) -> tuple[Attribution, ...]:
        """What landed since a time, as far as was seen, and is no run's; the newest first."""
        within("limit", limit, least=1, most=_LINES_MAX)
        with self._store.read() as tx:
            found = tx.all(ATTRIBUTIONS["nobodys"], repo_id=repo_id, since_ms=since_ms, limit=limit)
            return kept_attributions(tx, found)

    def of_run(self, run_id: str, *, limit: int = LIST_MAX) -> tuple[Attribution, ...]:
        """The commits that a run made, or some of; those that landed last first."""
        within("limit", limit, least=1, most=_LINES_MAX)
        with self._store.read() as tx:
            return kept_attributions(tx, tx.all(ATTRIBUTIONS["of_run"], run_id=run_id, limit=limit))

    def of_pull(self, repo_id: str, number: int) -> tuple[str, ...]:
        """The runs that named a pull request, or merge request, of the repo in the links of their outcomes."""
        with self._store.read() as tx:
            return tuple(runs_of_pulls(tx, repo_id, [number]))

    def of_lines(self, repo_id: str, sha: str, lines: Sequence[int]) -> tuple[LineMaker, ...] | None:
        """Who wrote these lines of a commit, by their marks and in their order, the last writer first.

        None where all of it is one run's, or nobody's, as far as is known.
        """
        within("the number of lines", len(lines), least=0, most=_LINES_MAX)
        with self._store.read() as tx:
            found = tx.all(ATTRIBUTIONS["of_shas"], repo_id=repo_id, shas=rows.json_column([sha]))
            if not found or not tx.all(ATTRIBUTIONS["has_lines"], number=found[0]["number"]):
                return None
            written: dict[int, list[str]] = {}
            asked = {"number": found[0]["number"], "lines": rows.json_column(list(dict.fromkeys(lines)))}
            for one in tx.all(ATTRIBUTIONS["writers"], **asked):
                written.setdefault(one["line"], []).append(str(one["run_id"]))
            return tuple(LineMaker(line=line, runs=tuple(written.get(line, ()))) for line in lines)

    def reversals_of(self, repo_id: str, sha: str, *, limit: int = LIST_MAX) -> tuple[Attribution, ...]:
        """The commits that take another back, as their messages say and as was found; the last first."""
        within("limit", limit, least=1, most=_LINES_MAX)
        with self._store.read() as tx:
            return kept_attributions(tx, tx.all(ATTRIBUTIONS["reversals"], repo_id=repo_id, sha=sha, limit=limit))
