"""The first story: a change that one agent makes, that another sends back once and then passes."""

from functools import partial
from pathlib import Path

from tests.clients.script import Script, Turn
from tests.clients.stories.hands import RUN, SHA, SHOW_COMMIT, Hands, calls, commits, lane, own_run, read
from tests.clients.stories.shop import CASES, HASTY, MENDED

GOAL = "cents() reads amounts as customers type them"
PROMPT = f"loom-run amounts {GOAL}; tests/test_cents.py has the cases"
FAILING = [f"{name}: ValueError" for name in list(CASES)[2:]]
"""What the checker reads in the report of the tests."""
_VERDICT = r"2/8 pass\. Failing: [\w:; ]+"
_UNDONE = "    return int(text) * 100\n"
_COMMIT = f"git commit --quiet --all --message 'Read amounts as typed' && {SHOW_COMMIT}"
_TESTS = "python3 -B -m unittest"


def rework_script(hands: Hands, shop: Path) -> Script:
    """The lead, the maker and the checker, as skill `loom-run` and the two definitions lead them."""
    code, record = shop / "shop" / "cents.py", partial(calls, hands, "record_outcome")

    maker: list[Turn] = [
        hands.loom("start_run", {"loop": "amounts", "goal": GOAL, "paths": ["shop/cents.py"]}),
        calls(hands, "claim_paths", paths=["shop/cents.py"], intent="read amounts as typed"),
        hands.shell("git checkout --quiet -b loop/amounts"),
        *hands.edit(code, _UNDONE, HASTY),
        hands.shell(f"{_TESTS} -k whole -k point"),
        hands.shell(_COMMIT),
        record(status="passed", summary="reads float()", checks={"passed": 2}, commits=commits),
        lambda moment: f"{own_run(hands, moment)}, commit {read(SHA, moment)}; the two plain cases pass",
        *hands.edit(code, HASTY, MENDED),
        hands.shell(_TESTS),
        hands.shell(_COMMIT),
        record(status="passed", summary="reads signs", checks={"passed": 8}, tried="float() alone", commits=commits),
        lambda moment: f"{own_run(hands, moment)}, commit {read(SHA, moment)}; all eight pass",
        calls(hands, "check_conflicts"),
        calls(hands, "check_policy", action="land"),
        hands.shell(f"git checkout --quiet main && git merge --quiet --ff-only loop/amounts && {SHOW_COMMIT}"),
        record(status="done", summary="landed"),
        lambda moment: f"landed commit {read(SHA, moment)}",
    ]
    bad = {"passed": 2, "failed": 6, "failing": FAILING}
    checker: list[Turn] = [
        lambda moment: hands.loom("start_run", {"loop": "check", "goal": GOAL, "checks_run": read(RUN, moment)}),
        hands.shell(f"git show --oneline --stat HEAD; {_TESTS}"),
        record(role="checker", status="failed", summary="reads only plain numbers", checks=bad, commits=commits),
        f"2/8 pass. Failing: {'; '.join(FAILING)}",
        hands.shell(f"git show --oneline --stat HEAD; {_TESTS}"),
        record(role="checker", status="passed", summary="all read", checks={"passed": 8}, commits=commits),
        "8/8 pass",
    ]
    made = "Check commit {} of {}: " + GOAL
    lead: list[Turn] = [
        *hands.opened(),
        *hands.start("maker", f"loop amounts, paths shop/cents.py: {GOAL}; tests/test_cents.py has the cases"),
        *hands.start("checker", lambda moment: made.format(read(SHA, moment), read(RUN, moment))),
        *hands.tell("maker", lambda moment: f"Sent back: {read(_VERDICT, moment)}"),
        *hands.tell("checker", lambda moment: f"Check commit {read(SHA, moment)}"),
        *hands.tell("maker", "A checker passed it, 8/8: land it"),
        lambda moment: f"Landed commit {read(SHA, moment)} after one rework: 2/8, then 8/8. Nothing is open.",
    ]
    return Script(lead, [lane(hands, "maker", maker), lane(hands, "checker", checker)])
