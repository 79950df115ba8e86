"""How long landed work is remembered: thirty days, or as many as somebody says."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.git.support import write
from tests.conftest import Run, git

OLD = "".join(f"first version of line {number} by ana\n" for number in range(9))
NEW = "".join(f"second version of line {number} by bea\n" for number in range(9))


def at(shop: Path, days_ago: int, who: str, files: dict[str, str], *, is_first: bool = False) -> str:
    """A commit of somebody, made on a day."""
    write(shop, files)
    git(shop, "add", "--all")
    when = f"{who} <{who}@shop> {round(time.time()) - days_ago * 86_400} +0000"
    tree, parent = git(shop, "write-tree"), "" if is_first else f"parent {git(shop, 'rev-parse', 'HEAD')}\n"
    text = shop / ".git" / "made"
    text.write_text(f"tree {tree}\n{parent}author {when}\ncommitter {when}\n\nA change\n")
    sha = git(shop, "hash-object", "-t", "commit", "-w", str(text))
    git(shop, "reset", "--quiet", "--soft", sha)
    return sha


@pytest.fixture
def bea(shop: Path) -> str:
    """What Bea landed sixty days ago over Ana's; since then Ana has only worked beside it."""
    at(shop, 100, "ana", {"rates.py": OLD}, is_first=True)  # nothing lands before what it was made on
    sha = at(shop, 60, "bea", {"rates.py": NEW})
    at(shop, 20, "ana", {"other.py": "a line of other work\n"})
    return sha


def found(done: Any) -> list[str]:
    return [undone["undone"] for one in json.loads(done.stdout)["reversals"] for undone in one["undoes"]]


@pytest.mark.parametrize(
    ("options", "days"), [((), ""), (("--window", "90d"), ""), ((), "90"), (("--window", "30d"), "90")]
)
def test_an_audit_holds_each_commit_against_the_window_before_it(
    shop: Path, bea: str, loomstack: Run, options: tuple[str, ...], days: str
) -> None:
    at(shop, 0, "ana", {"rates.py": OLD})
    env = {"LOOMSTACK_WINDOW_DAYS": days} if days else {}

    done = loomstack("audit", "--json", *options, **env)

    is_wide = "90d" in options or (days and not options)
    assert found(done) == ([bea] if is_wide else [])


def test_a_trunk_says_how_long_its_work_is_remembered(shop: Path, bea: str, loomstack: Run) -> None:
    git(shop, "checkout", "--quiet", "-b", "mine")
    write(shop, {"rates.py": OLD})
    narrow = json.loads(loomstack("conflicts", "--json").stdout)
    git(shop, "stash", "--quiet")
    git(shop, "checkout", "--quiet", "main")
    at(shop, 0, "bea", {".loomstack/config.yaml": "window_days: 90\n"})
    git(shop, "checkout", "--quiet", "mine")
    git(shop, "stash", "pop", "--quiet")

    wide = json.loads(loomstack("conflicts", "--json").stdout)

    assert [one["commit"] for one in narrow["conflicts"]] == []
    assert [one["commit"] for one in wide["conflicts"]] == [bea]


def test_a_branch_does_not_say_so(shop: Path, bea: str, loomstack: Run) -> None:
    at(shop, 1, "bea", {".loomstack/config.yaml": "window_days: 90\n"})
    git(shop, "checkout", "--quiet", "-b", "mine")
    write(shop, {"rates.py": OLD, ".loomstack/config.yaml": "window_days: 1\n"})

    done = json.loads(loomstack("conflicts", "--json").stdout)

    assert bea in [one["commit"] for one in done["conflicts"]]
