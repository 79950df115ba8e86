"""Sessions of both clients whose model is told nothing of LoomStack: it edits, commits and pushes, and is coordinated.

From a fresh `init`. Bea's session changes a test file in several places and lands that. Ana's session meets it: it is
refused the file while Bea's session edits it, and what a rule protects; what needs a person waits for one; and what
would take Bea's change back is told before it is written, and stopped before it lands.
"""

import json
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.clients.bypass.hands import ClaudeHand, CodexHand, Hand
from tests.clients.client_run import ClientRun
from tests.clients.screens.svg import PICTURES
from tests.clients.script import Call, Moment, Script, Turn
from tests.clients.stories.agreement import Meeting
from tests.clients.stories.hands import told
from tests.clients.test_clients import pytestmark
from tests.clients.test_screens import KILOBYTES_MAX
from tests.clients.untold_shop import DEPLOY, FILES, GROSS, NET, PRICES, RATES, Shop, whole
from tests.conftest import git

__all__ = ["pytestmark"]
CHARS_A_TOKEN = 4
BRIEFING_TOKENS_MAX, REFUSAL_TOKENS_MAX = 120, 200
COMMIT, PUSH = "git commit --quiet --all --message", "git push origin HEAD:main"


@dataclass
class Story:
    """What both sessions read, by the names of their steps."""

    shop: Shop
    ana: ClientRun
    bea: ClientRun
    shown: dict[str, str]
    """What the model was shown for a step."""
    since: dict[str, str]
    """All that its conversation held when it took the step after that."""
    runs: list[dict[str, Any]]
    """Who was seen while both sessions lived."""
    landed: str
    """Bea's commit."""


class _Steps:
    """The turns of one session, each with a name, and what came of them."""

    def __init__(self, shown: dict[str, str], since: dict[str, str]) -> None:
        self._shown, self._since, self._last = shown, since, ("", "")

    def step(self, name: str, made: Call | Callable[[Moment], Call], before: Callable[[], None] = lambda: None) -> Turn:
        """A call, once `before` has happened."""

        def taken(moment: Moment) -> Turn:
            self._look(moment)
            before()
            done = made(moment) if callable(made) else made
            self._last = (name, done.id)
            return done

        return taken

    def end(self, words: str, before: Callable[[], None] = lambda: None) -> Turn:
        """The session's last words."""

        def said(moment: Moment) -> Turn:
            self._look(moment)
            before()
            return words

        return said

    def _look(self, moment: Moment) -> None:
        name, called = self._last
        self._shown.setdefault(name, "\n".join(result.text for result in moment.results if result.id == called))
        self._since[name] = told(moment)


def _bea(hand: Hand, shop: Shop, steps: _Steps, meeting: Meeting) -> Sequence[Turn]:
    path = str(shop.folder / "bea" / PRICES)

    def edited() -> None:
        meeting.reach("edited")
        meeting.wait("refused")

    def landed() -> None:
        meeting.reach("landed")

    return [
        steps.step("bea reads", hand.shell(f"cat {PRICES}")),
        steps.step("bea edits", whole(hand, path, GROSS, NET)),
        steps.step("bea commits", hand.shell(f"{COMMIT} 'Prices are net'"), edited),
        steps.step("bea pushes", hand.shell(PUSH)),
        steps.end("Prices are net now.", landed),
    ]


def _ana(hand: Hand, shop: Shop, steps: _Steps, meeting: Meeting, seen: Callable[[], None]) -> Sequence[Turn]:
    def at(path: str) -> str:
        return str(shop.folder / "ana" / path)

    def approve() -> None:
        [asked] = dict.fromkeys(re.findall(r"apr_\w+", steps._shown["ana pushes what deploys"]))
        steps._shown["approval"] = shop.approved(asked)

    def free() -> None:
        meeting.reach("refused")
        meeting.wait("landed")

    old = whole(hand, at(PRICES), NET, GROSS), whole(hand, at(PRICES), NET, GROSS)
    return [
        steps.step("ana reads", hand.shell(f"cat {PRICES} {RATES} {DEPLOY}")),
        steps.step("ana edits what is held", whole(hand, at(PRICES), GROSS, GROSS.replace("zip", "zap")), seen),
        steps.step("ana edits what is protected", hand.write(at("billing/rates.py"), "RATE = 7\n", was="RATE = 19\n")),
        steps.step(
            "ana edits what deploys", hand.write(at("infra/deploy.sh"), "echo ship\n", was="echo deploy\n"), free
        ),
        steps.step("ana commits what deploys", hand.shell(f"git pull --quiet --rebase --autostash; {COMMIT} Ship")),
        steps.step("ana pushes what deploys", hand.shell(PUSH)),
        steps.step("ana pushes again", hand.shell(PUSH), approve),
        steps.step("ana reads again", hand.shell(f"cat {PRICES}")),
        steps.step("ana takes it back", old[0]),
        steps.step("ana takes it back all the same", old[1]),
        steps.step("ana commits the old prices", hand.shell(f"{COMMIT} 'Prices are gross'")),
        steps.step("ana pushes the old prices", hand.shell(PUSH)),
        steps.end("The tests are as they were."),
        # What would take back another's work is told to the model, which has another turn.
        steps.end("The old prices could not be pushed."),
    ]


