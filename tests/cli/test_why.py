"""`why`: each id leads to the rule, the claim, the note and the person behind it."""

import getpass
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Run, commit_all, git
from tests.wire import Server


@pytest.fixture
def holder(serve: Callable[..., Server]) -> dict[str, str]:
    """Another session that holds src/, on purpose: its run, claim and note."""
    server = serve(CLAUDE_CODE_SESSION_ID="s-other")
    run = server.answer("start_run", loop="refactor", goal="net prices")["run"]
    note = server.answer("share_context", kind="intent", text="red on purpose", paths=["src"])["note"]
    return {"run": run, "note": note, "claim": server.answer("claim_paths", paths=["src"], intent="net")["claim"]}


def behind(loomstack: Run, id: str) -> dict[str, dict[str, Any]]:  # noqa: A002 it is called so
    done = loomstack("why", id, "--json")
    assert done.returncode == 0, done.stderr
    return {step["id"]: step for step in json.loads(done.stdout)}


def test_a_refused_claim_leads_to_the_holder_and_the_person(
    serve: Callable[..., Server], loomstack: Run, holder: dict[str, str]
) -> None:
    server = serve()
    server.answer("start_run", loop="triage", goal="green")
    [blocker] = server.answer("claim_paths", paths=["src/a.py"], intent="x")["blockers"]
    found = behind(loomstack, blocker["claim"])

    assert list(found) == [holder["claim"], holder["run"]]
    assert found[holder["claim"]]["intent"] == "net"
    assert found[holder["run"]]["person"] == getpass.getuser()
    assert (found[holder["run"]]["loop"], found[holder["run"]]["goal"]) == ("refactor", "net prices")


def test_a_decision_leads_to_its_rule_where_it_is_written_and_to_who_asked(
    shop: Path, serve: Callable[..., Server], loomstack: Run
) -> None:
    (shop / "policies").mkdir()
    rule = "id: no-src, why: src is theirs, effect: deny, on: [edit], fix: ask bea"
    (shop / "policies/p.yaml").write_text(f"version: 1\npolicy: p\nrules:\n  - {{{rule}}}\n")
    commit_all(shop)
    server = serve()
    run = server.answer("start_run", loop="triage", goal="green")["run"]
    decision = server.answer("check_policy", action="edit", paths=["src/a.py"])["decision"]
    found, text = behind(loomstack, decision), loomstack("why", decision).stdout

    [reason] = found[decision]["reasons"]
    assert (reason["rule"], reason["at"], reason["why"]) == ("no-src", "policies/p.yaml:4", "src is theirs")
    assert found[decision]["answer"] == "deny"
    assert found[run]["person"] == getpass.getuser()
    assert "deny by no-src (policies/p.yaml:4): src is theirs" in text
    assert "instead: ask bea" in text


def test_a_conflict_leads_to_the_intent_of_whose_work_it_takes_back(
    shop: Path, serve: Callable[..., Server], loomstack: Run, holder: dict[str, str]
) -> None:
    other = serve(CLAUDE_CODE_SESSION_ID="s-other")
    lines = [f"value_{at} = compute_the_net_price({at})" for at in range(30)]
    before = (shop / "src/a.py").read_text()
    (shop / "src/a.py").write_text("\n".join(lines) + "\n")
    commit_all(shop, "net prices")
    other.answer(
        "record_outcome", run=holder["run"], status="passed", summary="net", commits=[git(shop, "rev-parse", "HEAD")]
    )
    git(shop, "switch", "--quiet", "--create", "night")
    (shop / "src/a.py").write_text(before)
    commit_all(shop, "green again")
    server = serve()
    server.answer("start_run", loop="triage", goal="green")
    server.answer("check_conflicts")
    [conflict] = json.loads(loomstack("db", "query", "SELECT conflict FROM v_conflicts", "--json").stdout)
    found = behind(loomstack, conflict["conflict"])

    assert {holder["run"], holder["note"], holder["claim"]} <= set(found)
    assert found[holder["note"]]["text"] == "red on purpose"


@pytest.mark.parametrize("noun", ["note", "run"])
def test_a_note_and_a_run_are_found_however_they_are_typed(loomstack: Run, holder: dict[str, str], noun: str) -> None:
    assert holder["run"] in behind(loomstack, f" {holder[noun].lower()} ")


def test_an_outcome_leads_to_both_runs(serve: Callable[..., Server], loomstack: Run) -> None:
    maker, checker = serve(), serve()
    made = maker.answer("start_run", loop="maker", goal="make")["run"]
    check = checker.answer("start_run", loop="checker", goal="check", checks_run=made)["run"]
    verdict = checker.answer("record_outcome", status="failed", summary="no", role="checker", checks={"failed": 1})

    assert list(behind(loomstack, verdict["outcome"])) == [verdict["outcome"], check, made]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("run_00000000", "not_found: there is no run_00000000 in this store; ids look like dec_…, conf_…, claim_…"),
        ("abc", "invalid: abc is no id; take one from a refusal, an answer or a list: dec_…, conf_…"),
        ("abc_00000000", "is no id"),
    ],
)
def test_what_is_no_id_is_told_how_ids_look(loomstack: Run, holder: dict[str, str], typed: str, told: str) -> None:
    done = loomstack("why", typed)

    assert (done.returncode, told in done.stderr) == (1, True), done.stderr
