"""Who a person at a terminal is to the repository there."""

from loomstack_mcp.core.people import Person
from loomstack_mcp.core.policy.approvals import Approver
from loomstack_mcp.core.policy.known import approver, approver_by_token
from loomstack_mcp.core.tokens import Principal
from loomstack_mcp.edge.here import Here
from loomstack_mcp.edge.people import people_of
from loomstack_mcp.loom import Loom


def approver_here(here: Here, loom: Loom, account: str) -> Approver:
    """The person of this account, or over a hub of the token's owner.

    Raises PolicyError where the trunk's files do not load, so that nobody can say.
    """
    people = people_here(here)
    asker = loom.tokens.whoami(Principal(name=account, role="admin"))
    return approver_by_token(asker.name, people) if asker.token else approver(account, people)


def attester_here(here: Here, name: str) -> str:
    """Whoever is called so, by one name: spaces around it, and another letter case, make nobody a second person."""
    called = " ".join(name.split())
    people = people_here(here)
    person = next((one for one in people if called.casefold() in map(str.casefold, one.names)), None)
    return person.name if person else called


def people_here(here: Here) -> tuple[Person, ...]:
    """Who is who to the repository there. Raises PolicyError, NotFound."""
    with here.any_repository() as repo:
        return people_of(repo, here.own_settings.home)