@pytest.fixture(scope="module", params=[(ClaudeHand, CodexHand), (CodexHand, ClaudeHand)], ids=["claude", "codex"])
def story(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Ana's session is the parameter's first client, Bea's the second."""
    ana, bea = (made() for made in request.param)
    folder = tmp_path_factory.mktemp("untold")
    shop, meeting = Shop(folder), Meeting()
    shown: dict[str, str] = {}
    since: dict[str, str] = {}
    runs: list[dict[str, Any]] = []

    def seen() -> None:
        runs.extend(json.loads(shop.loomstack("runs", "--json", cwd=folder / "ana")))

    ended: dict[str, ClientRun] = {}
    shop.meant(PRICES, "prices become net, and the tests first")
    of_bea = Script(_bea(bea, shop, _Steps(shown, since), meeting))
    of_ana = Script(_ana(ana, shop, _Steps(shown, since), meeting, seen))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_TMP", str(folder))
        beside = threading.Thread(target=lambda: ended.update(bea=shop.plays(bea, "bea", of_bea)))
        beside.start()
        meeting.wait("edited")
        ended["ana"] = shop.plays(ana, "ana", of_ana)
        beside.join()
    for run in ended.values():
        assert (run.rc, run.script.errors, run.script.overflow) == (0, [], []), run.stderr
    landed = git(shop.hub, "log", "--format=%H", "--grep=Prices are net", "main")
    return Story(
        shop=shop, ana=ended["ana"], bea=ended["bea"], shown=shown, since=since, runs=runs, landed=landed,
    )  # fmt: skip


def tokens(text: str) -> int:
    return -(-len(text) // CHARS_A_TOKEN)


def refusal(text: str) -> str:
    """What the hook said, without the client's own words around it: Codex repeats the whole call behind them."""
    return re.split(r"hook error: |PreToolUse hook: ", text, maxsplit=1)[1].partition(". Command: ")[0]


def a_session_is_briefed_before_its_model_says_a_word(story: Story) -> None:
    first = json.dumps(story.ana.lane()[0]["body"], ensure_ascii=False)
    briefing = re.split(r"\\n\\n|\"", first[first.index("LoomStack, on this repository") :], maxsplit=1)[0]
    print(f"briefing: {tokens(briefing)} tokens\n{briefing}")

    assert PRICES in briefing
    assert re.search(r"run_\w{8}", briefing)
    assert tokens(briefing) <= BRIEFING_TOKENS_MAX


def both_sessions_are_seen_though_no_model_called_a_tool(story: Story) -> None:
    called = [
        block for run in (story.ana, story.bea) for _, _, block in run.script.played if "loomstack" in repr(block)
    ]

    assert called == []
    assert {re.sub(r"-\w{8}$", "", run["loop"]) for run in story.runs} == {"claude", "codex"}


def what_another_session_edits_is_refused_with_who_and_until_when(story: Story) -> None:
    said = refusal(story.shown["ana edits what is held"])
    print(f"held: {tokens(said)} tokens\n{said}")

    assert PRICES in said
    assert re.search(r"edited by (claude|codex), session \w{8}", said)
    assert re.search(r"\d+ (s|min)\b", said)
    assert re.search(r"run_\w{8}", said)
    assert tokens(said) <= REFUSAL_TOKENS_MAX
    assert story.shown["bea edits"]
    assert git(story.shop.folder / "bea", "show", f"{story.landed}:{PRICES}") == NET.strip()


def what_a_rule_protects_is_refused_with_why_and_what_else_to_do(story: Story) -> None:
    said = refusal(story.shown["ana edits what is protected"])
    print(f"protected: {tokens(said)} tokens\n{said}")

    assert "tax rates are set by law" in said
    assert "leave the rates" in said
    assert tokens(said) <= REFUSAL_TOKENS_MAX
    assert (story.shop.folder / "ana" / RATES).read_text() == FILES[RATES]


def what_landed_names_the_run_that_made_it(story: Story) -> None:
    trailer = git(story.shop.hub, "log", "-1", "--format=%(trailers:key=Loom-Run,valueonly)", story.landed)
    [run] = [run for run in story.runs if run["run"] == trailer]
    goal = story.shop.loomstack("why", trailer, cwd=story.shop.folder / "ana")

    assert run["loop"].partition("-")[0] in ("claude", "codex")
    assert f"session {run['loop'].partition('-')[2]}" in goal


def a_person_s_approval_lets_the_waiting_session_go_on(story: Story) -> None:
    first, again = story.shown["ana pushes what deploys"], story.shown["ana pushes again"]
    ship = git(story.shop.hub, "log", "--format=%s", "main").splitlines()
    print(f"approval needed: {tokens(first)} tokens\n{first}")

    assert "what deploys is read by a person first" in first
    assert "loomstack-mcp approve apr_" in first
    assert DEPLOY in story.shown["approval"]
    assert "main -> main" in again or "HEAD -> main" in again
    assert "Ship" in ship


def who_waited_hears_that_it_was_approved(story: Story) -> None:
    [asked] = dict.fromkeys(re.findall(r"apr_\w+", story.shown["ana pushes what deploys"]))
    later = story.since["ana pushes the old prices"]

    assert re.search(rf"{asked}[^\"]{{0,80}}(approved|granted)|(approved|granted)[^\"]{{0,80}}{asked}", later)


def what_is_left_open_is_told_before_the_session_ends(story: Story) -> None:
    last = json.dumps(story.ana.lane()[-1]["body"])

    assert re.search(r"not pushed: 1 commit\b", last)
    assert len(story.ana.lane()) == len(story.ana.script.main.turns)


def an_undo_is_told_before_it_is_written_and_only_once(story: Story) -> None:
    said = refusal(story.shown["ana takes it back"])
    again = story.shown["ana takes it back all the same"]
    print(f"undo: {tokens(said)} tokens\n{said}")

    assert re.search(r"undo|takes? back", said)
    assert story.landed[:7] in said
    assert tokens(said) <= REFUSAL_TOKENS_MAX
    assert re.search(r"hook error|PreToolUse hook", again) is None


def an_undo_is_stopped_before_it_lands(story: Story) -> None:
    pushed = story.shown["ana pushes the old prices"]
    print(f"stopped: {tokens(pushed)} tokens\n{pushed}")

    assert "stop" in pushed
    assert f"takes back {story.landed[:10]}" in pushed
    assert git(story.shop.hub, "show", f"main:{PRICES}") == NET.strip()


def test_sessions_that_are_told_nothing_are_coordinated(story: Story) -> None:
    """All in one, so that each story is played once: its fixture is two clients' sessions, and a minute long."""
    a_session_is_briefed_before_its_model_says_a_word(story)
    both_sessions_are_seen_though_no_model_called_a_tool(story)
    what_another_session_edits_is_refused_with_who_and_until_when(story)
    what_a_rule_protects_is_refused_with_why_and_what_else_to_do(story)
    what_landed_names_the_run_that_made_it(story)
    a_person_s_approval_lets_the_waiting_session_go_on(story)
    who_waited_hears_that_it_was_approved(story)
    what_is_left_open_is_told_before_the_session_ends(story)
    an_undo_is_told_before_it_is_written_and_only_once(story)
    an_undo_is_stopped_before_it_lands(story)


@pytest.mark.parametrize("name", ["claude", "codex"])
def test_the_pictures_show_a_session_that_is_told_and_refused(name: str) -> None:
    """Red? `python -m tests.clients.screens` draws them anew."""
    drawn = (PICTURES / f"{name}-refused.svg").read_text("utf-8")
    words = " ".join(ElementTree.fromstring(drawn).itertext())

    assert len(drawn.encode()) <= KILOBYTES_MAX * 1024
    assert [said in words for said in ("I was told at the start", "is being edited by", "Refused by")] == [True] * 3
