"""The pure decisions: blockers, leases, contradictions, next steps, identities, texts, ids."""

from dataclasses import replace

import pytest

from loomstack_mcp.core.claims import blockers
from loomstack_mcp.core.errors import Invalid, LimitExceeded
from loomstack_mcp.core.ids import spelled_id
from loomstack_mcp.core.notes import contradicted
from loomstack_mcp.core.outcomes import CheckCounts, checked, next_step, shas
from loomstack_mcp.core.repos import identity_of
from loomstack_mcp.core.runs import Caller, acts_for, is_lapsed, is_lost, renewal_due, renewed
from loomstack_mcp.core.texts import bounded
from tests.factories import make_claim, make_note, make_run

MINUTE = 60_000


def test_shared_claims_do_not_block_one_another() -> None:
    held = make_claim(run_id="a", mode="shared", patterns=("src/**",))
    wanted = make_claim(run_id="b", mode="shared", patterns=("src/x.py",))

    assert blockers(wanted, [held]) == ()


def test_a_run_and_its_forebears_do_not_block_it() -> None:
    wanted = make_claim(run_id="child")
    held = [make_claim(run_id="child"), make_claim(run_id="parent")]

    assert blockers(wanted, held, lineage={"child", "parent"}) == ()


def test_a_blocker_names_a_path_that_both_cover() -> None:
    held = make_claim(run_id="b", patterns=("docs/", "src/*.py"), intent="reformat")
    [blocker] = blockers(make_claim(run_id="a", patterns=("src/a*",)), [held])

    assert (blocker.path, blocker.run, blocker.intent) == ("src/a.py", "b", "reformat")


def test_letter_case_parts_paths_unless_the_file_system_ignores_it() -> None:
    wanted, held = make_claim(run_id="a", patterns=("SRC/A.py",)), make_claim(run_id="b", patterns=("src/a.py",))

    assert blockers(wanted, [held]) == ()
    assert len(blockers(wanted, [held], ignore_case=True)) == 1


def test_a_lease_ends_at_its_instant_and_is_renewed_in_its_second_half() -> None:
    run = make_run(ttl_ms=30 * MINUTE, expires_at_ms=30 * MINUTE)

    assert [is_lapsed(run, now_ms=at) for at in (30 * MINUTE - 1, 30 * MINUTE)] == [False, True]
    assert [renewal_due(run, now_ms=at) for at in (15 * MINUTE, 15 * MINUTE + 1)] == [False, True]
    assert renewed(run, now_ms=MINUTE).expires_at_ms == 31 * MINUTE


def test_a_run_is_lost_when_lapsed_and_silent_for_an_hour() -> None:
    run = make_run(expires_at_ms=30 * MINUTE, seen_at_ms=10 * MINUTE)
    patient = make_run(expires_at_ms=90 * MINUTE, seen_at_ms=0)

    assert [is_lost(run, now_ms=at * MINUTE) for at in (69, 70)] == [False, True]
    assert [is_lost(patient, now_ms=at * MINUTE) for at in (89, 90)] == [False, True]


def test_only_the_same_person_session_and_agent_act_for_a_run() -> None:
    run = make_run(principal="ana", session="s", agent="")
    agent = Caller(principal="ana", session="s", agent="sub")

    assert acts_for(Caller(principal="ana", session="s"), run)
    assert not acts_for(agent, run)
    assert not acts_for(Caller(principal="ana", session="t"), run)
    assert not acts_for(Caller(principal="bea", session="s"), run)


def test_notes_of_others_on_the_same_paths_contradict() -> None:
    new = make_note(id="note_9", kind="decision", who="bea", text="prices are net", paths=("src/",))
    same_words = make_note(id="note_2", kind="decision", text="Prices  are NET", paths=("src/",))
    elsewhere = make_note(id="note_3", kind="decision", text="prices are gross", paths=("docs/",))
    other_kind = make_note(id="note_4", kind="warning", text="prices are gross", paths=("src/a.py",))
    clash = make_note(id="note_5", kind="decision", text="prices are gross", paths=("src/a.py",))

    assert contradicted(new, [same_words, elsewhere, other_kind, clash]) == (clash,)
    facts = (replace(new, kind="fact"), replace(clash, kind="fact"))
    assert contradicted(facts[0], facts[1:]) == ()


