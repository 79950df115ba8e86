"""Hooks over a hub: the first look is one question, and what is not asked is never answered."""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from loomstack_mcp.adapters.git.worktree import worktree_at
from loomstack_mcp.adapters.policy.cache import PolicyFile
from loomstack_mcp.core.claims import Claim
from loomstack_mcp.core.runs import Caller
from tests.adapters.git.support import commit
from tests.conftest import environment, git
from tests.hooks.support import claude_edit, hook, refused
from tests.house.started import started
from tests.processes import HOOK, SCRIPT
from tests.remote.hubs import TOKEN, Hub, a_hub, joined
from tests.wire import Server

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


def test_a_files_first_edit_is_held_by_one_question_where_no_rule_is_about_it(
    hub: Hub, home: Path, cloned: Path
) -> None:
    edits = [
        claude_edit(cloned, str(cloned / path)) for path in ("src/a.py", "src/b.py", "src/c.py", "policies/x.yaml")
    ]
    [hook(home, "claude", edit) for edit in edits[:2]]
    asked(hub)
    replies = [hook(home, "claude", edit) for edit in (edits[2], edits[2])]
    questions = asked(hub)
    held = hub.loom.claims.held("git.example.com/acme/shop", limit=9)[0]
    worktrees = {claim.worktree for claim in held}
    bea_claims(hub, cloned, "docs/")

    assert (replies, questions) == ([None, None], ["glances/hold_clear"] * 2)
    assert {claim.patterns for claim in held} == {("src/a.py",), ("src/b.py",), ("src/c.py",)}
    assert len(worktrees) == 1
    assert refused(hook(home, "claude", claude_edit(cloned, str(cloned / "docs/x.md"))))
    assert asked(hub)[:2] == ["glances/hold_clear", "glances/closer_look"]
    assert refused(hook(home, "claude", edits[3]))
    assert asked(hub)[0] == "glances/closer_look"


def test_what_a_note_is_about_is_looked_at_closely_at_every_edit(hub: Hub, home: Path, cloned: Path) -> None:
    edits = [claude_edit(cloned, str(cloned / path)) for path in ("src/a.py", "src/b.py")]
    [hook(home, "claude", edits[0]) for _ in range(2)]
    checkout = replace(worktree_at(cloned).checkout(), worktree="elsewhere", clone="")  # type: ignore[union-attr]
    hub.loom.notes.add(checkout, kind="warning", text="on purpose", patterns=["src/b.py"], who="bea")
    asked(hub)

    assert [hook(home, "claude", edits[1]) for _ in range(2)] == [None, None]
    assert [each for each in asked(hub) if each.startswith("glances/")] == [
        "glances/hold_clear",
        "glances/closer_look",
    ] * 2


def test_a_files_first_edit_asks_two_questions(hub: Hub, home: Path, cloned: Path) -> None:
    hook(home, "claude", claude_edit(cloned, str(cloned / "src/a.py")))
    asked(hub)

    assert hook(home, "claude", claude_edit(cloned, str(cloned / "src/b.py"))) is None
    assert asked(hub) == ["glances/closer_look", "edits/hold"]
    assert (home / "loomstack/edge.db-wal").stat().st_size > 0  # so that no hook waited for the disk


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


def test_what_a_colleague_takes_meanwhile_is_refused_at_the_next_edit(hub: Hub, home: Path, cloned: Path) -> None:
    edit = claude_edit(cloned, str(cloned / "src/a.py"))
    first = [hook(home, "claude", edit) for _ in range(2)]
    hub.loom.levers.release_claim(
        hub.loom.claims.held("git.example.com/acme/shop", limit=9)[0][0].id, who="dana", why="ana is away"
    )
    bea_claims(hub, cloned, "src/")

    assert first == [None, None]
    assert "is claimed by" in json.dumps(hook(home, "claude", edit))


@pytest.mark.parametrize(("guard", "is_refused"), [("open", False), ("closed", True)])
def test_without_the_hub_nothing_is_clear(
    tmp_path: Path, home: Path, cloned: Path, hub: Hub, guard: str, is_refused: bool
) -> None:
    edit = claude_edit(cloned, str(cloned / "src/a.py"))
    settings = home / "loomstack/config.yaml"
    settings.write_text(f"{settings.read_text()}guard: {guard}\n")
    assert [hook(home, "claude", edit) for _ in range(2)] == [None, None]
    hub.stop()

    replies = [hook(home, "claude", edit) for _ in range(3)]

    assert [refused(reply) for reply in replies] == [is_refused] * 3
    assert all("loomstack-hook did not check this step" in json.dumps(reply) for reply in replies)
    assert all("is away" in json.dumps(reply) for reply in replies)
    assert "so it was found" in json.dumps(replies[2])


