"""The chain behind a change, read from the store alone: whose it is, why, who let it through, where it runs."""

from dataclasses import replace
from typing import Any

import pytest

from loomstack_mcp.cli.trace_text import trace_lines
from loomstack_mcp.core.changes.attributions import Attribution, CommitFacts
from loomstack_mcp.core.changes.mentions import mentions
from loomstack_mcp.core.deploys import DeployDraft, DeployKind
from loomstack_mcp.core.errors import Invalid, NotFound
from loomstack_mcp.core.outcomes import CheckCounts
from loomstack_mcp.core.policy.approvals import Approver
from loomstack_mcp.core.policy.digests import bound
from loomstack_mcp.core.policy.rules import Approve, Rule, Rulebook
from loomstack_mcp.core.policy.situation import Situation
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.trace_views import trace_shown
from loomstack_mcp.edge.deciding import decided_change
from loomstack_mcp.loom import Loom
from tests.factories import ANA, BEA, REPO, SHOP
from tests.services.support import CHEN, claimed, recorded, started

SHA, BACK, OLD = "a1" * 20, "b2" * 20, "c3" * 20
NIGHT = Rule(id="night", why="nobody is awake", effect="require_approval", on=("land",), approve=Approve(by=("dana",)))


def landed(
    loom: Loom, sha: str, message: str = "Gross", checkout: Checkout = SHOP, *, author: str = "ana"
) -> Attribution:
    facts = CommitFacts(
        sha=sha,
        made_at_ms=1_800_000_000_000,
        landed_at_ms=1_800_000_000_000,
        title=message.partition("\n")[0],
        author=author,
        mentions=mentions(message),
    )
    return loom.attributions.attributed(SHOP, facts)


@pytest.fixture
def run(loom: Loom) -> str:
    """Ana's run made a commit that Bea checked, Dana approved, CI deployed, and Chen took back."""
    loom.notes.add(SHOP, who="dana", kind="decision", text="prices are gross", patterns=["src/"])
    made = started(loom, ANA, loop="prices", goal="gross everywhere", patterns=["src/"]).id
    claimed(loom, ANA, "src/a.py", intent="gross, as decided")
    recorded(loom, ANA, commits=[SHA], links={"pr": "https://github.com/acme/shop/pull/12"})
    started(loom, BEA, loop="review", checks_run=made)
    recorded(loom, BEA, role="checker", summary="all good", checks=CheckCounts(passed=8), commits=[SHA])
    situation = Situation(point="ci", actions=frozenset({"land"}), now_ms=0, head=SHA, touched=())
    asked = decided_change(
        loom.policy, SHOP, "ci", Rulebook(rules=(NIGHT,), hash="sha256:0"), bound(situation, "text", shown=("a",))
    )
    loom.approvals.answer(asked.approval, Approver(name="dana"), "granted", why="I am awake")
    landed(loom, SHA, "Gross (#12)\n\nmore")
    landed(loom, OLD, "Before")
    draft = DeployDraft(environment="production", sha=SHA, called="512", kind="first", covers=2)
    deploy = loom.deploys.record(SHOP, draft, who="ci").deploy
    assert deploy
    loom.deploys.keep_commits(deploy.id, [SHA, OLD], place=0, is_last=True)
    back = started(loom, CHEN, loop="night").id
    recorded(loom, CHEN, commits=[BACK])
    assert landed(loom, BACK, f"Revert Gross\n\nThis reverts commit {SHA}.", author="chen").run_id == back
    return made


def test_a_commit_is_told_with_its_run_its_why_and_who_let_it_through(loom: Loom, run: str) -> None:
    told: Any = trace_shown(loom.traces.kept_trace(REPO, SHA[:9]))
    [commit], [made], [deploy], [later] = (told[name] for name in ("commits", "runs", "deploys", "later"))

    assert (commit["commit"], commit["title"], commit["run"], commit["bound_by"]) == (
        SHA[:12],
        "Gross (#12)",
        run,
        "sha",
    )
    assert (made["loop"], made["who"], made["goal"]) == ("prices", "ana", "gross everywhere")
    assert made["intents"] == ["gross, as decided"]
    assert [(note["kind"], note["who"], note["text"]) for note in made["notes"]] == [
        ("decision", "dana", "prices are gross")
    ]
    assert [(one["who"], one["role"], one.get("passed")) for one in made["outcomes"]] == [
        ("prices@ana", "maker", None),
        ("review@bea", "checker", 8),
    ]
    assert [(one["answer"], one["rules"]) for one in made["decisions"]] == [("require_approval", ["night"])]
    assert made["approvals"][0]["answers"] == [{"who": "dana", "verdict": "granted", "why": "I am awake"}]
    assert (deploy["environment"], deploy["called"], deploy["who"]) == ("production", "512", "ci")
    assert (later["how"], later["commit"], later["who"]) == ("reverted", BACK[:12], "night@chen")
    assert "unchecked" not in told


def test_pull_requests_deploys_and_runs_lead_to_the_same_chain(loom: Loom, run: str) -> None:
    for ref in ("#12", "12", "https://github.com/acme/shop/pull/12/files", run, run.lower()):
        found = loom.traces.kept_trace(REPO, ref)
        assert [one.commit.sha for one in found.commits] == [SHA]
        assert [one.run.id for one in found.runs] == [run]
        assert [one.deploy.called for one in found.deploys] == ["512"]
    deploy = loom.traces.kept_trace(REPO, "deploy:512")
    by_id = loom.traces.kept_trace(REPO, deploy.deploys[0].deploy.id)

    assert [one.commit.title for one in deploy.commits] == ["Gross (#12)", "Before"]
    assert [one.run.id for one in by_id.runs] == [run]
    assert loom.traces.kept_trace(REPO, OLD).is_unattributed
    assert "no clone of it is seen" in loom.traces.kept_trace(REPO, "src/a.py:3").unchecked[0]


