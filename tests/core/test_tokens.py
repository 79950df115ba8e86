"""Tokens: their shape, the patterns of repos, and who may make which."""

import time

import pytest

from loomstack_mcp.core.errors import Invalid, Unauthorized
from loomstack_mcp.core.permits import HUB_ROLES, HubRole, Permit
from loomstack_mcp.core.secrets import secret_in
from loomstack_mcp.core.tokens import (
    EVERY_REPO,
    MadeToken,
    Principal,
    Token,
    covers_repos,
    fits_repo,
    grant_problem,
    id_in_token,
    may_read,
    refuse_role,
    repo_patterns,
    token_id_of,
    token_text,
)

TEXT = token_text(token_id_of(b"\x1a\x2b\x3c\x4d"), bytes(range(32)))


def principal(role: HubRole = "agent", repos: tuple[str, ...] = EVERY_REPO, *, name: str = "ana") -> Principal:
    return Principal(name=name, role=role, repos=repos)


def test_a_token_begins_with_its_id() -> None:
    assert TEXT == "loom_1a2b3c4d_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
    assert id_in_token(TEXT) == "loom_1a2b3c4d"
    assert [id_in_token(one) for one in ("", TEXT[:-1], f"{TEXT}\n", TEXT.upper(), "é" * 60)] == [""] * 5


def test_a_token_is_known_as_a_secret() -> None:
    assert secret_in(f"use {TEXT} here") == "a LoomStack token"


def test_no_text_of_a_token_stands_in_its_record() -> None:
    token = Token(
        id="loom_1a2b3c4d", principal="ana", role="agent", repos=EVERY_REPO, created_at_ms=0, created_by="dee",
        expires_at_ms=1,
    )  # fmt: skip

    assert TEXT not in repr(MadeToken(token=token, text=TEXT))


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("github.com/acme/*", "github.com/acme/shop", True),
        ("github.com/acme/*", "github.com/acme/shop/sub", False),
        ("github.com/acme/*", "github.com/acmes/shop", False),
        ("github.com/acme/*", "githubXcom/acme/shop", False),
        ("github.com/acme/**", "github.com/acme/shop/sub", True),
        ("github.com/acme/**", "github.com/acme", False),
        ("**", "root:0123456789abcdef", True),
        ("*", "github.com/acme/shop", False),
        ("**/shop", "github.com/acme/shop", True),
        ("**/shop", "github.com/acme/workshop", False),
        ("**/a*b", "x/aXb/axxb", True),
        ("*/acme/*-web-*", "github.com/acme/shop-web-web-ui", True),
        ("*-ui", "a-ui-ui", True),
        ("github.com/acme/shop", "github.com/acme/shop", True),
        ("github.com/acme/shop", "github.com/acme/shop\n", False),
        ("[::1]/a", "[::1]/a", True),
    ],
)
def test_a_pattern_means_the_repos_that_it_spells(pattern: str, name: str, expected: bool) -> None:
    assert fits_repo([pattern], name) is expected


def test_no_pattern_takes_long() -> None:
    began_s = time.process_time()
    wide = repo_patterns(["*a" * 99 + "b", "**" + "*a" * 0 + "a*" * 90 + "b"])

    assert not fits_repo(wide, "a" * 400)
    assert time.process_time() - began_s < 5  # some ms; one that tries every place would not end today


@pytest.mark.parametrize("pattern", ["", " ", "a b", "a***b", "**/a/**", "a\tb", "x" * 201])
def test_what_is_no_pattern_of_repos_is_refused(pattern: str) -> None:
    with pytest.raises(Invalid, match="pattern of repos"):
        repo_patterns(["github.com/acme/*", pattern])


@pytest.mark.parametrize("pattern", ["https://github.com/acme/shop", "ssh://git@x/acme/*", "github.com/acme/shop.git"])
def test_a_pattern_that_would_open_nothing_is_refused(pattern: str) -> None:
    with pytest.raises(Invalid, match=r"would open nothing.*without scheme and .git"):
        repo_patterns([pattern])


