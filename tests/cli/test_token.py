"""`token`: made, listed and revoked by commands; what is printed once is nowhere else."""

import json
import re
import stat
from pathlib import Path

import pytest

from loomstack_mcp.core.errors import Invalid, Unauthorized
from loomstack_mcp.core.tokens import Principal
from loomstack_mcp.loom import open_loom
from tests.conftest import Run
from tests.factories import ANA
from tests.services.support import started


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "loomstack" / "loom.db"


def test_the_first_admin_is_made_on_the_hubs_machine(loomstack: Run, store: Path, tmp_path: Path) -> None:
    made = loomstack("token", "create", "--for", "ana", "--role", "admin", cwd=tmp_path)

    assert re.fullmatch(r"loom_[0-9a-f]{8}_[0-9A-Za-z_-]{43}\n", made.stdout)
    assert made.stderr == (
        f"{made.stdout[:13]} of ana, admin in **, until 90 d have passed. It is shown this once; "
        f"`token revoke {made.stdout[:13]}` ends it.\n"
    )
    with open_loom(store) as loom:
        assert loom.tokens.checked(made.stdout.strip()).name == "ana"


def test_a_token_is_listed_revoked_and_written_down(loomstack: Run, store: Path) -> None:
    scope = ("--repo", "github.com/acme/*", "--repo", "github.com/zoo/x", "--expires", "8h")
    text = loomstack("token", "create", "--for", "bea", "--role", "agent", *scope).stdout.strip()
    [before] = json.loads(loomstack("token", "list", "--json").stdout)
    revoked = loomstack("token", "revoke", text[:13])
    again = loomstack("token", "revoke", text[:13])
    [after] = json.loads(loomstack("token", "list", "--json").stdout)
    log = json.loads(loomstack("token", "log", "--json").stdout)

    assert before == {
        "id": text[:13],
        "for": "bea",
        "role": "agent",
        "repos": "github.com/acme/* github.com/zoo/x",
        "run": "",
        "expires": before["expires"],
        "used": "never",
        "by": before["by"],
    }
    assert before["expires"] == "in 8 h"
    assert revoked.stdout == f"{text[:13]} of bea opens nothing any more.\n"
    assert (again.returncode, "already" in again.stderr) == (1, True)
    assert after["expires"] == f"revoked by {before['by']}"
    assert {(one["what"], one["verdict"]) for one in log} == {
        ("tokens.create", "granted"),
        ("tokens.revoke", "granted"),
    }
    with open_loom(store) as loom, pytest.raises(Unauthorized, match="revoked"):
        loom.tokens.checked(text)


def test_a_run_has_a_token_of_its_own(loomstack: Run, store: Path) -> None:
    with open_loom(store) as loom:
        run = started(loom, ANA)
        text = loomstack("token", "create", "--run", run.id).stdout.strip()

        assert loom.tokens.checked(text) == Principal(
            name="ana", role="agent", repos=(run.repo_id,), run=run.id, token=text[:13]
        )


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ([], 1, "say --for whom it is"),
        (["--for", "ana"], 1, "--role"),
        (["--for", "ana", "--role", "root"], 64, "viewer"),
        (["--for", "ana", "--role", "agent", "--expires", "never"], 64, "no span"),
        (["--for", "ana", "--role", "agent", "--expires", "400d"], 1, "366"),
        (["--for", "ana", "--role", "agent", "--repo", "a b"], 1, "github.com/acme/*"),
        (["--for", " ", "--role", "agent"], 1, "one word"),
        (["--run", "run_ZZZZZZZZ"], 1, "unknown"),
        (["--run", "run_ZZZZZZZZ", "--role", "admin"], 1, "leave out --role"),
    ],
)
def test_what_makes_no_token_says_why(loomstack: Run, words: list[str], status: int, said: str) -> None:
    found = loomstack("token", "create", *words)

    assert (found.returncode, found.stdout) == (status, "")
    assert said in found.stderr


def test_a_token_is_in_no_file_and_no_command_shows_it_again(
    loomstack: Run, tmp_path: Path, store: Path, shop: Path
) -> None:
    text = loomstack("token", "create", "--for", "ana", "--role", "agent").stdout.strip()
    with open_loom(store) as loom:
        loom.tokens.checked(text)
    shown = [
        loomstack(*words).stdout
        for words in (
            *(["token", "list"], ["token", "log"], ["config"], ["events"], ["doctor"]),
            ["db", "export", str(tmp_path / "exported")],
        )
    ]
    secret = text[14:].encode()

    assert [words for words in shown if text[14:] in words] == []
    assert [path for path in tmp_path.rglob("*") if path.is_file() and secret in path.read_bytes()] == []
    private = store.with_name("loom-private.db")
    assert stat.S_IMODE(private.stat().st_mode) == 0o600


def test_a_note_with_a_token_is_not_kept(loomstack: Run, store: Path) -> None:
    text = loomstack("token", "create", "--for", "ana", "--role", "agent").stdout.strip()
    with open_loom(store) as loom:
        run = started(loom, ANA)
        with pytest.raises(Invalid, match="shows a LoomStack token"):
            loom.notes.share(ANA, run.id, kind="fact", text=f"use {text}")
