"""Hooks over a hub: the first look is one question, and what is not asked is never answered."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from loomstack_mcp.adapters.git.worktree import worktree_at
from loomstack_mcp.core.runs import Caller
from tests.conftest import git
from tests.hooks.support import claude_edit, hook, refused
from tests.remote.hubs import Hub, a_hub, joined

BEA = Caller(principal="bea", session="claude:s-bea")


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with a_hub(tmp_path) as found:
        yield found


@pytest.fixture
def home(tmp_path: Path, hub: Hub) -> Path:
    joined(tmp_path / "home" / "loomstack", hub)
    return tmp_path / "home"


def asked(hub: Hub) -> list[str]:
    found = [path.removeprefix("/api/") for path, _ in hub.sent]
    hub.sent.clear()
    return found


def bea_claims(hub: Hub, shop: Path, pattern: str) -> None:
    worktree = worktree_at(shop)
    assert worktree
    checkout = replace(worktree.checkout(), worktree="elsewhere", clone="")
    run = hub.loom.runs.start(BEA, checkout, loop="prices", goal="gross", budget_tokens=800).run
    hub.loom.claims.claim_paths(BEA, run.id, patterns=[pattern], intent="x", mode="exclusive", ttl_ms=600_000)


@pytest.fixture
def cloned(shop: Path) -> Path:
    git(shop, "remote", "add", "origin", "https://git.example.com/acme/shop.git")
    return shop


def test_an_edit_of_what_a_colleague_holds_elsewhere_is_refused(hub: Hub, home: Path, cloned: Path) -> None:
    bea_claims(hub, cloned, "src/")

    reply = hook(home, "claude", claude_edit(cloned, str(cloned / "src/a.py")))

    assert refused(reply)
    assert "is claimed by" in json.dumps(reply)
    assert "prices@bea" in json.dumps(reply)


def test_a_further_edit_asks_one_question_until_somebody_else_comes(hub: Hub, home: Path, cloned: Path) -> None:
    edit = claude_edit(cloned, str(cloned / "src/a.py"))
    hook(home, "claude", edit)  # which brings the organisation's rules, by which the next one is judged
    first = hook(home, "claude", edit)
    asked(hub)
    again = hook(home, "claude", edit)
    questions = asked(hub)

    assert (first, again) == (None, None)
    assert questions == ["glances/is_clear"]
    assert hub.loom.claims.held("git.example.com/acme/shop", limit=9)[0][0].patterns == ("src/a.py",)
