"""Which repos a token opens, as the store knows them by now."""

from dataclasses import replace

from loomstack_mcp.core.errors import NotFound
from loomstack_mcp.core.repos import ORG, Checkout
from loomstack_mcp.core.tokens import Principal, is_confined, may_read
from loomstack_mcp.store import queries
from loomstack_mcp.store.base import Tx

ACCESS = queries.statements("access")
REPOS = queries.statements("repos")
_CLONE = "clone:"


class OpenedRepos:
    """What one token opens, within one transaction."""

    def __init__(self, tx: Tx, principal: Principal) -> None:
        self._tx, self._principal = tx, principal
        self._known: dict[str, bool] = {}

    def opens(self, repo_id: str) -> bool:
        """Whether it opens a repo, which need not be there yet."""
        if not is_confined(self._principal):
            return True
        if repo_id not in self._known:
            names = [str(row["identity"]) for row in self._tx.all(REPOS["names"], repo_id=repo_id)]
            self._known[repo_id] = may_read(self._principal, repo_id, names)
        return self._known[repo_id]

    def repo_of(self, id: str) -> str:  # noqa: A002 it is one
        """The repo of a run, a claim or another thing with an id; "" for what is unknown."""
        statement = ACCESS.get(id.partition("_")[0])
        found = self._tx.all(statement, id=id) if statement else ()
        return str(found[0]["repo_id"]) if found else ""

    def checkout(self, given: Checkout) -> Checkout:
        """A checkout without the names by which it would be taken for a repo that the token does not open.

        Nor is any repo's name that of a clone: a clone's names move to where it is, and no repo's do. Raises NotFound
        where the token does not open what it is called itself, whether there is such a repo or not.
        """
        given = given if given.clone.startswith(_CLONE) else replace(given, clone="")
        if given.identity != ORG and not is_confined(self._principal):
            return replace(given, others=tuple(name for name in given.others if name != ORG))
        if given.identity == ORG or not self._opens_name(given.identity):
            raise NotFound(
                f"repository {given.identity} is unknown to the token of {self._principal.name}, which opens "
                f"{', '.join(self._principal.repos)}; ask an admin of the hub"
            )
        others = tuple(name for name in given.others if name != ORG and self._opens_name(name))
        is_clone = self._meant(given.clone) == "" or self._opens_name(given.clone)
        return replace(given, others=others, clone=given.clone if is_clone else "")

    def repo_called(self, checkout: Checkout) -> str:
        """The repo that a checkout is of, or will be."""
        names = (checkout.identity, *checkout.others, checkout.clone)
        return next((found for name in names if name and (found := self._meant(name))), checkout.identity)

    def _opens_name(self, name: str) -> bool:
        return self.opens(self._meant(name) or name)

    def _meant(self, name: str) -> str:
        return next((str(row["id"]) for row in self._tx.all(REPOS["by_identity"], identity=name)), "")