@pytest.mark.parametrize(
    ("ref", "says"),
    [
        ("run_00000000", "another repository is traced there"),
        ("#99", "no run of"),
        ("https://github.com/acme/other/pull/12", "another repository"),
        ("deploy:9", "deploy list"),
        ("dep_00000000", "deploy list"),
        ("deadbeef", "in a clone that has it"),
        ("main", "may be a branch"),
    ],
)
def test_what_is_unknown_says_what_to_do(loom: Loom, run: str, ref: str, says: str) -> None:
    with pytest.raises(NotFound, match=says):
        loom.traces.kept_trace(REPO, ref)


@pytest.mark.parametrize("ref", ["", " ", "-x", "a\nb", "x" * 999])
def test_what_names_nothing_is_refused(loom: Loom, ref: str) -> None:
    with pytest.raises(Invalid, match="name what to trace"):
        loom.traces.kept_trace(REPO, ref)


def test_a_run_of_another_repository_is_unknown_here(loom: Loom, run: str) -> None:
    elsewhere = started(loom, ANA, Checkout(identity="github.com/acme/other", clone="clone:2")).id

    with pytest.raises(NotFound, match=r"no run run_\w+ in github\.com/acme/shop"):
        loom.traces.kept_trace(REPO, elsewhere)


def test_a_deploy_is_told_however_many_of_a_runs_commits_came_with_others(loom: Loom, run: str) -> None:
    shas = [f"{at:040x}" for at in range(1, 31)]
    recorded(loom, ANA, run, commits=shas)
    for sha in shas:
        landed(loom, sha)
    for place in ("staging", "vault"):
        draft = DeployDraft(environment=place, sha=shas[0], kind="first", covers=len(shas))
        deploy = loom.deploys.record(SHOP, draft, who="ci").deploy
        assert deploy
        loom.deploys.keep_commits(deploy.id, shas, place=0, is_last=True)

    found = loom.traces.kept_trace(REPO, run)

    assert [one.deploy.environment for one in found.deploys] == ["production", "staging", "vault"]


def test_a_deploy_that_was_rolled_back_later_says_so(loom: Loom, run: str) -> None:
    def deployed(sha: str, *, previous: str, environment: str = "production") -> str:
        kind: DeployKind = "forward" if sha == BACK else "rollback"
        draft = DeployDraft(environment=environment, sha=sha, kind=kind, previous=previous, covers=int(sha == BACK))
        deploy = loom.deploys.record(SHOP, draft, who="ci", seen=previous).deploy
        assert deploy
        loom.deploys.keep_commits(deploy.id, [sha] if sha == BACK else [], place=0, is_last=True)
        return deploy.id

    [first] = loom.traces.kept_trace(REPO, SHA).deploys
    second = deployed(BACK, previous=first.deploy.id)
    deployed(SHA, previous="", environment="staging")
    before = loom.traces.kept_trace(REPO, BACK).deploys
    rollback = deployed(SHA, previous=second)
    [after] = loom.traces.kept_trace(REPO, BACK).deploys
    third = deployed(BACK, previous=rollback)

    assert ([one.rolled_back_by for one in before], after.rolled_back_by) == ([""], rollback)
    assert [one.rolled_back_by for one in loom.traces.kept_trace(REPO, SHA).deploys] == [""]
    told = [(one.deploy.id, one.rolled_back_by) for one in loom.traces.kept_trace(REPO, BACK).deploys]
    assert told == [(second, rollback), (third, "")]
    shown: Any = trace_shown(loom.traces.kept_trace(REPO, BACK))
    assert f"taken out again by the rollback {rollback}" in "\n".join(trace_lines(shown))


def test_a_decision_of_another_repository_is_not_told_with_a_deploy_that_names_it(loom: Loom, run: str) -> None:
    rulebook = Rulebook(rules=(replace(NIGHT, on=("deploy",)),), hash="sha256:0")
    elsewhere = Checkout(identity="github.com/acme/secret", clone="clone:3")
    situation = Situation(point="ci", actions=frozenset({"deploy"}), now_ms=0, head=SHA, touched=())
    asked = decided_change(loom.policy, elsewhere, "ci", rulebook, bound(situation, "secret", shown=("secret",)))
    draft = DeployDraft(environment="vault", sha=SHA, kind="first", decision=asked.id)
    kept = loom.deploys.record(SHOP, draft, who="ci").deploy
    assert kept

    [deploy] = loom.traces.kept_trace(REPO, kept.id).deploys

    assert (deploy.decision, deploy.approvals) == (None, ())


def test_what_did_not_land_is_not_told_as_deployed_with_what_had_landed_before_it(loom: Loom, run: str) -> None:
    [before, after] = (
        loom.attributions.attributed(SHOP, CommitFacts(sha=sha, made_at_ms=made_at_ms)).sha
        for sha, made_at_ms in (("d4" * 20, 1_799_999_999_000), ("e5" * 20, 1_800_000_009_000))
        if recorded(loom, ANA, run, commits=[sha])
    )

    assert [one.deploy.called for one in loom.traces.kept_trace(REPO, before).deploys] == ["512"]  # squashed since
    assert loom.traces.kept_trace(REPO, after).deploys == ()
