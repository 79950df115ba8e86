"""The stories, played: a repository, one or two real clients, and what they did."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.clients.client_run import ClientRun
from tests.clients.stories import agreement, rework
from tests.clients.stories.claude_hands import Claude
from tests.clients.stories.codex_hands import Codex
from tests.clients.stories.shop import PATH, cents_shop, priced_shop, set_up
from tests.clients.stories.steps import Step, steps
from tests.conftest import git

Client = type[Claude] | type[Codex]


@dataclass(frozen=True, kw_only=True)
class Play:
    """What came of a story."""

    steps: Sequence[Step]
    shop: Path
    folders: dict[str, str]
    env: dict[str, str]


def rework_play(folder: Path, client: Client, *, hook: bool = True) -> Play:
    """The first story, in one session of this client."""
    shop = cents_shop(folder / "shop")
    env = set_up(shop, folder / "home", hook=hook)
    hands = client(PATH, *client.writable(shop))
    script = rework.rework_script(hands, shop)
    run = _ended(hands.play(script, f"{hands.skill}{rework.PROMPT}", cwd=shop, home=folder / "home", env=env))
    return Play(steps=steps(hands, run), shop=shop, folders={f"{shop}/": ""}, env=env)


def agreement_play(folder: Path, bea: Client, ana: Client) -> Play:
    """The second and the third story, in two sessions at a time, each in a worktree of its own."""
    shop = priced_shop(folder / "shop")
    env = set_up(shop, folder / "home")
    meeting = agreement.Meeting()
    sides = {"bea's ": bea, "ana's ": ana}
    trees = {owner: folder / owner[:3] for owner in sides}
    hands = {owner: client(PATH, shop, *client.writable(shop, trees[owner])) for owner, client in sides.items()}
    scripts = {
        owner: script(hands[owner], trees[owner], shop, meeting)
        for owner, script in zip(sides, (agreement.bea_script, agreement.ana_script), strict=True)
    }
    runs: dict[str, ClientRun] = {}

    def play(owner: str, prompt: str) -> None:
        given = f"{hands[owner].skill}{prompt}"
        runs[owner] = hands[owner].play(scripts[owner], given, cwd=trees[owner], home=folder / "home", env=env)

    git(shop, "worktree", "add", "--quiet", "-b", "loop/net-prices", str(trees["bea's "]))
    of_bea = threading.Thread(target=play, args=("bea's ", agreement.PROMPT_BEA))
    of_bea.start()
    meeting.wait("landed")
    git(shop, "worktree", "add", "--quiet", "-b", "loop/triage", str(trees["ana's "]))
    play("ana's ", agreement.PROMPT_ANA)
    meeting.reach("settled")
    of_bea.join()
    done = sorted(
        (step for owner, run in runs.items() for step in steps(hands[owner], _ended(run), owner=owner)),
        key=lambda step: step.at_s,
    )
    folders = {f"{trees[owner]}/": "" for owner in sides}
    return Play(steps=done, shop=shop, folders={**folders, str(shop): "../shop"}, env=env)


def _ended(run: ClientRun) -> ClientRun:
    """The run, where it went as its script says."""
    assert (run.rc, run.script.errors, run.script.overflow) == (0, [], []), run.stderr
    return run
