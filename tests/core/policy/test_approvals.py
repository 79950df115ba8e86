"""Approvals as a pure function: nothing lifts a deny, other content never passes, nor do the wrong people."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loomstack_mcp.core.people import Person, person_called, with_all_names
from loomstack_mcp.core.policy.approvals import Approver, hindrance, lasts, may_answer
from loomstack_mcp.core.policy.decide import decide
from loomstack_mcp.core.policy.decision_views import decision_record
from loomstack_mcp.core.policy.delta import FileDelta, Subject
from loomstack_mcp.core.policy.digests import bound, change_bound
from loomstack_mcp.core.policy.known import approver
from loomstack_mcp.core.policy.rules import Approve, Rule, Rulebook, Who
from loomstack_mcp.core.policy.situation import Actor, ApprovalFact, Situation, Touched

DANA = Person(name="dana", users=("dlee",), addresses=("d@acme.example",), handles=("Dana-L",), roles=("lead",))
CHEN = Person(name="chen", users=("chen",), roles=("developer",))
LOOP = Actor(kind="loop", loop="triage", developer="dlee", agent="a1", roles=("developer",))
names = st.sampled_from(["dana", "chen", "ana", "dlee"])
roles = st.sampled_from(["lead", "developer", "ops"])
approves = st.builds(
    Approve,
    by=st.lists(st.one_of(names, roles.map("role:{}".format)), min_size=1, max_size=2).map(tuple),
    count=st.integers(1, 2),
    not_maker=st.booleans(),
)
asking = st.builds(
    Rule,
    id=st.sampled_from(["one", "two", "three"]),
    why=st.just("a good reason"),
    effect=st.sampled_from(["deny", "require_approval", "warn"]),
    on=st.just(("edit",)),
    approve=approves,
)
books = st.lists(asking, unique_by=lambda rule: rule.id, max_size=3).map(
    lambda rules: Rulebook(rules=tuple(rules), hash="sha256:0")
)
facts = st.lists(
    st.builds(
        ApprovalFact,
        rule=st.sampled_from(["one", "two", "three"]),
        by=names,
        names=st.lists(names, max_size=2).map(tuple),
        roles=st.lists(roles, max_size=2).map(tuple),
        digest=st.sampled_from(["text", "other"]),
        until_ms=st.sampled_from([None, 1, 99]),
        approval=st.sampled_from(["apr_1", "apr_2"]),
    ),
    max_size=6,
).map(tuple)
makers = st.frozensets(names, max_size=2)
SITUATION = bound(
    Situation(point="pretool", actions=frozenset({"edit"}), now_ms=50, actor=LOOP, touched=(Touched(path="a"),)), "text"
)


def decided(book: Rulebook, given_facts: tuple[ApprovalFact, ...], makers: frozenset[str]) -> tuple[Situation, str]:
    spelled = tuple(
        replace(one, digest=SITUATION.digest if one.digest == "text" else "sha256:f") for one in given_facts
    )
    situation = replace(SITUATION, approvals=spelled, makers=makers)
    return situation, decide(book, situation).answer


@given(books, facts, makers)
def test_an_approval_lifts_what_may_be_lifted_and_nothing_else(
    book: Rulebook, given_facts: tuple[ApprovalFact, ...], makers: frozenset[str]
) -> None:
    """Held against a second telling of the definition: people, count, makers, content and time."""
    situation, _ = decided(book, given_facts, makers)
    decision = decide(book, situation)

    for reason in decision.reasons:
        rule, approve = reason.rule, reason.rule.approve
        assert approve
        good = {
            one.by
            for one in situation.approvals
            if one.rule == rule.id
            and one.digest == SITUATION.digest
            and (one.until_ms is None or one.until_ms > SITUATION.now_ms)
            and not (approve.not_maker and makers & {one.by, *one.names})
            and {one.by, *one.names, *(f"role:{role}" for role in one.roles)} & set(approve.by)
        }
        is_lifted = rule.effect == "require_approval" and len(good) >= approve.count
        assert (reason.outcome == "approved") == is_lifted


@given(books, facts, makers)
def test_nothing_lifts_a_deny_and_a_denied_or_waiting_action_uses_nothing(
    book: Rulebook, given_facts: tuple[ApprovalFact, ...], makers: frozenset[str]
) -> None:
    situation, answer = decided(book, given_facts, makers)
    record = decision_record(decide(book, situation))

    if any(rule.effect == "deny" for rule in book.rules):
        assert answer == "deny"
    assert bool(record.asking) == (answer == "require_approval")
    if answer in ("deny", "require_approval"):
        assert record.used == ()


@given(facts, makers)
def test_other_content_never_passes(given_facts: tuple[ApprovalFact, ...], makers: frozenset[str]) -> None:
    asks = Rule(id="one", why="why", effect="require_approval", on=("edit",), approve=Approve(by=("dana", "role:lead")))
    situation, _ = decided(Rulebook(rules=(asks,)), given_facts, makers)
    changed = bound(situation, "text ")

    assert decide(Rulebook(rules=(asks,)), changed).answer == "require_approval"


@given(st.text(max_size=9), st.text(max_size=9))
def test_content_and_its_digest_are_the_same_or_differ_together(one: str, other: str) -> None:
    assert (bound(SITUATION, one).digest == bound(SITUATION, other).digest) == (one == other)


def test_every_part_of_an_action_is_in_its_digest() -> None:
    change = Situation(point="ci", actions=frozenset({"land"}), now_ms=0, touched=(), branch="main", head="a")
    others = [
        replace(change, head="b"),
        replace(change, branch="next"),
        replace(change, refs=frozenset({"force"})),
        replace(change, touched=(Touched(path="a"),)),
        replace(change, touched=None),
        replace(change, actions=frozenset({"deploy"})),
        replace(change, outside=("/etc",)),
        replace(change, actions=frozenset({"deploy"}), environment="production"),
        replace(change, actions=frozenset({"tool"}), tool="mcp__db__drop"),
    ]
    digests = [bound(one).digest for one in (change, *others)]

    assert len(set(digests)) == len(digests)
    # The clock, who acts and at which point are not: the same action is the same wherever it is asked about.
    assert bound(replace(change, now_ms=9, point="mcp", actor=LOOP)).digest == digests[0]


def test_an_account_that_is_nobodys_is_not_whoever_is_called_so() -> None:
    """Dana's account is `dlee`: somebody else has the one that is called `dana`."""
    for name in ("dana", "Dana-L"):
        assert not may_answer(Approve(by=("dana", "Dana-L"), not_maker=False), approver(name, [DANA]), ())
    assert may_answer(Approve(by=("dana",)), approver("dlee", [DANA]), ())
    assert may_answer(Approve(by=("eve",)), approver("eve", [DANA]), ())


