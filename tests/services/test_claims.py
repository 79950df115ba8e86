"""Claims over a real store, with clocks that tests turn."""

import pytest

from loomstack_mcp.core.claims import ClaimResult
from loomstack_mcp.core.errors import Invalid, LeaseLost, LimitExceeded, NotFound, Unauthorized
from loomstack_mcp.core.limits import CANDIDATES_MAX
from loomstack_mcp.core.patterns.globs import overlap, pattern
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.loom import Loom
from loomstack_mcp.services import path_index
from tests.conftest import Clocks
from tests.factories import ANA, BEA, REPO, SHOP

CHEN = Caller(principal="chen", session="s-chen")


def start(loom: Loom, caller: Caller, **given: str) -> str:
    return loom.runs.start(caller, SHOP, loop="loop", goal="goal", budget_tokens=800, **given).run.id  # type: ignore[arg-type]


def claim(loom: Loom, caller: Caller, *patterns: str, minutes: int = 30, wait_s: int = 0, **given: str) -> ClaimResult:
    return loom.claims.claim_paths(
        caller, given.pop("run", ""), patterns=patterns, intent="why", mode=given.get("mode", "exclusive"),  # type: ignore[arg-type]
        ttl_ms=minutes * 60_000, wait_ms=wait_s * 1000,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def _runs(loom: Loom) -> None:
    for caller in (ANA, BEA, CHEN):
        start(loom, caller)


def test_all_patterns_are_granted_or_none(loom: Loom) -> None:
    claim(loom, BEA, "src/a.py")
    refused = claim(loom, ANA, "docs/", "src/")

    assert refused.claim is None
    assert [blocker.path for blocker in refused.blockers] == ["src/a.py"]
    assert claim(loom, CHEN, "docs/").claim


def test_the_same_paths_renew_the_same_claim_with_the_same_token(loom: Loom, clocks: Clocks) -> None:
    first = claim(loom, ANA, "src/", "docs/").claim
    clocks.pass_minutes(10)
    again = claim(loom, ANA, "docs/", "src/").claim

    assert first
    assert again
    assert (again.id, again.fence) == (first.id, first.fence)
    assert again.expires_at_ms == first.expires_at_ms + 10 * 60_000


def test_tokens_rise_with_each_grant(loom: Loom) -> None:
    fences = [claim(loom, ANA, f"{name}/").claim.fence for name in "abc"]  # type: ignore[union-attr]

    assert fences == sorted(set(fences))


def test_a_lapsed_claim_is_granted_to_another_and_its_holder_is_told(loom: Loom, clocks: Clocks) -> None:
    held = claim(loom, BEA, "src/", minutes=1).claim
    clocks.pass_minutes(2)
    granted = claim(loom, ANA, "src/a.py")
    told = loom.claims.release_paths(BEA, "").alerts

    assert held
    assert granted.claim
    assert granted.claim.fence > held.fence
    assert [alert.kind for alert in told] == ["expired"]
    with pytest.raises(LeaseLost):
        loom.claims.release_paths(BEA, "", claims=[held.id])


def test_a_lapsed_lease_that_nobody_took_is_renewed_by_use_with_its_token(loom: Loom, clocks: Clocks) -> None:
    held = claim(loom, BEA, "src/", minutes=1).claim
    clocks.pass_minutes(2)
    again = claim(loom, BEA, "src/", minutes=1).claim

    assert held
    assert again
    assert again.fence == held.fence


def test_a_call_renews_the_lease_in_its_second_half(loom: Loom, clocks: Clocks) -> None:
    claim(loom, BEA, "src/", minutes=30)
    clocks.pass_minutes(16)
    loom.context.read_context(BEA, "", SHOP, budget_tokens=800)
    clocks.pass_minutes(16)

    assert claim(loom, ANA, "src/").claim is None


def test_waiters_are_served_in_their_order_and_newcomers_queue_behind(loom: Loom) -> None:
    claim(loom, BEA, "src/")
    first = claim(loom, ANA, "src/a.py", wait_s=30)
    second = claim(loom, CHEN, "src/", wait_s=30)
    freed = loom.claims.release_paths(BEA, "").now_free_for

    assert (first.position, second.position) == (1, 2)
    assert freed == (first.run,)
    assert claim(loom, CHEN, "src/", wait_s=30).claim is None
    assert claim(loom, BEA, "src/a.py").claim is None
    assert claim(loom, ANA, "src/a.py", wait_s=30).claim
    assert claim(loom, BEA, "src/b.py").claim is None


def test_a_waiters_place_ends_a_minute_after_its_wait(loom: Loom, clocks: Clocks) -> None:
    claim(loom, BEA, "src/")
    claim(loom, ANA, "src/", wait_s=30)
    loom.claims.release_paths(BEA, "")
    clocks.pass_minutes(1.6)

    assert claim(loom, CHEN, "src/").claim


def test_readers_cannot_starve_a_waiting_writer(loom: Loom) -> None:
    claim(loom, BEA, "src/", mode="shared")
    claim(loom, ANA, "src/", wait_s=30)

    assert claim(loom, CHEN, "src/", mode="shared").claim is None


def test_a_refused_run_that_does_not_wait_is_alerted_twice_and_keeps_no_place(loom: Loom) -> None:
    claim(loom, BEA, "src/")
    claim(loom, ANA, "src/")
    loom.claims.release_paths(BEA, "")
    heard = [loom.context.read_context(ANA, "", SHOP, budget_tokens=800).alerts for _ in range(3)]

    assert [[alert.kind for alert in alerts] for alerts in heard] == [["freed"], ["freed"], []]
    assert claim(loom, CHEN, "src/").claim


def test_a_childs_run_works_under_its_parents_claim_and_siblings_block(loom: Loom) -> None:
    claim(loom, ANA, "src/")
    children = [Caller(principal="ana", session="s-ana", agent=name) for name in ("one", "two")]
    for child in children:
        start(loom, child)

    assert claim(loom, children[0], "src/a.py").claim
    assert claim(loom, children[1], "src/a.py").claim is None
    assert claim(loom, children[1], "src/b.py").claim


def test_a_childs_call_renews_its_parents_lease(loom: Loom, clocks: Clocks) -> None:
    claim(loom, ANA, "src/", minutes=10)
    child = Caller(principal="ana", session="s-ana", agent="one")
    start(loom, child)
    clocks.pass_minutes(9)
    claim(loom, child, "src/a.py", minutes=10)
    clocks.pass_minutes(5)

    assert claim(loom, BEA, "src/b.py").claim is None


def test_another_callers_run_and_claims_are_out_of_reach(loom: Loom) -> None:
    theirs = claim(loom, BEA, "src/")
    assert theirs.claim

    with pytest.raises(Unauthorized):
        claim(loom, ANA, "docs/", run=theirs.run)
    with pytest.raises(Unauthorized):
        loom.claims.release_paths(ANA, "", claims=[theirs.claim.id])
    with pytest.raises(NotFound):
        loom.claims.release_paths(ANA, "", claims=["claim_NONE"])
    with pytest.raises(NotFound):
        claim(loom, ANA, "docs/", run="run_NONE")


def test_a_lost_run_is_told_to_start_again_and_its_paths_are_free(loom: Loom, clocks: Clocks) -> None:
    run = claim(loom, BEA, "src/").run
    clocks.pass_minutes(91)

    with pytest.raises(LeaseLost, match="start_run"):
        claim(loom, BEA, "src/", run=run)
    start(loom, ANA)
    assert loom.claims.held(REPO, limit=9)[0] == ()
    assert {run.state for run in loom.runs.latest(REPO, limit=9)[0]} == {"live", "lost"}


@pytest.mark.parametrize(
    ("given", "error"),
    [({"minutes": 1441}, LimitExceeded), ({"minutes": -1}, Invalid), ({"wait_s": 46}, LimitExceeded),
     ({"wait_s": -1}, Invalid)],
)  # fmt: skip
def test_times_beyond_their_bounds_are_refused(loom: Loom, given: dict[str, int], error: type[Exception]) -> None:
    with pytest.raises(error):
        claim(loom, ANA, "src/", **given)  # type: ignore[arg-type]


def test_letter_case_is_ignored_from_the_first_clone_that_ignores_it(loom: Loom) -> None:
    claim(loom, BEA, "SRC/A.py")
    assert claim(loom, ANA, "src/a.py").claim
    mac = SHOP.__class__(identity=SHOP.identity, clone="clone:mac", ignore_case=True)
    loom.runs.start(CHEN, mac, loop="loop", goal="goal", budget_tokens=800)

    assert len(claim(loom, CHEN, "Src/a.PY").blockers) == 2


def test_a_wide_request_finds_its_blockers_among_many_and_is_refused_beyond_the_limit(loom: Loom) -> None:
    with loom.store.write(REPO) as tx:
        for at in range(0, CANDIDATES_MAX + 10, 50):
            path_index.index_paths(
                tx, REPO, "claim", "claim_ELSEWHERE", [f"far/{number}.py" for number in range(at, at + 50)]
            )

    assert claim(loom, ANA, "src/a.py").claim
    with pytest.raises(LimitExceeded, match="too wide"):
        claim(loom, ANA, "**/*_test.py")


def test_a_wide_request_for_one_extension_is_compared_with_that_extension_alone(loom: Loom) -> None:
    with loom.store.write(REPO) as tx:
        for at in range(0, CANDIDATES_MAX + 10, 50):
            path_index.index_paths(
                tx, REPO, "claim", "claim_ELSEWHERE", [f"far/{number}.py" for number in range(at, at + 50)]
            )
    locked = claim(loom, BEA, "far/yarn.{lock,toml}").claim

    granted = claim(loom, ANA, "**/*.LOCK", "*.md")
    assert locked
    assert granted.claim
    assert [blocker.claim for blocker in claim(loom, ANA, "**/*.lock").blockers] == [locked.id]


def test_the_index_misses_nothing_that_overlaps(loom: Loom) -> None:
    texts = ["a", "a/", "a.py", "a.py/b.js", "{a,b}.py", "{a,b.py}/c.js", "**/*.py", "*.js", "**", "b.*", "**/c.js",
             "[ab].py", "a.py/", "B.PY", "b.py/**/*.js", "{a.py/x,c}/*.py", "**/x/*.py", "*", "c."]  # fmt: skip
    with loom.store.write(REPO) as tx:
        for text in texts:
            path_index.index_paths(tx, REPO, "note", text, [text])
    with loom.store.read() as tx:
        found = {
            (text, ignore_case): {
                id
                for page in path_index.overlapping(tx, REPO, "note", [text], ignore_case=ignore_case)
                for id in page  # noqa: A001
            }
            for text in texts
            for ignore_case in (False, True)
        }

    for (text, ignore_case), ids in found.items():
        assert ids == {o for o in texts if overlap(pattern(text), pattern(o), ignore_case=ignore_case)}, text


def test_a_release_succeeds_although_a_waiter_became_too_wide_to_judge(loom: Loom) -> None:
    claim(loom, BEA, "src/a_test.py")
    assert claim(loom, ANA, "**/*_test.py", wait_s=10).blockers
    with loom.store.write(REPO) as tx:
        for at in range(0, CANDIDATES_MAX + 10, 50):
            path_index.index_paths(
                tx, REPO, "claim", "claim_ELSEWHERE", [f"far/{number}.py" for number in range(at, at + 50)]
            )

    assert loom.claims.release_paths(BEA, "").now_free_for == ()
