"""Rules whose approvals nobody can give, by what is said of who is who."""

from collections.abc import Iterator

from loomstack_mcp.core.people import PEOPLE_FILE
from loomstack_mcp.core.permits import HUB_ROLES
from loomstack_mcp.core.policy.approvals import Approver, may_answer
from loomstack_mcp.core.policy.known import USUAL_ROLES
from loomstack_mcp.core.policy.rules import Approve, Rule, Rulebook
from loomstack_mcp.core.policy.violations import Violation


def unknown_approvers(book: Rulebook, /) -> tuple[Violation, ...]:
    """Names that are roles; where it is said who is who, also names and roles that nobody has, and more people wanted
    than there are."""
    rules = [rule for rule in book.rules if rule.approve]
    problems_of = _of if book.people else _bare_roles
    return tuple(
        Violation(text=f"{rule.id}: {problem}", path=rule.place)
        for rule in rules
        for problem in problems_of(rule, book)
    )


def unsaid_approvers(book: Rulebook, /) -> tuple[Violation, ...]:
    """Where nobody says who is who: rules that ask for roles alone that no account has then."""
    rules = [rule for rule in book.rules if rule.approve and not book.people]
    usual = {f"role:{role}" for role in USUAL_ROLES}
    told = f"nobody has one of these roles until {PEOPLE_FILE} on the trunk says who does"
    return tuple(
        Violation(text=f"{rule.id}: asks {' or '.join(rule.approve.by)}: {told}", path=rule.place)
        for rule in rules
        if rule.approve and all(name.startswith("role:") and name not in usual for name in rule.approve.by)
    )


def _of(rule: Rule, book: Rulebook) -> Iterator[str]:
    assert rule.approve
    known = [Approver(name=one.name, names=one.names, roles=one.roles) for one in book.people]
    fit = [one.name for one in known if may_answer(rule.approve, one, ())]
    if rule.layer == "repo":
        for name in rule.approve.by:
            if not any(may_answer(Approve(by=(name,)), one, ()) for one in known):
                yield f"may be approved by {name}, and {PEOPLE_FILE} knows nobody of that{_meant(name, book)}"
    if len(fit) < rule.approve.count:
        yield f"wants {rule.approve.count} of {', '.join(rule.approve.by)}; {PEOPLE_FILE} knows {len(fit)}"


def _bare_roles(rule: Rule, book: Rulebook) -> Iterator[str]:
    """What stands where a name does, and is a role: nobody who answers is called so."""
    assert rule.approve
    yield from (f"may be approved by {name}{meant}" for name in rule.approve.by if (meant := _meant(name, book)))


def _meant(name: str, book: Rulebook) -> str:
    """Which role is meant, as it is to be written; "" for none."""
    roles = {*USUAL_ROLES, *HUB_ROLES, *(role for one in book.people for role in one.roles)}
    return f", which is no person: for the role write role:{name}" if name in roles else ""
