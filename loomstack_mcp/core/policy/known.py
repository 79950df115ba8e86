"""A situation as those see it who know who is who: an actor's person, and all names of those who made a change."""

from collections.abc import Sequence
from dataclasses import replace

from loomstack_mcp.core.people import Person, person_called, with_all_names
from loomstack_mcp.core.policy.approvals import Approver
from loomstack_mcp.core.policy.situation import Actor, Situation

USUAL_ROLES = ("developer",)
"""Of an account where nobody says who is who."""


def known_people(situation: Situation, people: Sequence[Person], /) -> Situation:
    """The situation with what these say of its actor and its makers; without any it stays as it is."""
    if not people:
        return situation
    makers = with_all_names(people, situation.makers)
    return replace(situation, actor=_known_actor(situation.actor, people), makers=makers)


def approver(account: str, people: Sequence[Person], /) -> Approver:
    """Who answers from this account. Where people are named, an account of nobody's has no role.

    Nor is it whoever else is called so: by a colon, which is in no person's name.
    """
    if not people:
        return Approver(name=account, roles=USUAL_ROLES)
    person = next((one for one in people if account in one.users), None)
    if person is None:
        return Approver(name=f"account:{account}" if person_called(people, account) else account)
    return Approver(name=person.name, names=person.names, roles=person.roles)


def token_approver(owner: str, people: Sequence[Person], /) -> Approver:
    """Who answers by a token of this owner, as a hub knows it: where people are named, it is of one of them."""
    person = next((one for one in people if owner in one.tokens), None)
    if person is None:
        return Approver(name=owner, roles=() if people else USUAL_ROLES)
    return Approver(name=person.name, names=person.names, roles=person.roles)


def signing(situation: Situation, people: Sequence[Person], addresses: Sequence[str], /) -> Situation:
    """With the persons whose addresses sign the commits among the makers."""
    persons = (person_called(people, address) for address in addresses)
    return replace(situation, makers=situation.makers | {one.name for one in persons if one})


def _known_actor(actor: Actor, people: Sequence[Person]) -> Actor:
    person = person_called(people, actor.developer or "")
    if person is None:
        return actor
    # Whoever is known stays one of all developers: no rule that binds those lets go of them.
    roles = tuple(dict.fromkeys((*(actor.roles or USUAL_ROLES), *person.roles)))
    return replace(actor, names=person.names, roles=roles)