def test_a_pattern_is_in_the_letter_case_of_identities() -> None:
    assert repo_patterns(["GitHub.com/Acme/*", "Git.Example.com/Acme/*", "Shop"]) == (
        *("github.com/acme/*", "git.example.com/Acme/*", "Shop"),
    )


def test_a_pattern_that_a_provider_made_up_takes_no_time() -> None:
    assert not fits_repo(["**a" * 60], "a" * 400 + "b")


def test_without_patterns_a_token_opens_every_repo() -> None:
    assert repo_patterns([]) == EVERY_REPO


@pytest.mark.parametrize(
    ("own", "wanted", "expected"),
    [
        ("**", "**", True),
        ("**", "github.com/*/x", True),
        ("github.com/acme/*", "github.com/acme/shop", True),
        ("github.com/acme/*", "github.com/acme/*", True),
        ("github.com/acme/*", "github.com/acme/s*", True),
        ("github.com/acme/*", "github.com/acme/**", False),
        ("github.com/acme/s*", "github.com/acme/*", False),
        ("github.com/acme/*/*", "github.com/acme/**", False),
        ("github.com/acme/**", "github.com/acme/*", True),
        ("github.com/acme/shop", "**", False),
    ],
)
def test_patterns_cover_others_or_do_not(own: str, wanted: str, expected: bool) -> None:
    assert covers_repos([own], [wanted]) is expected


def test_a_repo_is_opened_by_its_id_and_by_other_names_only_while_it_has_none() -> None:
    acme = principal(repos=("github.com/acme/*",))

    assert may_read(acme, "github.com/acme/shop", ())
    assert not may_read(acme, "github.com/zoo/shop", ("github.com/acme/shop",))
    assert may_read(acme, "root:0123456789abcdef", ("root:0123456789abcdef", "github.com/acme/shop"))
    assert not may_read(principal(repos=("clone:*",)), "root:0123456789abcdef", ("clone:1",))
    assert may_read(acme, "org", ())


def test_a_runs_own_token_opens_its_repo_by_the_letter() -> None:
    own = Principal(name="ana", role="agent", repos=("github.com/acme/*",), run="run_1")

    assert not may_read(own, "github.com/acme/shop", ())
    assert may_read(own, "github.com/acme/*", ())


@pytest.mark.parametrize("wanted", HUB_ROLES)
@pytest.mark.parametrize("role", HUB_ROLES)
def test_a_role_may_do_what_those_before_it_may(role: HubRole, wanted: HubRole) -> None:
    permit = Permit(role=wanted, how="reads")
    if HUB_ROLES.index(role) >= HUB_ROLES.index(wanted):
        refuse_role(principal(role), permit)
    else:
        with pytest.raises(Unauthorized, match=f"{role}'s, and this takes an? {wanted}'s"):
            refuse_role(principal(role), permit)


@pytest.mark.parametrize(
    ("by", "owner", "role", "repos", "problem"),
    [
        (principal("admin"), "bea", "admin", EVERY_REPO, ""),
        (principal("developer"), "ana", "agent", EVERY_REPO, ""),
        (principal("developer"), "ana", "viewer", EVERY_REPO, ""),
        (principal("developer"), "ana", "developer", EVERY_REPO, "no admin"),
        (principal("developer"), "bea", "agent", EVERY_REPO, "no admin"),
        (principal("agent"), "ana", "agent", EVERY_REPO, "made by developers"),
        (principal("viewer"), "ana", "viewer", EVERY_REPO, "made by developers"),
        (principal("admin", ("github.com/acme/*",)), "bea", "agent", EVERY_REPO, "more repos"),
        (principal("developer", ("github.com/acme/*",)), "ana", "agent", ("github.com/acme/shop",), ""),
        (Principal(name="ana", role="admin", run="run_1"), "ana", "agent", EVERY_REPO, "made by developers"),
    ],
)
def test_nobody_gives_more_than_they_have(
    by: Principal, owner: str, role: HubRole, repos: tuple[str, ...], problem: str
) -> None:
    found = grant_problem(by, owner=owner, role=role, repos=repos)

    assert problem in found
    assert bool(found) is bool(problem)
