"""`.loomstack/people.yaml`: read strictly, from the trunk alone, and kept with the rules."""

from pathlib import Path

import pytest

from loomstack_mcp.adapters.git.discovery import place_at
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.policy.files import rulebook
from loomstack_mcp.adapters.policy.people import people_in
from loomstack_mcp.core.errors import PolicyError
from loomstack_mcp.core.people import PEOPLE_FILE, Person
from tests.adapters.git.support import commit, write
from tests.conftest import git

TEXT = """\
version: 1
people:
  dana:
    users: [dlee]
    addresses: [d@acme.example]
    roles: [lead]
  chen:
"""
PEOPLE = (Person(name="dana", users=("dlee",), addresses=("d@acme.example",), roles=("lead",)), Person(name="chen"))


def test_a_file_says_who_is_who() -> None:
    assert people_in(TEXT.encode()) == PEOPLE


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[]", "1: the file: must hold the keys version and people"),
        ("version: 2\npeople: {}\n", "1: version: must be 1"),
        ("version: true\npeople: {}\n", "1: version: must be 1"),
        ("version: 1\n", "1: people: must hold a key for each person: the name by which rules call them"),
        ("version: 1\npeople: {}\n", "2: people: must hold a key for each person: the name by which rules call them"),
        ("version: 1\npeople: []\n", "2: people: must hold a key for each person: the name by which rules call them"),
        ("version: 1\npeople: {}\npeopel: {}\n", "3: peopel: is no key here; did you mean people?"),
        ("version: 1\npeople:\n  a b: {}\n", "3: people.a b: is no name: one word without a colon"),
        ("version: 1\npeople:\n  role:lead: {}\n", "3: people.role:lead: is no name: one word without a colon"),
        ("version: 1\npeople:\n  a: [b]\n", "3: people.a: must hold keys: addresses, users, handles, tokens, roles"),
        ("version: 1\npeople:\n  a:\n    user: [b]\n", "4: people.a.user: is no key here; did you mean users?"),
        (
            "version: 1\npeople:\n  a:\n    users: b\n",
            "4: people.a.users: must be a list of single words",
        ),
        ("version: 1\npeople:\n  a:\n    users: [1]\n", "4: people.a.users: must be a list of single words"),
        ("version: 1\npeople:\n  a:\n    roles: ['role:b']\n", "4: people.a.roles: must be a list of single words"),
        (
            "version: 1\npeople:\n  a:\n    users: [c]\n  b:\n    handles: [C]\n",
            "6: people.b.handles: C is a already; one name is one person's",
        ),
        ("version: 1\npeople:\n  a:\n    users: [b]\n  b:\n", "5: people.b: b is a already; one name is one person's"),
        ('version: 1\npeople:\n  "dana\\u200b": {}\n', "3: people.dana\u200b: is no name"),
        (
            "version: 1\npeople:\n  a:\n    addresses: [é@b]\n  b:\n    addresses: [e\u0301@b]\n",
            "6: people.b.addresses: e\u0301@b is a already",
        ),
        ("version: 1\npeople:\n  a: &x\n", "3: "),
        ("version: 1\npeople:\n  a:\n  a:\n", "4: "),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, told: str) -> None:
    with pytest.raises(PolicyError) as refused:
        people_in(text.encode())

    assert str(refused.value).startswith(f"{PEOPLE_FILE}:{told}")


def test_one_name_in_several_fields_of_one_person_is_no_clash() -> None:
    [found] = people_in(b"version: 1\npeople:\n  a:\n    users: [a]\n    tokens: [a]\n    handles: [A]\n")

    assert found.names == ("a", "A")


def test_the_trunk_says_it_whatever_a_worktree_says(shop: Path, tmp_path: Path) -> None:
    landed = commit(shop, {PEOPLE_FILE: TEXT, "policies/a.yaml": "version: 1\npolicy: a\n"})
    write(shop, {PEOPLE_FILE: TEXT.replace("[lead]", "[owner]"), "policies/b.yaml": RULES})
    with Repository(place_at(shop)) as repo:
        loaded, kept = (rulebook(repo, str(tmp_path / "home"), commit=landed, worktree=True) for _ in "ab")
        there = rulebook(repo, "", worktree=True)
        none = rulebook(repo, "", commit=f"{landed}^")

    assert loaded.people == kept.people == PEOPLE
    assert "own" in [rule.id for rule in loaded.rules]
    assert there.people[0].roles == ("owner",)
    assert none.people == ()
    assert len({loaded.hash, there.hash, none.hash}) == 3


RULES = """\
version: 1
policy: b
rules:
  - {id: own, why: a person decides, effect: deny, on: [edit]}
"""


@pytest.mark.parametrize("kind", ["link", "folder"])
def test_what_is_no_file_of_its_own_is_refused(shop: Path, kind: str) -> None:
    path = shop / PEOPLE_FILE
    path.parent.mkdir()
    if kind == "link":
        (shop / "elsewhere.yaml").write_text(TEXT)
        path.symlink_to("../elsewhere.yaml")
        landed = commit(shop, {})
    else:
        landed = commit(shop, {f"{PEOPLE_FILE}/a.yaml": TEXT})

    with Repository(place_at(shop)) as repo:
        for given in ({"commit": landed}, {"worktree": True}):
            with pytest.raises(PolicyError, match=PEOPLE_FILE):
                rulebook(repo, "", **given)


def test_a_folder_that_cannot_be_read_is_none_that_says_nothing(shop: Path) -> None:
    """Nobody would be anybody's second name then, and whoever made a change could approve it by another."""
    (shop / "kept").mkdir()
    (shop / "kept/people.yaml").write_text(TEXT)
    (shop / ".loomstack").symlink_to("kept")
    linked = commit(shop, {})
    (shop / ".loomstack").unlink()
    lost = commit(shop, {PEOPLE_FILE: TEXT})
    tree = git(shop, "rev-parse", f"{lost}:.loomstack")
    (shop / ".git/objects" / tree[:2] / tree[2:]).unlink()

    for landed in (linked, lost):
        with Repository(place_at(shop)) as repo, pytest.raises(PolicyError, match=r"^\.loomstack:1: "):
            rulebook(repo, "", commit=landed)
