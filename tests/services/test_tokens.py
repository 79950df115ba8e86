"""Tokens of a hub: made once, kept as hashes in a file of their own, checked, revoked, and never shown again."""

import hmac
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loomstack_mcp.core.errors import Invalid, LimitExceeded, NotFound, Unauthorized
from loomstack_mcp.core.limits import DAY_MS
from loomstack_mcp.core.permits import HubRole
from loomstack_mcp.core.tokens import JWT, MadeToken, Principal
from loomstack_mcp.loom import Loom
from loomstack_mcp.store.base import Store
from loomstack_mcp.store.sqlite import admin
from tests.conftest import Clocks
from tests.factories import ANA, REPO
from tests.services.support import started

ADMIN = Principal(name="dee", role="admin")


def made(loom: Loom, role: HubRole = "agent", **options: Any) -> MadeToken:
    return loom.tokens.create(ADMIN, **{"owner": "ana", "role": role, **options})


def refused(loom: Loom, bearer: str) -> str:
    with pytest.raises(Unauthorized) as error:
        loom.tokens.checked(bearer)
    return str(error.value)


def test_a_token_stands_for_its_owner(loom: Loom) -> None:
    given = made(loom, "developer", repos=["github.com/acme/*"])

    assert loom.tokens.checked(given.text) == Principal(
        name="ana", role="developer", repos=("github.com/acme/*",), token=given.token.id
    )


def test_what_opens_nothing_is_refused_in_the_same_words(loom: Loom) -> None:
    given = made(loom)
    head, tail = given.text[:14], given.text[14:]
    wrong = head + tail[:-2] + ("AA" if tail[-2:] != "AA" else "BB")
    words = {refused(loom, one) for one in ("", "x", wrong, f"loom_00000000_{'A' * 43}", given.token.id, "é\udc80.a.b")}

    assert len(words) == 1
    assert "ana" not in words.pop()


def test_an_expired_token_and_a_revoked_one_open_nothing(loom: Loom, clocks: Clocks) -> None:
    short, other = made(loom, ttl_ms=DAY_MS), made(loom)
    clocks.pass_minutes(DAY_MS / 60_000)

    assert "expired 0 s ago" in refused(loom, short.text)
    loom.tokens.revoke(ADMIN, other.token.id)
    assert "was revoked by dee" in refused(loom, other.text)
    with pytest.raises(Invalid, match="already"):
        loom.tokens.revoke(ADMIN, other.token.id)


@pytest.mark.parametrize(("days", "error"), [(0, Invalid), (-1, Invalid), (367, LimitExceeded)])
def test_every_token_expires(loom: Loom, days: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        made(loom, ttl_ms=days * DAY_MS)


@pytest.mark.sqlite("it reads the files")
def test_the_text_of_a_token_is_kept_nowhere(loom: Loom, tmp_path: Path) -> None:
    given = made(loom)
    loom.tokens.checked(given.text)
    secret = given.text[14:].encode()
    loom.close()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]

    assert (tmp_path / "loom-private.db") in files
    assert [path for path in files if secret in path.read_bytes()] == []
    with closing(sqlite3.connect(tmp_path / "loom.db")) as store:
        assert given.token.id not in "\n".join(store.iterdump())
    assert stat.S_IMODE((tmp_path / "loom-private.db").stat().st_mode) == 0o600


@pytest.mark.sqlite("it reads the files")
def test_neither_an_export_nor_a_query_shows_tokens(loom: Loom, tmp_path: Path) -> None:
    given = made(loom)
    loom.repos.ids()
    admin.export(tmp_path / "loom.db", tmp_path / "exported")

    assert given.token.id not in "".join(path.read_text() for path in (tmp_path / "exported").iterdir())
    with pytest.raises(Invalid, match="token"):
        admin.query(tmp_path / "loom.db", "SELECT * FROM token", limit=1, may_go_on=lambda: True)


