"""Who is who: equal addresses, noreply addresses, names that share one; and who is never taken for another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loomstack_mcp.core.changes.lines import Lines
from loomstack_mcp.core.changes.people import People, account_of, is_bot

LINES = Lines(b"a key")
seen = st.lists(st.tuples(st.sampled_from("123456"), st.sampled_from("ABCDEFGH")), max_size=14)


def knowing(*signed: str) -> People:
    """People of whom `name account` was seen."""
    people = People()
    for one in signed:
        name, account = one.split()
        people.know(account, name)
    return people


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("12345+ana@users.noreply.github.com", "ana@users.noreply.github.com"),
        ("12345+Ana@users.noreply.github.com", "987+ana@users.noreply.github.com"),
        ("77-ana@users.noreply.gitlab.com", "ana@users.noreply.gitlab.com"),
        ("5+ana@users.noreply.github.corp.example", "ana@users.noreply.github.corp.example"),
        ("Ana@Shop.example", " ana@shop.example"),
    ],
)
def test_these_are_one_address(one: str, other: str) -> None:
    assert account_of(one, LINES) == account_of(other, LINES) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1+ana@users.noreply.github.com", "1+bea@users.noreply.github.com"),
        ("ana@users.noreply.github.com", "ana@users.noreply.gitlab.com"),
        ("1+ana@shop.example", "ana@shop.example"),
        ("ana@shop.example", "ana@mill.example"),
    ],
)
def test_these_are_two(one: str, other: str) -> None:
    assert account_of(one, LINES) != account_of(other, LINES)


@pytest.mark.parametrize("address", ["", " ", "noreply@github.com", "no-reply@shop.example", "donotreply@x.example"])
def test_an_address_that_nobody_reads_is_nobodys(address: str) -> None:
    assert account_of(address, LINES) == ""


@pytest.mark.parametrize(
    ("known", "one", "other"),
    [
        ([], ("Ana", "1"), ("Ana", "2")),
        ([], ("Ana Smith", "1"), ("ana  smith", "2")),
        ([], ("Ana", "1"), ("Bea", "1")),
        ([], ("", "1"), ("", "1")),
        ([f"root {number}" for number in range(5)], ("ana", "0"), ("root", "0")),
        (["ana 1", "asmith 1", "asmith 2"], ("Ana", "3"), ("asmith", "2")),
        (["ana 1", "asmith 1", "asmith 2", "annie 2"], ("ana", "1"), ("annie", "2")),
        (["ana 1", "asmith 1"], ("ana", "9"), ("unseen", "1")),
    ],
)
def test_these_are_one_person(known: list[str], one: tuple[str, str], other: tuple[str, str]) -> None:
    people = knowing(*known)

    assert people.same(one, other)
    assert people.same(other, one)


FLEET = ["mayor 1", "witness 1", "polecat 1", "refinery 1", "deacon 1"]
ROOT = [*(f"root {number}" for number in range(5)), "ana 0", "bea 1"]


@pytest.mark.parametrize(
    ("known", "one", "other"),
    [
        ([], ("Ana", "1"), ("Bea", "2")),
        ([], ("Ana", ""), ("Bea", "")),
        ([], ("", ""), ("", "")),
        ([], ("", "1"), ("", "2")),
        (["ana 1", "bea 2"], ("ana", "1"), ("bea", "2")),
        (FLEET, ("mayor", "1"), ("witness", "1")),
        (FLEET[:4], ("mayor", "1"), ("a-fifth", "1")),
        ([*FLEET, "ana 1", "ana 2", "bea 1", "bea 3"], ("ana", "2"), ("bea", "3")),
        (ROOT, ("ana", "0"), ("bea", "1")),
        (ROOT, ("ana", "0"), ("root", "3")),
    ],
)
def test_these_are_two_people(known: list[str], one: tuple[str, str], other: tuple[str, str]) -> None:
    people = knowing(*known)

    assert not people.same(one, other)
    assert not people.same(other, one)


def test_what_is_heard_later_counts() -> None:
    people = knowing("ana 1", "asmith 1", "mayor 1")

    before = people.same(("ana", "2"), ("asmith", "3"))
    for name in ("witness", "deacon"):
        people.know("1", name)

    assert (before, people.same(("ana", "2"), ("asmith", "3"))) == (True, False)


@given(known=seen, asked=st.lists(st.tuples(st.sampled_from("ABCDEFGH"), st.sampled_from("123456")), min_size=2))
def test_the_answer_is_the_same_both_ways_and_in_whatever_order_people_were_met(
    known: list[tuple[str, str]], asked: list[tuple[str, str]]
) -> None:
    people, later = People(), People()
    for account, name in (*known, *((account, name) for name, account in asked)):
        people.know(account, name)
        people.same(("A", "1"), ("A", "1"))
    for account, name in ("1", "A"), *((account, name) for name, account in asked), *reversed(known):
        later.know(account, name)
    pairs = [(one, other) for one in asked for other in asked]

    assert [people.same(one, other) for one, other in pairs] == [later.same(other, one) for one, other in pairs]


@pytest.mark.parametrize(
    "name",
    ["dependabot[bot]", "renovate[bot]", "Renovate Bot", "dependabot", "github-actions", "GitHub Actions",
     "shop-bot", "k8s-ci-robot", "weblate_bot", "grafana-delivery-bot[bot]", "renovate-bot", "bot"],
)  # fmt: skip
def test_this_is_a_bot(name: str) -> None:
    assert is_bot(name)


@pytest.mark.parametrize(
    "name", ["Ana", "Robot Smith", "Ann Abbot", "Talbot", "botond", "copilot-swe-agent[bot]", "Claude",
             "devin-ai-integration[bot]", "cursor[bot]", "Dependable Ana", ""],
)  # fmt: skip
def test_this_is_none(name: str) -> None:
    assert not is_bot(name)
