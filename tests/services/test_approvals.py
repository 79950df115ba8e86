"""Approvals in a store: asked once, answered by those who may, used once at each point, over by time."""

from dataclasses import replace

import pytest

from loomstack_mcp.core.errors import Invalid, NotFound
from loomstack_mcp.core.limits import APPROVALS_OPEN_MAX
from loomstack_mcp.core.people import Person
from loomstack_mcp.core.policy.approvals import Approval, Approver
from loomstack_mcp.core.policy.digests import bound
from loomstack_mcp.core.policy.known import approver
from loomstack_mcp.core.policy.rules import ActionKind, Approve, Checks, Content, Point, Rule, Rulebook
from loomstack_mcp.core.policy.situation import Situation, Touched
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.edge.deciding import PolicyResult, decided_action, decided_change
from loomstack_mcp.loom import Loom
from loomstack_mcp.services.sessions import session_run
from tests.conftest import Clocks
from tests.edge.test_deciding import Meanwhile
from tests.factories import ANA, BEA, REPO, SHOP
from tests.services.support import heard, started

HEAD = "0123456789abcdef0123456789abcdef01234567"
DAY_MINUTES = 24 * 60
LEAD = Approver(name="dana", roles=("lead",))
OTHER_LEAD = Approver(name="chen", roles=("lead",))


def rule(name: str = "asks", *, by: str = "role:lead", count: int = 1, not_maker: bool = True) -> Rule:
    approve = Approve(by=(by,), count=count, not_maker=not_maker)
    on: tuple[ActionKind, ...] = ("edit", "land")
    return Rule(id=name, why="a person decides this", effect="require_approval", on=on, approve=approve)


def book(*rules: Rule, people: tuple[Person, ...] = ()) -> Rulebook:
    return Rulebook(rules=rules or (rule(),), people=people, hash="sha256:0")


BOOK = book()
DENIES = Rule(id="denies", why="never", effect="deny", on=("edit", "land"))


def edit(
    loom: Loom, rules: Rulebook = BOOK, *, text: str = "new", point: Point = "mcp", caller: Caller = ANA
) -> PolicyResult:
    touched = (Touched(path="src/a.py"),)
    situation = Situation(point=point, actions=frozenset({"edit"}), now_ms=0, touched=touched)
    return decided_action(loom.policy, caller, "", rules, bound(situation, text, shown=[text]))


def land(
    loom: Loom, rules: Rulebook = BOOK, *, head: str = HEAD, is_stopped: bool = False, point: Point = "ci",
    makers: frozenset[str] = frozenset(),
) -> PolicyResult:  # fmt: skip
    touched = (Touched(path="src/a.py"),)
    situation = Situation(point=point, actions=frozenset({"land"}), now_ms=0, touched=touched, head=head, makers=makers)
    return decided_change(loom.policy, SHOP, "ci", rules, bound(situation), is_stopped=is_stopped)


def answered(loom: Loom, result: PolicyResult, who: Approver = LEAD, *, verdict: str = "granted") -> Approval:
    return loom.approvals.answer(result.approval, who, verdict, why="looked at it")  # type: ignore[arg-type]


def kinds(loom: Loom) -> list[str]:
    return [event.kind for event in loom.events.latest(REPO, limit=50)[0] if event.kind.startswith("approval")]


@pytest.fixture(autouse=True)
def _runs(loom: Loom) -> None:
    for caller in (ANA, BEA):
        started(loom, caller)


def test_a_decision_asks_and_the_same_action_is_let_through_once_it_is_granted(loom: Loom) -> None:
    asked = edit(loom)
    answered(loom, asked)
    allowed, again = edit(loom), edit(loom)

    assert (asked.decision.answer, asked.approval[:4]) == ("require_approval", "apr_")
    assert (allowed.decision.answer, allowed.approval) == ("allow", "")
    assert again.decision.answer == "require_approval"
    assert again.approval not in ("", asked.approval)
    assert kinds(loom) == ["approval.asked", "approval.answered", "approval.used", "approval.asked"]