def test_hashes_are_compared_in_constant_time_whether_there_is_such_a_token_or_not(
    loom: Loom, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, compared, compare = made(loom), [], hmac.compare_digest

    def noted(one: str, other: str) -> bool:
        compared.append((one, other))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", noted)
    loom.tokens.checked(given.text)
    for unknown in (f"loom_00000000_{'A' * 43}", "", f"{given.text[:-1]}!"):
        refused(loom, unknown)

    assert [(len(one), len(other)) for one, other in compared] == [(64, 64)] * 4


def test_the_last_use_is_written_once_a_minute(loom: Loom, clocks: Clocks) -> None:
    given = made(loom)
    used = []
    for minutes in (2, 0.5, 0.4, 1):
        clocks.pass_minutes(minutes)
        loom.tokens.checked(given.text)
        loom.tokens.settle()
        [token] = loom.tokens.listed(ADMIN)[0]
        used.append((token.used_at_ms - token.created_at_ms) / 60_000)

    assert used == [2, 2, 2, 3.9]


@pytest.mark.sqlite("it locks the file")
def test_a_use_that_cannot_be_written_is_in_nobodys_way(loom: Loom, tmp_path: Path) -> None:
    given = made(loom)
    with closing(sqlite3.connect(tmp_path / "loom-private.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert loom.tokens.checked(given.text).name == "ana"
        loom.tokens.settle()

    assert loom.tokens.checked(given.text).name == "ana"


def test_requests_whose_token_opens_nothing_are_counted(loom: Loom, open_store: Callable[[], Store]) -> None:
    given = made(loom)
    loom.tokens.revoke(ADMIN, given.token.id)
    for bearer in (given.text, given.text, "", "x"):
        refused(loom, bearer)
    loom.close()

    with Loom(open_store(), rework_max=3) as again:
        found = {one.token_id: one.count for one in again.tokens.powers(ADMIN, limit=10)[0] if one.what == "enter"}
    assert found == {given.token.id: 2, "": 2}


def test_what_was_given_and_revoked_is_written_down(loom: Loom) -> None:
    by = Principal(name="dee", role="admin", token="loom_0000000d")
    given = loom.tokens.create(by, owner="bea", role="viewer")
    loom.tokens.revoke(by, given.token.id)

    found = {(one.what, one.who, one.token_id, one.about) for one in loom.tokens.powers(by, limit=10)[0]}
    assert found == {
        ("tokens.create", "dee", "loom_0000000d", f"{given.token.id} for bea, viewer"),
        ("tokens.revoke", "dee", "loom_0000000d", f"{given.token.id} of bea"),
    }
    assert loom.tokens.powers(Principal(name="bea", role="developer"), limit=10)[0] == ()


def test_a_developer_sees_and_revokes_their_own(loom: Loom) -> None:
    ana = Principal(name="ana", role="developer")
    mine, others = loom.tokens.create(ana, owner="ana", role="agent"), made(loom, owner="bea")

    assert [one.id for one in loom.tokens.listed(ana)[0]] == [mine.token.id]
    with pytest.raises(NotFound):
        loom.tokens.revoke(ana, others.token.id)
    loom.tokens.revoke(ana, mine.token.id)
    assert "revoked by ana" in refused(loom, mine.text)


def test_an_admin_of_some_repos_is_none_of_others(loom: Loom) -> None:
    some = Principal(name="sam", role="admin", repos=("github.com/acme/*",))
    inside = made(loom, owner="bea", repos=["github.com/acme/shop"])
    outside = [made(loom, owner="bea"), made(loom, owner="bea", repos=["github.com/zoo/*"])]
    loom.tokens.map_subject(ADMIN, "iss|sub", owner="cleo")

    assert [one.id for one in loom.tokens.listed(some)[0]] == [inside.token.id]
    for other in outside:
        with pytest.raises(NotFound):
            loom.tokens.revoke(some, other.token.id)
    with pytest.raises(Unauthorized):
        loom.tokens.map_subject(some, "iss|sub", owner="sam")
    with pytest.raises(Unauthorized, match="mapped for more repos"):
        loom.tokens.map_subject(some, "iss|sub", owner="sam", repos=["github.com/acme/shop"])
    assert (loom.tokens.powers(some, limit=9)[0], loom.tokens.subjects(some)) == ((), ())
    assert loom.tokens.revoke(some, inside.token.id).revoked_by == "sam"


@pytest.mark.parametrize("owner", ["", " ", "a b", "a\n", "x" * 201, "a\x00"])
def test_an_owner_is_called_by_one_word(loom: Loom, owner: str) -> None:
    with pytest.raises(Invalid, match="one word"):
        made(loom, owner=owner)


def test_nobody_gives_more_than_they_have(loom: Loom) -> None:
    ana = Principal(name="ana", role="developer", repos=("github.com/acme/*",))
    with pytest.raises(Unauthorized, match="no token was made"):
        loom.tokens.create(ana, owner="ana", role="agent")
    with pytest.raises(Unauthorized, match="no token was made"):
        loom.tokens.create(ana, owner="ana", role="admin", repos=["github.com/acme/x"])

    assert loom.tokens.listed(ADMIN)[0] == ()


def test_a_runs_own_token_lives_as_long_as_its_lease(loom: Loom, clocks: Clocks) -> None:
    run = started(loom, ANA)
    given = made(loom, "admin", run_id=run.id)

    assert loom.tokens.checked(given.text) == Principal(
        name="ana", role="agent", repos=(REPO,), run=run.id, token=given.token.id
    )
    clocks.pass_minutes(run.ttl_ms / 60_000)
    assert "its lease has ended" in refused(loom, given.text)
    loom.claims.claim_paths(ANA, run.id, patterns=["a"], intent="on", mode="exclusive", ttl_ms=60_000)
    assert loom.tokens.checked(given.text).run == run.id


def test_nobody_gets_the_token_of_anothers_run(loom: Loom) -> None:
    run = started(loom, ANA)
    with pytest.raises(NotFound, match="unknown"):
        made(loom, owner="bea", run_id=run.id)
    with pytest.raises(NotFound, match="unknown"):
        made(loom, run_id="run_00000000")


@pytest.mark.parametrize(("with_what", "days"), [("agent's for a year", 7), (JWT, 1)])
def test_what_is_made_with_a_token_ends_with_it(loom: Loom, with_what: str, days: int) -> None:
    own = made(loom, "developer", ttl_ms=7 * DAY_MS)
    by = loom.tokens.checked(own.text)
    by = replace(by, token=JWT) if with_what == JWT else by
    given = loom.tokens.create(by, owner="ana", role="agent", ttl_ms=300 * DAY_MS).token
    wide = loom.tokens.create(replace(by, role="admin"), owner="bea", role="agent", ttl_ms=300 * DAY_MS).token

    assert [round((one.expires_at_ms - one.created_at_ms) / DAY_MS) for one in (given, wide)] == [days, 300]
