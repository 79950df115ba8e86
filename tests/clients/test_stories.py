"""The stories of the help, played by both real clients on a scripted model that follows the definitions."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.clients.stories.claude_hands import Claude
from tests.clients.stories.codex_hands import Codex
from tests.clients.stories.page import PAGE, agreement_stories, chapter, rework_story, shown
from tests.clients.stories.plays import Client, Play, agreement_play, rework_play
from tests.clients.stories.shop import PATH, ROOT
from tests.clients.stories.steps import cost_table
from tests.clients.test_clients import pytestmark
from tests.conftest import git

__all__ = ["pytestmark"]
ROUND_TOKENS_MAX = 800
"""Of a maker, a checker and one rework: all calls of the server's tools, and their answers."""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_TMP", str(tmp_path))


def definition(agent: str) -> str:
    """What an agent reads before its task."""
    return (ROOT / "claude_agents" / "agents" / f"{agent}.md").read_text().split("---", 2)[2]


def untold(play: Play) -> set[tuple[str, str]]:
    """Tools that an agent used and that its definition does not name in its steps."""
    used = {(step.who.rpartition(" ")[2], step.tool) for step in play.steps if step.is_ours}
    return {(agent, tool) for agent, tool in used if agent != "lead" and tool not in definition(agent)}


_ALERT = re.compile(r"\n +→ hears from check: failed.*?(?=\n(?:\S| +→))", re.DOTALL)


@pytest.mark.parametrize(
    ("client", "hook"),
    [
        pytest.param(Claude, True, id="claude"),
        pytest.param(Claude, False, id="claude-no-hook", marks=pytest.mark.also("with its hook it does here")),
        pytest.param(Codex, True, id="codex"),
    ],
)
def test_a_change_is_sent_back_once_and_lands_when_another_has_passed_it(
    tmp_path: Path, client: Client, hook: bool
) -> None:
    play = rework_play(tmp_path, client, hook=hook)
    table, tokens = cost_table(play.steps)
    print(table)
    env = {**play.env, "PATH": PATH, "HOME": str(tmp_path / "home")}
    listed = subprocess.run(
        ["loomstack-mcp", "runs"], cwd=play.shop, env=env, capture_output=True, text=True, check=True
    ).stdout
    tests = subprocess.run(["python3", "-B", "-m", "unittest"], cwd=play.shop, env=env, capture_output=True, text=True)

    # Without the hook an alert rides on an answer, where the page tells it; with it the maker has heard before.
    told = rework_story(play) if hook else _ALERT.sub("", rework_story(play))
    assert told == shown()[0]
    assert tokens <= ROUND_TOKENS_MAX, table
    assert untold(play) == set()
    assert (tests.returncode, "Ran 8 tests" in tests.stderr) == (0, True)
    assert re.search(r"amounts .* failed 2/8, passed 8/8, done", listed)


def test_a_loop_that_takes_back_what_another_did_on_purpose_is_stopped_until_that_one_agrees(tmp_path: Path) -> None:
    play = agreement_play(tmp_path, Claude, Codex)

    assert agreement_stories(play) == shown()[1:]
    assert untold(play) == set()
    assert "total(100), 120" in git(play.shop, "show", "main:tests/test_tax.py")


def test_the_chapter_is_what_the_command_writes() -> None:
    """Red? `python -m tests.clients.stories` plays the stories, and writes it anew."""
    assert PAGE.read_text("utf-8") == chapter(shown())