def test_the_same_question_is_the_same_approval_while_it_waits(loom: Loom) -> None:
    assert edit(loom).approval == edit(loom).approval
    assert kinds(loom) == ["approval.asked"]


def test_other_content_another_asker_and_another_rule_ask_anew(loom: Loom) -> None:
    asked = edit(loom)
    answered(loom, asked)
    others = [edit(loom, text="newer"), edit(loom, caller=BEA), edit(loom, book(rule("other")))]

    assert [one.decision.answer for one in others] == ["require_approval"] * 3
    assert len({asked.approval, *(one.approval for one in others)}) == 4


def test_what_cannot_be_shown_asks_nobody_and_says_why(loom: Loom) -> None:
    result = edit(loom, text="x" * 20_001)
    waiting, _ = loom.approvals.waiting(REPO, limit=9)

    assert (result.decision.answer, result.approval, waiting) == ("require_approval", "", ())
    assert "too long to be read before a yes" in result.refused


def test_an_agent_is_one_asker_under_its_sessions_run_and_one_it_asked_for(loom: Loom) -> None:
    agent = Caller(principal="ana", session="claude:1a2b3c4d-0000-4000-8000-000000000001")
    others = [replace(agent, agent="a1"), replace(agent, session="claude:2")]
    with loom.store.write(REPO) as tx:
        [of_session, *_] = [session_run(tx, caller, REPO, SHOP) for caller in (agent, *others)]
    first = edit(loom, caller=agent)
    own = started(loom, agent, loop="triage")
    waiting = edit(loom, caller=agent)
    answered(loom, first)
    asking = [edit(loom, caller=other) for other in others]
    allowed = edit(loom, caller=agent)

    assert (of_session.origin, own.origin, waiting.approval) == ("session", "asked", first.approval)
    assert [one.decision.answer for one in asking] == ["require_approval"] * 2
    assert (allowed.decision.answer, edit(loom, caller=agent).decision.answer) == ("allow", "require_approval")


def test_it_lets_its_action_through_each_point_on_its_way_forwards_once(loom: Loom) -> None:
    answered(loom, edit(loom))
    points: list[Point] = ["mcp", "mcp", "pretool", "pretool", "mcp"]

    assert [edit(loom, point=point).decision.answer for point in points] == [
        "allow", "require_approval", "allow", "require_approval", "require_approval",
    ]  # fmt: skip


def test_a_landing_is_bound_to_its_head_whoever_lands_it(loom: Loom) -> None:
    asked = land(loom)
    answered(loom, asked)
    other = land(loom, head="f" * 40)
    found = [land(loom), land(loom)]

    assert other.approval not in ("", asked.approval)
    assert [one.decision.answer for one in found] == ["allow", "require_approval"]


def test_nothing_lifts_a_deny_and_none_is_asked_where_one_denies(loom: Loom) -> None:
    answered(loom, edit(loom))
    denied = edit(loom, book(rule(), DENIES))

    assert (denied.decision.answer, denied.decision.fired, denied.approval) == ("deny", ("denies",), "")
    assert edit(loom).decision.answer == "allow"  # it was not used up by what was denied


def test_what_is_stopped_otherwise_neither_asks_nor_uses_one(loom: Loom) -> None:
    unasked = land(loom, is_stopped=True)
    answered(loom, land(loom))
    stopped = land(loom, is_stopped=True)

    assert (unasked.approval, stopped.decision.answer) == ("", "allow")
    assert land(loom).decision.answer == "allow"


def test_a_denial_is_told_and_holds_for_the_same_question(loom: Loom, clocks: Clocks) -> None:
    asked = edit(loom)
    answered(loom, asked, verdict="denied")
    again = edit(loom)
    clocks.pass_minutes(DAY_MINUTES)
    started(loom, ANA)

    assert (again.approval, again.refused) == (asked.approval, "was denied by dana: looked at it")
    assert edit(loom).approval not in ("", asked.approval)