def test_a_person_is_shown_all_of_it() -> None:
    lines = ["make a", *[""] * 60, f"make b{' ' * 3_000}&& rm -rf c"]

    assert bound(SITUATION, shown=lines).shown == tuple(lines)
    assert bound(SITUATION, shown=["\udc80\ud800é", "a\tb\u200b\u202e\x1b"]).shown == (
        "\\udc80\\ud800é", "a\tb\\u200b\\u202e\\x1b",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (["export KEY=AKIA" + "A" * 16 + "; rm -rf c"], "it shows an AWS access key"),
        (["x"] * 401, "too long to be read"),
        (["x" * 20_001], "too long to be read"),
    ],
)
def test_what_cannot_be_shown_to_its_end_nobody_can_approve(lines: list[str], why: str) -> None:
    found = bound(SITUATION, *lines, shown=lines)

    assert (found.digest, found.shown) == ("", ())
    assert why in found.unshown


def test_a_message_hides_no_file_and_many_files_are_counted() -> None:
    files = tuple(FileDelta(path=f"src/{at}.py", old_path=f"src/{at}.py", status="M") for at in range(60))
    shown = change_bound(SITUATION, Subject(files=files), "why\n" * 100).shown

    assert shown[:100] == ("why",) * 100
    assert (shown[100], shown[-1], len(shown)) == ("60 files, +0 -0", "and 10 files more", 152)


@given(st.lists(st.sampled_from(["mcp", "pretool", "pre-commit", "commit-msg", "pre-push", "ci", "land"]), max_size=9))
def test_one_approval_passes_each_point_once_and_never_goes_back(points: list[str]) -> None:
    used, passed = "", []
    for point in points:
        if lasts(used, point):  # type: ignore[arg-type]
            used = point
            passed.append(point)
    order = ["mcp", "pretool", "pre-commit", "commit-msg", "pre-push", "ci", "land"]

    assert len(passed) == len(set(passed))
    assert [order.index(one) for one in passed] == sorted(order.index(one) for one in passed)
    assert len({"ci", "land"} & set(passed)) <= 1  # both are the last one


def test_a_person_is_known_by_every_name_and_nobody_by_anothers() -> None:
    people = (DANA, CHEN)
    found = [person_called(people, name) for name in ("dana", "dlee", "D@ACME.example", "dana-l", "chen", "Chen", "")]

    assert found == [DANA, DANA, DANA, DANA, CHEN, None, None]
    assert with_all_names(people, ["dlee", "eve"]) == {*DANA.names, "eve"}
    assert with_all_names((), ["dlee"]) == {"dlee"}


def test_rules_know_an_actor_by_the_persons_name_and_roles() -> None:
    def fires(**who: tuple[str, ...]) -> bool:
        rule = Rule(id="one", why="why", effect="deny", on=("edit",), who=Who(**who))  # type: ignore[arg-type]
        return decide(Rulebook(rules=(rule,), people=(DANA,)), SITUATION).answer == "deny"

    assert [fires(developer=(name,)) for name in ("dana", "dlee", "d@acme.example", "chen")] == [
        True, True, True, False,
    ]  # fmt: skip
    assert [fires(role=(role,)) for role in ("lead", "developer", "ops")] == [True, True, False]
    assert [fires(not_role=(role,)) for role in ("lead", "ops")] == [False, True]


def test_without_people_all_is_as_it_was() -> None:
    rule = Rule(id="one", why="why", effect="deny", on=("edit",), who=Who(developer=("dana",)))

    assert decide(Rulebook(rules=(rule,)), SITUATION).answer == "allow"


@given(approves, names, st.lists(roles, max_size=2).map(tuple), makers)
def test_whoever_may_not_answer_is_told_why(
    approve: Approve, name: str, given_roles: tuple[str, ...], makers: frozenset[str]
) -> None:
    who = Approver(name=name, roles=given_roles)

    assert may_answer(approve, who, makers) == (hindrance(approve, who, makers) == "")