@pytest.mark.parametrize("code", ["paused", "not_found", "invalid", "lease_lost", "unauthorized", "never heard"])
def test_a_closed_guard_is_opened_by_no_word_of_a_hub(home: Path, cloned: Path, hub: Hub, code: str) -> None:
    edit = claude_edit(cloned, str(cloned / "src/a.py"))
    settings = home / "loomstack/config.yaml"
    settings.write_text(f"{settings.read_text()}guard: closed\n")
    assert [hook(home, "claude", edit) for _ in range(2)] == [None, None]
    hub.told = [(409, {}, json.dumps({"error": {"code": code, "message": "go on"}}).encode())] * 50

    assert refused(hook(home, "claude", edit))


def test_what_would_be_taken_back_is_not_clear_where_the_hub_does_not_say(
    hub: Hub, home: Path, cloned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = hub.answer

    def half(path: str, body: bytes, token: str, request: str) -> tuple[int, bytes]:
        if path == "/api/glances/closer_look":
            return 200, b'{"answer": {"meant": ["src/a.py"]}}'
        if path.startswith("/api/undoings/"):
            return 503, b'{"error": {"code": "store_unavailable", "message": "stopping"}}'
        return answers(path, body, token, request)

    git(cloned, "update-ref", "refs/remotes/origin/main", "HEAD")
    monkeypatch.setattr(hub, "answer", half)
    replies = [hook(home, "claude", claude_edit(cloned, str(cloned / "src/a.py"))) for _ in range(2)]

    assert all("did not check this step. store_unavailable: stopping" in json.dumps(reply) for reply in replies)


def test_a_shell_line_that_only_reads_asks_the_hub_nothing(hub: Hub, home: Path, cloned: Path) -> None:
    line = {**claude_edit(cloned, ""), "tool_name": "Bash", "tool_input": {"command": "git status"}}
    hook(home, "claude", line)
    asked(hub)

    assert hook(home, "claude", line) is None
    assert asked(hub) == []


def test_what_an_agent_has_to_hear_is_one_question(hub: Hub, home: Path, cloned: Path) -> None:
    edit = claude_edit(cloned, str(cloned / "src/a.py"))
    hook(home, "claude", edit)
    asked(hub)

    assert hook(home, "claude", edit, event="PostToolUse") is None
    assert asked(hub) == ["glances/is_unalerted"]


def test_an_edit_in_two_repositories_of_one_path_is_two(hub: Hub, home: Path, shop: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(shop, other)
    for root, name in ((shop, "shop"), (other, "other")):
        git(root, "remote", "add", "origin", f"https://git.example.com/acme/{name}.git")
    for root in (shop, other):
        for _ in range(2):
            assert hook(home, "claude", claude_edit(root, str(root / "src/a.py"))) is None
    bea_claims(hub, other, "docs/")

    assert {claim.repo_id for claim in held(hub)} == {"git.example.com/acme/shop", "git.example.com/acme/other"}


def held(hub: Hub) -> list[Claim]:
    return [claim for repo_id in hub.loom.repos.ids() for claim in hub.loom.claims.held(repo_id, limit=9)[0]]


@pytest.mark.parametrize("path", ["src/a.py", "src/b.py"])
def test_an_edit_over_a_hub_loads_little_and_asks_git_nothing(hub: Hub, home: Path, cloned: Path, path: str) -> None:
    edit = claude_edit(cloned, str(cloned / path))
    for _ in range(2):  # the first one brings the organisation's rules
        hook(home, "claude", claude_edit(cloned, str(cloned / "src/a.py")))

    found = started([HOOK, "claude", "PreToolUse"], cwd=cloned, environment=environment(home), stdin=json.dumps(edit))

    assert (found.status, found.printed, found.said, found.git) == (0, "", "", ())
    assert {"dataclasses", "http.client", "pathlib", "ssl", "yaml"} & found.modules == set()
    assert {name.removeprefix("loomstack_mcp.") for name in found.ours if ".remote" in name or ".hub" in name} == {
        "adapters.hub_tokens",
        *("remote", "remote.exchange", "remote.glance", "remote.line", "remote.sockets"),
    }


NO_SOURCES = b"""
version: 1
policy: org
rules:
  - id: sources-closed
    why: dana is to be asked first
    effect: deny
    on: [edit]
    where: {paths: [/src/**]}
"""


def test_rules_that_a_hub_has_by_now_hold_for_a_further_edit(hub: Hub, home: Path, cloned: Path) -> None:
    edit = claude_edit(cloned, str(cloned / "src/a.py"))
    before = [hook(home, "claude", edit) for _ in range(2)]
    hub.rules = [PolicyFile(layer="org", name="org/a.yaml", content=NO_SOURCES)]
    soon = hook(home, "claude", edit)
    [asked_at] = (home / "loomstack").glob("hub-rules-*/asked")
    os.utime(asked_at, ns=(0, asked_at.stat().st_mtime_ns - 301 * 10**9))

    assert [*before, soon] == [None] * 3
    assert "dana is to be asked first" in json.dumps(hook(home, "claude", edit))


def test_what_one_hub_s_rules_allowed_is_not_allowed_by_another_s(
    hub: Hub, home: Path, cloned: Path, tmp_path: Path
) -> None:
    edit = claude_edit(cloned, str(cloned / "src/a.py"))
    (home / "loomstack/config.yaml").unlink()
    (tmp_path / "other").mkdir()
    with a_hub(tmp_path / "other") as other:
        kept = [{"origin": each.url, "token": TOKEN} for each in (hub, other)]
        (home / "loomstack/hub-tokens.json").write_text(json.dumps(kept))
        other.rules = [PolicyFile(layer="org", name="org/a.yaml", content=NO_SOURCES)]
        bea_claims(other, cloned, "docs/")
        first = [hook(home, "claude", edit, LOOMSTACK_STORE=hub.url, LOOMSTACK_CLAIM_EDITS="off") for _ in range(2)]
        here = hook(home, "claude", edit, LOOMSTACK_STORE=other.url, LOOMSTACK_CLAIM_EDITS="off")

    assert first == [None] * 2
    assert "dana is to be asked first" in json.dumps(here)


def test_a_settings_file_that_only_yaml_can_read_is_looked_at_closely(hub: Hub, home: Path, cloned: Path) -> None:
    bea_claims(hub, cloned, "src/")
    edit = claude_edit(cloned, str(cloned / "src/a.py"))
    (home / "loomstack/config.yaml").write_text(f"# the store of old: /x\nstore: >-\n  {hub.url}\n")

    assert [refused(hook(home, "claude", edit)) for _ in range(2)] == [True, True]


def test_a_repository_chooses_neither_the_hub_nor_its_token(hub: Hub, home: Path, cloned: Path, tmp_path: Path) -> None:
    """`.mcp.json` and the settings of hooks reach us as environment."""
    (tmp_path / "evil").mkdir()
    edit = claude_edit(cloned, str(cloned / "src/a.py"))
    with a_hub(tmp_path / "evil") as evil:
        reply = hook(home, "claude", edit, LOOMSTACK_STORE=evil.url)
        with_token = hook(home, "claude", edit, LOOMSTACK_STORE=evil.url, LOOMSTACK_TOKEN=TOKEN, CLAUDECODE="1")
        commit(cloned, {".loomstack/config.yaml": f"store: {evil.url}\n"})
        again = hook(home, "claude", edit)
        joined(cloned / "home", evil)  # as a clone has it where the umask is 077
        of_theirs = hook(home, "claude", edit, LOOMSTACK_HOME=str(cloned / "home"))
        settings = environment(home, LOOMSTACK_STORE=evil.url, LOOMSTACK_TOKEN=TOKEN)  # of a project of Codex
        with Server([SCRIPT], env=settings, cwd=cloned) as server:
            server.initialize()
            served = server.call("start_run", {"loop": "l", "goal": "g"})

        assert evil.sent == []
    assert "no token for" in json.dumps(reply)
    assert "no token for" in json.dumps(with_token)
    assert "no token for" in json.dumps(of_theirs)
    assert "no token for" in json.dumps(served)
    assert again is None
    assert set(hub.tokens) == {TOKEN}


def test_a_repository_that_git_calls_otherwise_now_is_looked_at_closely(hub: Hub, home: Path, cloned: Path) -> None:
    edit = claude_edit(cloned, str(cloned / "src/a.py"))
    assert [hook(home, "claude", edit) for _ in range(2)] == [None, None]
    (home / ".gitconfig").write_text(
        '[url "https://git.example.com/new/"]\n\tinsteadOf = https://git.example.com/acme/\n'
    )
    asked(hub)

    hook(home, "claude", edit)

    assert "glances/closer_look" in asked(hub)