def test_the_run_that_waits_is_alerted(loom: Loom) -> None:
    asked = edit(loom)
    answered(loom, asked)
    [alert] = heard(loom, ANA)

    assert (alert.kind, alert.about, alert.who) == ("answered", asked.approval, "dana")
    assert alert.text == "edit (asks) was granted by dana: looked at it. Do exactly that within 15 min, once"


def test_silence_is_no_after_a_day_and_a_grant_holds_for_a_quarter_of_an_hour(loom: Loom, clocks: Clocks) -> None:
    unanswered = edit(loom, text="silence")
    clocks.pass_minutes(DAY_MINUTES)
    started(loom, ANA)
    with pytest.raises(Invalid, match=f"{unanswered.approval} is denied \\(nobody answered in time\\)"):
        answered(loom, unanswered)
    granted = edit(loom)
    answered(loom, granted)
    clocks.pass_minutes(15)

    assert edit(loom).approval not in ("", granted.approval)
    assert "approval.expired" in kinds(loom)
    assert loom.approvals.approval(granted.approval)[0].state == "expired"


def test_what_time_has_answered_is_not_said_to_wait(loom: Loom, clocks: Clocks) -> None:
    granted, asked = edit(loom), edit(loom, text="other")
    answered(loom, granted)
    states: list[list[str]] = [[], []]
    for listed in states:
        listed += [loom.why.behind(one.approval)[0].fields["state"] for one in (granted, asked)]
        clocks.pass_minutes(DAY_MINUTES)

    assert states == [["granted", "asked"], ["expired", "denied"]]


def test_as_many_people_as_the_rule_wants_and_none_of_them_twice(loom: Loom) -> None:
    two = book(rule(count=2))
    asked = edit(loom, two)
    half = answered(loom, asked)
    waits = edit(loom, two)
    with pytest.raises(Invalid, match=r"dana has answered .* from an account of their own"):
        answered(loom, asked)
    whole = answered(loom, asked, OTHER_LEAD)

    assert (half.state, waits.approval, whole.state) == ("asked", asked.approval, "granted")
    assert edit(loom, two).decision.answer == "allow"


def test_two_accounts_of_one_person_are_one(loom: Loom) -> None:
    people = (Person(name="dana", users=("dana", "dana2"), roles=("lead",)),)
    two = book(rule(count=2), people=people)
    asked = edit(loom, two)
    answered(loom, asked, approver("dana", people))

    with pytest.raises(Invalid, match="has answered"):
        answered(loom, asked, approver("dana2", people))


def test_a_person_who_was_named_meanwhile_is_no_second_one(loom: Loom) -> None:
    """Before the trunk said who is who the account answered, and now the same account is a person's."""
    now = (Person(name="dana", users=("dlee",), roles=("developer",)),)
    two = book(rule(by="role:developer", count=2))
    asked = edit(loom, two)
    answered(loom, asked, approver("dlee", ()))

    with pytest.raises(Invalid, match="dana has answered"):
        answered(loom, asked, approver("dlee", now))


@pytest.mark.parametrize(
    ("who", "why"),
    [
        (Approver(name="eve", roles=("developer",)), "asks role:lead, and you are eve with the roles: role:developer"),
        (Approver(name="ana", roles=("lead",)), "asks somebody who did not make this, and it was made as ana"),
        (Approver(name="anna", names=("anna", "ana"), roles=("lead",)), "it was made as anna"),
        (Approver(name="role:lead"), "asks role:lead"),
    ],
)
def test_who_may_not_answer_is_told_why_and_nothing_is_recorded(loom: Loom, who: Approver, why: str) -> None:
    asked = edit(loom)

    for verdict in ("granted", "denied"):
        with pytest.raises(Invalid, match=why):
            answered(loom, asked, who, verdict=verdict)
    assert loom.approvals.approval(asked.approval)[0].answers == ()


