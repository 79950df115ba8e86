"""The second story, and the third: a loop "fixes" a test that another changed on purpose; then they agree."""

import re
import threading
from functools import partial
from pathlib import Path

from tests.clients.script import Moment, Script, Turn
from tests.clients.stories.hands import (
    CONFLICT,
    RUN,
    SHA,
    SHOW_COMMIT,
    Hands,
    calls,
    commits,
    lane,
    own_run,
    read,
    told,
)
from tests.deadlines import seconds

NET, GREEN = "the test expects net prices", "make the trunk green"
PROMPT_BEA, PROMPT_ANA = f"loom-run refactor {NET}, the code follows", f"loom-run triage {GREEN}"
_TEST = "tests/test_tax.py"
_GROSS, _ASKS_NET = (f"        self.assertEqual(total(100), {price})\n" for price in (120, 100))
_TESTS = "python3 -B -m unittest"
_WHY = "total() returns net prices from now on; the code follows. The red test is on purpose."
_YES = "It may go: the code is not ready. Test and code come back together."
_CODE = "total() returns net prices"
_ADDS_TAX, _NET_PRICE = "    return price + price * TAX_PERCENT // 100\n", "    return price\n"
_QUIET_S = 30


class Meeting:
    """What each of two sessions waits for: that the other has come this far."""

    def __init__(self) -> None:
        self._reached: dict[str, threading.Event] = {}
        self._lock = threading.Lock()

    def meet(self, reached: str, until: str, turn: Turn) -> Turn:
        """Let the other side go on from the first point; take this turn once it has come to the second.

        A turn is told when it is taken, so nobody may go on beside one: each waits for the other, in one order.
        """

        def taken(moment: Moment) -> Turn:
            self.reach(reached)
            self.wait(until)
            return turn(moment) if callable(turn) else turn

        return taken

    def reach(self, point: str) -> None:
        """The other side may go on from there."""
        self._event(point).set()

    def wait(self, point: str) -> None:
        """Return when the other side has come there. Fails where it never does."""
        assert self._event(point).wait(seconds(_QUIET_S)), f"the other session never came to {point!r}"

    def _event(self, point: str) -> threading.Event:
        with self._lock:
            return self._reached.setdefault(point, threading.Event())


def bea_script(hands: Hands, tree: Path, trunk: Path, meeting: Meeting) -> Script:
    """Bea's loop changes a test on purpose and lands it; then it goes on with the code, and is asked."""
    record = partial(calls, hands, "record_outcome")
    maker: list[Turn] = [
        hands.loom("start_run", {"loop": "refactor", "goal": NET, "paths": [_TEST]}),
        calls(hands, "claim_paths", paths=[_TEST], intent="prices become net: 100 stays 100"),
        *hands.edit(tree / _TEST, _GROSS, _ASKS_NET),
        hands.shell(_TESTS),
        hands.shell(f"git commit --quiet --all --message 'Expect net prices' && {SHOW_COMMIT}"),
        calls(hands, "share_context", kind="intent", text=_WHY, paths=[_TEST]),
        record(status="passed", summary="asks for 100", commits=commits),
        lambda moment: f"{own_run(hands, moment)}, commit {read(SHA, moment)}; red until the code follows",
        calls(hands, "check_conflicts"),
        calls(hands, "check_policy", action="land"),
        hands.shell(f"git -C {trunk} merge --quiet --ff-only loop/net-prices && {SHOW_COMMIT}"),
        meeting.meet("landed", "refused", record(status="done", summary="landed")),
        "landed",
        hands.loom("start_run", {"loop": "refactor", "goal": _CODE, "paths": ["shop/tax.py"]}),
        calls(hands, "claim_paths", paths=["shop/tax.py"], intent=_CODE),
        *hands.edit(tree / "shop/tax.py", _ADDS_TAX, _NET_PRICE),
        meeting.meet("released", "asked", hands.shell(_TESTS)),
        calls(hands, "share_context", kind="intent", text=_CODE, paths=["shop/tax.py"]),
        lambda moment: f"asked by triage: may commit {read(SHA, moment)} go? {read(CONFLICT, moment)}",
    ]
    checker: list[Turn] = [
        lambda moment: hands.loom("start_run", {"loop": "check", "goal": NET, "checks_run": read(RUN, moment)}),
        hands.shell(f"git show --oneline HEAD; {_TESTS}"),
        record(role="checker", status="passed", summary="asks for 100", checks={"passed": 1}, commits=commits),
        "1/1: it asks for 100",
    ]
    lead: list[Turn] = [
        *hands.opened(),
        *hands.start("maker", f"loop refactor, paths {_TEST}: {NET}"),
        *hands.start("checker", lambda moment: f"Check commit {read(SHA, moment)} of {read(RUN, moment)}: {NET}"),
        *hands.tell("maker", "A checker passed it: land it"),
        *hands.start("maker", f"loop refactor, paths shop/tax.py: {_CODE}"),
        hands.skilled("loom-resolve"),
        lambda moment: hands.shell(f"git show --oneline {read(SHA, moment)}"),
        lambda moment: hands.loom("start_run", {"loop": "refactor", "goal": f"answer {read(CONFLICT, moment)}"}),
        calls(hands, "share_context", kind="decision", supersedes=partial(read, CONFLICT), text=_YES),
        meeting.meet("agreed", "settled", "The test may go; test and code come back together."),
    ]
    return Script(lead, [lane(hands, "maker", maker), lane(hands, "checker", checker)])


