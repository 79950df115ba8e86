"""The views of what goes on, of what landed and of what it cost: on both databases, by real rows."""

import json
from typing import Any

from loomstack_mcp.core.changes.attributions import CommitFacts
from loomstack_mcp.core.changes.mentions import mentions
from loomstack_mcp.core.deploys import DeployDraft
from loomstack_mcp.core.usage import UsageEntry
from loomstack_mcp.loom import Loom
from loomstack_mcp.store.base import Statement
from tests.factories import ANA, BEA, REPO, SHOP
from tests.services.support import CHEN, claimed, recorded, started

SHA, BACK, ALONE = "a1" * 20, "b2" * 20, "c3" * 20


def view(loom: Loom, name: str, order: str) -> list[dict[str, Any]]:
    with loom.store.read() as tx:
        return [dict(row) for row in tx.all(Statement("test.view", f"SELECT * FROM {name} ORDER BY {order}"))]


def landed(loom: Loom, sha: str, message: str) -> None:
    title = message.partition("\n")[0]
    facts = CommitFacts(sha=sha, made_at_ms=9, landed_at_ms=1_799_999_999_000, title=title, mentions=mentions(message))
    loom.attributions.attributed(SHOP, facts)


def test_what_goes_on_is_a_view(loom: Loom) -> None:
    holds, waits = started(loom, ANA, loop="billing"), started(loom, BEA, loop="triage")
    claimed(loom, ANA, "src/**", "docs/a.md")
    claimed(loom, BEA, "src/tax.py", wait_s=40)
    checks = started(loom, CHEN, loop="review", checks_run=holds.id)
    used = UsageEntry(
        key="a", kind="request", session=ANA.session, age_ms=0, model="opus", input_tokens=7, cost_micro_usd=1_250_000
    )
    loom.usage.take_in(ANA, [used])

    found = {row["run"]: row for row in view(loom, "v_live", "run")}
    [cost] = view(loom, "v_usage", "run")

    assert found.keys() == {holds.id, waits.id, checks.id}
    # These tests' clock is far from the machine's, by which a view judges what has lapsed.
    assert {row["state"] for row in found.values()} <= {"running", "waiting", "checking", "lapsed", "lost"}
    assert (found[holds.id]["claims"], sorted(json.loads(found[holds.id]["paths"]))) == (1, ["docs/a.md", "src/**"])
    assert (found[holds.id]["tokens"], found[holds.id]["cost_usd"]) == (7, 1.25)
    assert (found[waits.id]["cost_usd"], json.loads(found[waits.id]["paths"])) == (None, [])
    assert (cost["run"], cost["loop"], cost["who"], cost["cost_usd"]) == (holds.id, "billing", "ana", 1.25)


def test_what_landed_is_a_view_with_whose_it_is_and_where_it_runs(loom: Loom) -> None:
    made = started(loom, ANA, loop="billing", goal="gross").id
    recorded(loom, ANA, commits=[SHA])
    back = started(loom, BEA, loop="triage").id
    recorded(loom, BEA, commits=[BACK])
    landed(loom, SHA, "Gross")
    landed(loom, BACK, f"Revert Gross\n\nThis reverts commit {SHA}.")
    landed(loom, ALONE, "By hand")
    draft = DeployDraft(environment="production", sha=SHA, kind="first", covers=1)
    deploy = loom.deploys.record(SHOP, draft, who="ci").deploy
    assert deploy
    loom.deploys.keep_commits(deploy.id, [SHA], place=0, is_last=True)

    found = {row["commit"]: row for row in view(loom, "v_trace", "repo")}
    one = found[SHA]
    health = {(each.loop, each.who): each for each in loom.loops.health(REPO, limit=9).loops}
    lines = {row["loop"]: row for row in view(loom, "v_loop_health", "loop")}

    assert (one["run"], one["loop"], one["who"], one["goal"], one["bound_by"]) == (
        made,
        "billing",
        "ana",
        "gross",
        "sha",
    )
    assert json.loads(one["deploys"]) == [{"deploy": deploy.id, "environment": "production", "decision": ""}]
    assert (json.loads(one["reverted_by"]), json.loads(found[BACK]["reverts"])) == ([BACK], [SHA])
    assert json.loads(one["candidates"])[0]["run"] == made
    assert (found[ALONE]["run"], json.loads(found[ALONE]["deploys"])) == (None, [])
    assert (found[BACK]["run"], health["triage", "bea"].reversals_caused) == (back, 1)
    assert (health["billing", "ana"].reversals_suffered, health["billing", "ana"].reversals_caused) == (1, 0)
    assert (lines["billing"]["attempts"], lines["billing"]["outcomes_with_commits"]) == (1, 1)
