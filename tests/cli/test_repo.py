"""`repo`, `config` and `doctor` tell which repository this is, and how that was told; a person joins two."""

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.cli.doctors import Doctor
from tests.conftest import Run, environment, git
from tests.processes import SCRIPT

SHOP = "github.com/acme/shop"
URL = "https://x-access-token:SECRET@github.com/Acme/Shop.git"


@pytest.fixture
def clone(shop: Path) -> Path:
    git(shop, "remote", "add", "origin", URL)
    return shop


def test_the_identity_is_shown_with_what_it_was_derived_from(clone: Path, loomstack: Run, tmp_path: Path) -> None:
    config = {one["setting"]: one for one in json.loads(loomstack("config", "--json").stdout)}
    shown = json.loads(loomstack("repo", "show", "--json").stdout)
    doctor = Doctor(tmp_path, clone)

    assert (config["identity"]["value"], config["identity"]["from"]) == ("github.com/acme/shop", "remote origin")
    assert shown == {
        "repo": "github.com/acme/shop",
        "identity": "github.com/acme/shop",
        "from": "remote origin",
        "names": [],
    }
    assert doctor.found()["repository"]["found"] == "github.com/acme/shop, from remote origin"
    assert "identity" in loomstack("config").stdout


def test_a_name_that_was_given_says_so(clone: Path, loomstack: Run) -> None:
    shown = json.loads(loomstack("repo", "show", "--json", LOOMSTACK_REPO="host:2222/a").stdout)
    flagged = json.loads(loomstack("--repo", "root:0123456789abcdef", "repo", "show", "--json").stdout)

    assert (shown["identity"], shown["from"]) == ("host:2222/a", "repo in environment")
    assert (flagged["identity"], flagged["from"]) == ("root:0123456789abcdef", "flag")


@pytest.mark.parametrize("command", ["config", "doctor", "repo show", "runs", "conflicts", "audit", "gate --base main"])
def test_a_token_of_a_url_is_shown_nowhere(clone: Path, loomstack: Run, tmp_path: Path, command: str) -> None:
    done = loomstack(*command.split())
    stored = b"".join(path.read_bytes() for path in (tmp_path / "loomstack").rglob("*") if path.is_file())

    assert "SECRET" not in done.stdout + done.stderr
    assert b"SECRET" not in stored


@pytest.mark.parametrize("repo", ["https://SECRET@host/a", "https://user:SECRET@host/a", "user:SECRET@host:a"])
@pytest.mark.parametrize("command", ["config", "doctor", "repo show"])
def test_nor_is_one_in_a_setting(shop: Path, loomstack: Run, command: str, repo: str) -> None:
    found = [loomstack(*command.split(), LOOMSTACK_REPO=repo), loomstack("--repo", repo, *command.split())]

    assert [word for one in found for word in (one.stdout + one.stderr).split() if "SECRET" in word] == []
    assert ["host/a" in one.stdout for one in found] == [True, True]


def test_only_a_person_states_an_alias(clone: Path, loomstack: Run) -> None:
    done = loomstack("repo", "alias", "https://mirror.example/shop")

    assert (done.returncode, "only a person can do this" in done.stderr) == (1, True)


def test_a_person_states_an_alias_once(clone: Path, loomstack: Run, tmp_path: Path) -> None:
    command = [SCRIPT, "repo", "alias", "https://user:SECRET@mirror.example/shop.git"]
    main, terminal = pty.openpty()
    done = subprocess.run(command, stdin=terminal, capture_output=True, text=True, cwd=clone, env=environment(tmp_path))
    os.close(main)
    os.close(terminal)
    listed = json.loads(loomstack("repo", "list", "--json").stdout)
    by_name = json.loads(loomstack("--repo", "mirror.example/shop", "repo", "show", "--json").stdout)

    assert done.returncode == 0, done.stdout
    assert listed == [
        {"repo": "github.com/acme/shop", "names": ["github.com/Acme/Shop", "mirror.example/shop"], "clones": 1}
    ]
    assert by_name["repo"] == "github.com/acme/shop"