def test_each_rule_wants_its_own_people(loom: Loom) -> None:
    both = book(rule("leads"), rule("security", by="sam"))
    asked = edit(loom, both)
    half = answered(loom, asked)
    whole = answered(loom, asked, Approver(name="sam"))

    assert (half.state, whole.state) == ("asked", "granted")
    assert edit(loom, both).decision.answer == "allow"


def test_what_a_rule_wants_more_since_is_asked_again(loom: Loom) -> None:
    asked = edit(loom)
    answered(loom, asked)
    stricter = edit(loom, book(rule(count=2)))

    assert (stricter.decision.answer, stricter.approval != asked.approval) == ("require_approval", True)


def test_a_maker_under_another_name_cannot_have_approved(loom: Loom) -> None:
    people = (Person(name="dana", users=("dana",), addresses=("d@acme.example",), roles=("lead",)),)
    rules = book(people=people)
    asked = land(loom, rules)
    answered(loom, asked, approver("dana", people))
    signed = land(loom, rules, makers=frozenset({"d@acme.example"}))

    assert signed.decision.answer == "require_approval"


def test_a_store_says_what_waits_and_forgets_what_is_over(loom: Loom, clocks: Clocks) -> None:
    asked = [edit(loom, text=text).approval for text in "ab"]
    answered(loom, edit(loom, text="c"))
    waiting, _ = loom.approvals.waiting(REPO, limit=9)
    clocks.pass_minutes(DAY_MINUTES)

    assert [one.id for one in waiting] == asked
    assert [one.shown for one in waiting] == [("a",), ("b",)]
    assert loom.approvals.waiting(REPO, limit=9)[0] == ()
    with pytest.raises(NotFound, match="inbox"):
        loom.approvals.approval("apr_00000000")


def test_one_asker_cannot_flood_people(loom: Loom) -> None:
    for at in range(APPROVALS_OPEN_MAX):
        assert edit(loom, text=str(at)).approval
    over = edit(loom, text="one more")

    assert (over.approval, over.decision.answer) == ("", "require_approval")
    assert f"{APPROVALS_OPEN_MAX} questions of loop@ana wait already" in over.refused
    assert edit(loom, text="mine", caller=BEA).approval


def test_what_another_used_meanwhile_is_asked_again(loom: Loom) -> None:
    answered(loom, edit(loom))
    looking = Rule(id="looks", why="why", effect="deny", on=("edit",), check=Checks(content=Content(secrets=True)))
    situation = Situation(
        point="mcp",
        actions=frozenset({"edit"}),
        now_ms=0,
        touched=(Touched(path="src/a.py"),),
        looks=Meanwhile(lambda: edit(loom)),
    )
    found = decided_action(loom.policy, ANA, "", book(looking, rule()), bound(situation, "new"))

    assert (found.decision.answer, found.approval[:4]) == ("require_approval", "apr_")
    assert kinds(loom).count("approval.used") == 1


def test_an_action_without_a_digest_is_never_asked_for(loom: Loom) -> None:
    touched = (Touched(path="src/a.py"),)
    bare = Situation(point="mcp", actions=frozenset({"edit"}), now_ms=0, touched=touched)

    assert decided_action(loom.policy, ANA, "", BOOK, bare).approval == ""
    assert kinds(loom) == []


def test_what_is_asked_by_an_agent_is_used_by_the_gate(loom: Loom) -> None:
    situation = Situation(
        point="mcp", actions=frozenset({"push"}), now_ms=0, touched=(Touched(path="src/a.py"),), head=HEAD
    )
    pushes = book(replace(rule(), on=("push", "land")))
    asked = decided_action(loom.policy, ANA, "", pushes, bound(situation))
    answered(loom, asked)

    assert land(loom, pushes).decision.answer == "allow"