@pytest.mark.parametrize(
    ("given", "action"),
    [
        ({"status": "passed"}, "check"),
        ({"status": "passed", "verified": True}, "land"),
        ({"status": "passed", "is_checker": True}, "land"),
        ({"status": "failed", "rework": 1}, "retry"),
        ({"status": "failed", "is_checker": True, "rework": 3}, "retry"),
        ({"status": "failed", "is_checker": True, "rework": 4}, "escalate"),
        ({"status": "blocked"}, "escalate"),
        ({"status": "done"}, "stop"),
        ({"status": "done", "has_finding": True}, "take_next"),
        ({"status": "abandoned", "has_finding": True}, "take_next"),
    ],
)
def test_what_comes_next(given: dict[str, object], action: str) -> None:
    fixed = {"is_checker": False, "rework": 0, "verified": False, "has_finding": False, "rework_max": 3}
    step = next_step(**{**fixed, "checks": CheckCounts(passed=2, failed=6, failing=("t",)), **given})  # type: ignore[arg-type]

    assert step.action == action


def test_a_failure_carries_the_failing_checks() -> None:
    step = next_step(
        status="failed", is_checker=True, checks=CheckCounts(passed=2, failed=6, failing=("a", "b")), rework=1,
        verified=False, has_finding=False, rework_max=3,
    )  # fmt: skip

    assert step.carry == ("a", "b")
    assert step.why == "2/8 checks passed; rework round 1 of 3: the maker mends these"


@pytest.mark.parametrize(
    ("status", "checks"),
    [("passed", CheckCounts(failed=1)), ("done", CheckCounts(failing=("a",))), ("failed", CheckCounts(passed=-1)),
     ("failed", CheckCounts(failed=1, failing=("a", "b")))],
)  # fmt: skip
def test_counts_that_contradict_the_status_are_refused(status: str, checks: CheckCounts) -> None:
    with pytest.raises(Invalid):
        checked(status, checks)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "url",
    ["https://GitHub.com/acme/shop.git", "git@github.com:acme/shop.git", "ssh://git@github.com:22/acme/shop",
     "https://user:pw@github.com/acme/shop/", "git://github.com/acme/shop"],
)  # fmt: skip
def test_one_repository_has_one_identity_whatever_its_url(url: str) -> None:
    assert identity_of(url) == "github.com/acme/shop"


def test_a_port_of_its_own_stays_in_the_identity() -> None:
    assert identity_of("ssh://git@host:2222/a.git") == "host:2222/a"
    assert identity_of("shop") == "shop"


@pytest.mark.parametrize("name", ["", "  ", "a b", "a\nb", "x" * 500, "http://[bad/"])
def test_what_names_no_repository_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        identity_of(name)


@pytest.mark.parametrize(
    "secret",
    [
        "-----BEGIN RSA PRIVATE KEY-----",
        "AKIA" + "A" * 16,
        "ghp_" + "a" * 36,
        "xoxb-1234567890-abc",
        "sk-ant-" + "a" * 40,
    ],
)
def test_a_text_that_shows_a_secret_is_refused_without_repeating_it(secret: str) -> None:
    with pytest.raises(Invalid) as refused:
        bounded("text", f"use {secret} here")

    assert secret not in str(refused.value)


def test_texts_are_bounded_and_lose_their_control_characters() -> None:
    assert bounded("text", "a\x1b[2Jb\tc\r\nd") == "a�[2Jb\tc\nd"
    with pytest.raises(LimitExceeded):
        bounded("text", "x" * 2001)
    with pytest.raises(Invalid):
        bounded("text", " ", required=True)
    with pytest.raises(Invalid):
        bounded("text", "\ud800")


def test_ids_are_spelled_in_crockford_base32() -> None:
    assert spelled_id("run", 0) == "run_00000000"
    assert spelled_id("claim", (1 << 40) - 1) == "claim_ZZZZZZZZ"


def test_commits_are_shas() -> None:
    assert shas(["0123ABC", "a" * 40]) == ("0123abc", "a" * 40)
    for commit in ("HEAD", "; rm -rf /", "abc", "g" * 40, "a" * 65, ""):
        with pytest.raises(Invalid, match="is no sha"):
            shas([commit])