def ana_script(hands: Hands, tree: Path, trunk: Path, meeting: Meeting) -> Script:
    """Ana's loop finds the red test, is told, is refused, "fixes" it all the same, is stopped, and asks."""
    record = partial(calls, hands, "record_outcome")
    triager: list[Turn] = [
        hands.loom("start_run", {"loop": "triage", "goal": GREEN, "paths": ["tests/"]}),
        hands.shell(f"git log --oneline -3; {_TESTS}"),
        calls(hands, "read_shared_context", paths=[_TEST]),
        record(status="done", summary="test_total is red on purpose: left alone"),
        "tests/test_tax.py is red on purpose, says refactor: nothing to hand over",
    ]
    checker: list[Turn] = [
        lambda moment: hands.loom("start_run", {"loop": "check", "goal": GREEN, "checks_run": read(RUN, moment)}),
        hands.shell(f"git show --oneline HEAD; {_TESTS}"),
        record(role="checker", status="passed", summary="green", checks={"passed": 1}, commits=commits),
        "1/1 pass",
    ]
    lead: list[Turn] = [
        *hands.opened(),
        *hands.start("triager", f"Where is the trunk red? {GREEN}"),
        *hands.start("maker", f"loop triage, paths {_TEST}: {GREEN}"),
        *hands.edit(tree / _TEST, _ASKS_NET, _GROSS),
        meeting.meet("refused", "released", hands.tell("maker", f"{_TEST} is free: go on")[0]),
        *hands.tell("maker", "")[1:],
        *hands.start("checker", lambda moment: f"Check commit {read(SHA, moment)} of {read(RUN, moment)}: {GREEN}"),
        *hands.tell("maker", "A checker passed it, 1/1: land it"),
        *hands.start("resolver", lambda moment: f"{read(CONFLICT, moment)} stops loop triage: {GREEN}"),
        *hands.tell("maker", "refactor agreed, it is clear: land it"),
        lambda moment: f"Landed commit {read(SHA, moment)}, as refactor agreed.",
    ]
    lanes = {
        "triager": triager, "maker": _ana_maker(hands, tree, trunk), "checker": checker,
        "resolver": _ana_resolver(hands, meeting),
    }  # fmt: skip
    return Script(lead, [lane(hands, agent, turns) for agent, turns in lanes.items()])


def _ana_maker(hands: Hands, tree: Path, trunk: Path) -> list[Turn]:
    record = partial(calls, hands, "record_outcome")
    return [
        hands.loom("start_run", {"loop": "triage", "goal": GREEN, "paths": [_TEST]}),
        calls(hands, "claim_paths", paths=[_TEST], intent="fix the red test"),
        lambda moment: f"{own_run(hands, moment)}: refused, refactor holds {_TEST}",
        calls(hands, "claim_paths", paths=[_TEST], intent="fix the red test"),
        *hands.edit(tree / _TEST, _ASKS_NET, _GROSS),
        hands.edit(tree / _TEST, _ASKS_NET, _GROSS)[-1],  # it was told what that takes back
        hands.shell(_TESTS),
        hands.shell(f"git commit --quiet --all --message 'Mend the red test' && {SHOW_COMMIT}"),
        record(status="passed", summary="green", checks={"passed": 1}, commits=commits),
        lambda moment: f"{own_run(hands, moment)}, commit {read(SHA, moment)}; green",
        calls(hands, "check_conflicts"),
        calls(hands, "release_paths"),
        lambda moment: f"stopped: {read(CONFLICT, moment)}",
        calls(hands, "check_conflicts"),
        calls(hands, "check_policy", action="land"),
        hands.shell(f"git -C {trunk} merge --quiet --ff-only loop/triage && {SHOW_COMMIT}"),
        record(status="done", summary="landed, as refactor agreed"),
        lambda moment: f"landed commit {read(SHA, moment)}",
    ]


def _ana_resolver(hands: Hands, meeting: Meeting) -> list[Turn]:
    record, since = partial(calls, hands, "record_outcome"), partial(_cursor, hands)
    return [
        hands.loom("start_run", {"loop": "triage", "goal": GREEN, "paths": [_TEST]}),
        calls(hands, "check_conflicts"),
        hands.shell("git show main; git show loop/triage"),
        calls(hands, "read_shared_context", paths=[_TEST]),
        calls(hands, "share_context", kind="fact", to="refactor", text=partial(_asked, hands)),
        meeting.meet("asked", "agreed", calls(hands, "read_shared_context", since=since)),
        calls(hands, "check_conflicts"),
        record(status="done", summary="refactor gave way: its code is not ready"),
        "agreed by refactor: clear",
    ]


def _asked(hands: Hands, moment: Moment) -> str:
    given = re.findall(CONFLICT, told(moment))[0]
    [found] = hands.answer(moment.result("check_conflicts"))["conflicts"]
    return f"{given}: may commit {found['commit'][:7]} go until its code is there? The trunk is red for all."


def _cursor(hands: Hands, moment: Moment) -> int:
    return int(hands.answer(moment.result("read_shared_context"))["cursor"])
