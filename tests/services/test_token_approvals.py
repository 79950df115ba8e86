"""Approvals by token: whose answer it is, the token says; with which roles, people.yaml as whoever decides reads it."""

from typing import Any

import pytest

from loomstack_mcp.core.errors import Invalid, Unauthorized
from loomstack_mcp.core.people import Person
from loomstack_mcp.core.policy.approvals import Approver
from loomstack_mcp.core.policy.known import approver_by_token
from loomstack_mcp.core.tokens import Principal
from loomstack_mcp.edge.deciding import PolicyResult
from loomstack_mcp.loom import Loom
from tests.factories import ANA, BEA
from tests.services.support import started
from tests.services.test_approvals import book, edit, rule

DANA = Person(name="dana", tokens=("dana-desk", "dana-lap"), roles=("lead",))
EVE = Person(name="eve", tokens=("eve-tok",), roles=("developer",))
PEOPLE = (DANA, EVE)


@pytest.fixture(autouse=True)
def _runs(loom: Loom) -> None:
    started(loom, ANA)
    started(loom, BEA)


def answer(loom: Loom, asked: PolicyResult, owner: str, told: Approver, *, role: Any = "developer") -> None:
    principal = Principal(name=owner, role=role, token=f"loom_{owner}")
    arguments = {"approval_id": asked.approval, "approver": told, "verdict": "granted", "why": ""}
    with loom.access.entered(principal, "approvals.answer", arguments) as entered:
        loom.approvals.answer(**entered.arguments)


def test_the_person_whose_token_it_is_lets_it_through(loom: Loom) -> None:
    rules = book(people=PEOPLE)
    answer(loom, edit(loom, rules), "dana-lap", approver_by_token("dana-lap", PEOPLE))

    assert edit(loom, rules).decision.answer == "allow"


@pytest.mark.parametrize("people", [PEOPLE, ()])
@pytest.mark.parametrize(
    "forged",
    [Approver(name="eve-tok", roles=("lead",)), Approver(name="dana", names=("dana", "eve-tok"), roles=("lead",))],
)
def test_a_role_that_is_only_claimed_lets_nothing_through(
    loom: Loom, forged: Approver, people: tuple[Person, ...]
) -> None:
    rules = book(people=people)
    answer(loom, edit(loom, rules), "eve-tok", forged)

    assert edit(loom, rules).decision.answer == "require_approval"


def test_a_name_that_is_only_claimed_lets_nothing_through(loom: Loom) -> None:
    rules = book(rule(by="dana"))
    forged = Approver(name="dana", names=("dana", "eve-tok"))
    answer(loom, edit(loom, rules), "eve-tok", forged)
    by_eve = edit(loom, rules).decision.answer
    answer(loom, edit(loom, rules), "dana", Approver(name="dana"))

    assert (by_eve, edit(loom, rules).decision.answer) == ("require_approval", "allow")


def test_two_tokens_of_one_person_are_one_person(loom: Loom) -> None:
    rules = book(rule(count=2), people=PEOPLE)
    asked = edit(loom, rules)
    answer(loom, asked, "dana-lap", approver_by_token("dana-lap", PEOPLE))
    with pytest.raises(Invalid, match="wants somebody else"):
        answer(loom, asked, "dana-desk", approver_by_token("dana-desk", PEOPLE))


def test_two_tokens_of_one_person_are_one_person_whatever_is_told_of_them(loom: Loom) -> None:
    rules = book(rule(count=2), people=PEOPLE)
    asked = edit(loom, rules)
    for owner in ("dana-lap", "dana-desk"):
        answer(loom, asked, owner, Approver(name=owner, roles=("lead",)))

    assert loom.approvals.approval(asked.approval)[0].state == "granted"
    assert edit(loom, rules).decision.answer == "require_approval"


def test_the_token_of_whoever_made_it_is_no_second_person(loom: Loom) -> None:
    ana = Person(name="ana-marie", users=("ana",), tokens=("ana-tok",), roles=("lead",))
    rules = book(people=(ana,))
    asked = edit(loom, rules)
    for told in (approver_by_token("ana-tok", (ana,)), Approver(name="ana-tok", names=("z",), roles=("lead",))):
        with pytest.raises(Invalid, match="is not for"):
            answer(loom, asked, "ana-tok", told)


def test_an_agents_token_answers_nothing(loom: Loom) -> None:
    with pytest.raises(Unauthorized, match="takes a developer's"):
        answer(loom, edit(loom), "dana-lap", approver_by_token("dana-lap", PEOPLE), role="agent")


def test_an_owner_whom_nobody_names_has_no_role() -> None:
    assert approver_by_token("x", PEOPLE) == Approver(name="x")
    assert approver_by_token("x", ()) == Approver(name="x", roles=("developer",))
    assert approver_by_token("dana", PEOPLE) == Approver(name="dana")
