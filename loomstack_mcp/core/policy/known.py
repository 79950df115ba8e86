"""A situation as those see it who know who is who: an actor's person, and all names of those who made a change."""

from collections.abc import Sequence
from dataclasses import replace

from loomstack_mcp.core.people import Person, person_called, with_all_names
from loomstack_mcp.core.policy.approvals import Approver
from loomstack_mcp.core.policy.situation import Actor, ApprovalFact, Situation

ANSWERED_BY = "token:"
"""How one of the names begins of whoever answers by a token; no person's name has a colon."""
USUAL_ROLES = ("developer",)
"""Of an account where nobody says who is who."""


def known_people(situation: Situation, people: Sequence[Person], /) -> Situation:
    """The situation with what these say of its actor, its makers and who approved."""
    if not people:
        return replace(situation, approvals=tuple(map(_usual_approval, situation.approvals)))
    return replace(
        situation,
        actor=_known_actor(situation.actor, people),
        makers=with_all_names(people, situation.makers),
        approvals=tuple(_known_approval(one, people) for one in situation.approvals),
    )


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


def approver_by_token(owner: str, people: Sequence[Person], /) -> Approver:
    """The same of whoever answers by a token of a hub: the person among whose tokens its owner is."""
    person = next((one for one in people if owner in one.tokens), None)
    if person:
        return Approver(name=person.name, names=person.names, roles=person.roles)
    return Approver(name=owner, roles=() if people else USUAL_ROLES)


def signing(situation: Situation, people: Sequence[Person], addresses: Sequence[str], /) -> Situation:
    """With the persons whose addresses sign the commits among the makers."""
    persons = (person_called(people, address) for address in addresses)
    return replace(situation, makers=situation.makers | {one.name for one in persons if one})


def _known_approval(given: ApprovalFact, people: Sequence[Person]) -> ApprovalFact:
    """Whose answer it is, with the roles that these give them: whoever kept it had only its sender's word for those."""
    person = person_called(people, given.by)
    if person is None:
        return replace(given, names=(), roles=())
    return replace(given, by=person.name, names=person.names, roles=person.roles)


def _usual_approval(given: ApprovalFact) -> ApprovalFact:
    """Where nobody says who is who, whoever answers by a token has no name but its owner's, and the role of all."""
    is_by_token = any(name.startswith(ANSWERED_BY) for name in given.names)
    return replace(given, names=(), roles=USUAL_ROLES) if is_by_token else given


def _known_actor(actor: Actor, people: Sequence[Person]) -> Actor:
    person = person_called(people, actor.developer or "")
    if person is None:
        return actor
    # Whoever is known stays one of all developers: no rule that binds those lets go of them.
    roles = tuple(dict.fromkeys((*(actor.roles or USUAL_ROLES), *person.roles)))
    return replace(actor, names=person.names, roles=roles)
