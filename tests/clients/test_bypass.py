"""Ways around the rules, tried by both real clients: none lands, and the help says where each ended."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.bypass.attempts import ATTEMPTS
from tests.clients.bypass.hands import ClaudeHand, CodexHand
from tests.clients.bypass.page import PAGE, cell, chapter, shown_cells, shown_table
from tests.clients.bypass.playing import Played, played
from tests.clients.bypass.world import APPROVED, PROTECTED, World, made_world
from tests.clients.test_clients import pytestmark
from tests.conftest import git

__all__ = ["pytestmark"]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with made_world() as made:
        yield made


@pytest.fixture(scope="module")
def tried(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Played]]:
    """What became of the attempts: of all in Claude Code, in Codex of those that it has its own way to."""
    own = [attempt for attempt in ATTEMPTS if attempt.has_own_way]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_TMP", str(tmp_path_factory.mktemp("bypass")))
        records = []
        for hand, attempts in ((ClaudeHand(), ATTEMPTS), (CodexHand(), own)):
            record, run = played(hand, world, attempts)
            assert (run.rc, run.script.errors, run.script.overflow) == (0, [], []), run.stderr
            assert set(record.met) == {attempt.name for attempt in attempts}
            records.append(record)
        yield records


def test_nothing_that_either_client_tried_has_landed(world: World, tried: list[Played]) -> None:
    assert [record.landed for record in tried] == [[], []]
    assert world.tip == world.base


def test_each_attempt_was_stopped_somewhere(tried: list[Played]) -> None:
    """One that ended by itself would show nothing."""
    unmet = {name: record.words[name] for record in tried for name, met in record.met.items() if not {*met} - {"told"}}

    assert unmet == {}


def test_the_help_says_where_each_ended(world: World, tried: list[Played]) -> None:
    """Red? `python -m tests.clients.bypass` writes it anew."""
    if not world.under:
        pytest.skip("the server has no account of its own here: that takes root and setpriv")
    written = shown_cells()

    assert [{name: written[record.client, name] for name in record.met} for record in tried] == [
        {name: cell(met) for name, met in record.met.items()} for record in tried
    ]


def test_the_chapter_is_what_the_command_writes() -> None:
    """Red? `python -m tests.clients.bypass` lets the clients try, and writes it anew."""
    assert PAGE.read_text("utf-8") == chapter(shown_table())


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        (PROTECTED, "rates-are-the-law"),
        (APPROVED, "deploys-need-a-person"),
        ("policies/core.yaml", "builtin.policy-guard"),
        (".loomstack/config.yaml", "builtin.policy-guard"),
        (".claude/settings.json", "builtin.policy-guard"),
        (".codex/hooks.json", "builtin.policy-guard"),
        (".mcp.json", "builtin.policy-guard"),
    ],
)
def test_the_gate_needs_nothing_before_it(world: World, path: str, rule: str, tmp_path: Path) -> None:
    """What no hook of the clone has seen, as after all of them were taken out."""
    world.cleared()
    bare = ("git", "-c", "core.hooksPath=/dev/null")
    world.does("sh", "-c", f"echo '# more' >> {path}")
    made = world.does(*bare, "commit", "--all", "--message", "work")
    pushed = world.does(*bare, "push", "origin", "HEAD:main")
    world.cleared()

    assert made.returncode == 0, made.stderr
    assert (pushed.returncode, rule in pushed.stderr, git(world.bare, "rev-parse", "main")) == (1, True, world.base)
