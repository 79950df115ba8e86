"""DESIGN's story to its end: from a line in production to the loop that wrote it, why, and who let it through."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loomstack_mcp.core.policy.approvals import Approver
from loomstack_mcp.core.trace_views import trace_shown
from tests.cli.test_cli import on_terminal
from tests.conftest import Run, commit_all, environment, git
from tests.processes import SCRIPT
from tests.remote.hubs import a_hub, joined
from tests.wire import Server

ACCOUNT = __import__("pwd").getpwuid(__import__("os").getuid()).pw_name
PEOPLE = f"version: 1\npeople:\n  dana:\n    users: [{ACCOUNT}]\n    roles: [lead]\n"
RULES = """\
version: 1
policy: shop
rules:
  - id: prices-ask
    why: prices belong to the leads
    effect: require_approval
    on: [land]
    where: {paths: ["/shop/**"]}
    approve: {by: ["role:lead"], not_maker: false}
"""
TAX = "RATE = 20\n\n\ndef total(price):\n    return price + RATE\n"
NET = "RATE = 20\n\n\ndef total(price):\n    net_price = float(price)\n    return round(net_price, 2)\n"
CONFIG = 'deploy_tags: {"v*": staging}\n'


def ruled(shop: Path) -> None:
    for name, text in {
        "policies/shop.yaml": RULES,
        ".loomstack/people.yaml": PEOPLE,
        ".loomstack/config.yaml": CONFIG,
        "shop/tax.py": TAX,
    }.items():
        (shop / name).parent.mkdir(exist_ok=True)
        (shop / name).write_text(text)
    commit_all(shop, "A shop with rules")


def landed(shop: Path, serve: Callable[..., Server], loomstack: Run, *, approve: Callable[[str], None]) -> str:
    """Bea's loop makes it, another session checks it, a person approves it; it lands squashed, is deployed, and chen's
    night takes it back. Returns the run that made it."""
    maker, checker = serve(), serve()
    run: str = maker.answer("start_run", loop="refactor", goal="all prices are net")["run"]
    maker.answer("claim_paths", paths=["shop/tax.py"], intent="100 stays 100")
    git(shop, "checkout", "--quiet", "-b", "work")
    (shop / "shop/tax.py").write_text(NET)
    commit_all(shop, "net")
    made = git(shop, "rev-parse", "HEAD")
    maker.answer("record_outcome", status="passed", summary="net", commits=[made], checks={"passed": 8})
    checker.answer("start_run", loop="review", goal="check it", checks_run=run)
    checker.answer(
        "record_outcome", status="passed", summary="all fine", role="checker", checks={"passed": 8}, commits=[made]
    )
    asked = loomstack("gate", "--base", "main", "--head", "work", "--json")
    assert asked.returncode == 3, asked.stdout + asked.stderr
    approve(json.loads(asked.stdout)["approval"])
    assert loomstack("gate", "--base", "main", "--head", "work").returncode == 0
    maker.answer("record_outcome", status="done", summary="prices are net", commits=[made])
    git(shop, "checkout", "--quiet", "main")
    git(shop, "merge", "--quiet", "--squash", "work")
    git(shop, "commit", "--quiet", "--no-verify", "-m", "Net prices (#7)")
    git(shop, "tag", "v1")
    done = loomstack("deploy", "record", "--env", "production", "--id", "512", "--by", "release-bot", "--json")
    assert json.loads(done.stdout)["called"] == "512", done.stderr
    return run


def chain(trace: dict[str, Any]) -> list[Any]:
    """What the story must end with."""
    [run] = trace["runs"]
    return [
        *(run[name] for name in ("loop", "goal")),
        run["intents"],
        [(one["who"].partition("@")[0], one["status"]) for one in run["outcomes"]],
        [one["rules"] for one in run["decisions"] if one["answer"] == "require_approval"],
        [(one["who"], one["verdict"]) for approval in run["approvals"] for one in approval["answers"]],
        [(one["environment"], one.get("called")) for one in trace["deploys"]],
        [one["how"] for one in trace.get("later", ())],
    ]


def expected(approver: str, *later: str) -> list[Any]:
    return [
        "refactor",
        "all prices are net",
        ["100 stays 100"],
        [("refactor", "passed"), ("review", "passed"), ("refactor", "done")],
        [["prices-ask"]],
        [(approver, "granted")],
        [("production", "512"), ("staging", "v1")],
        list(later),
    ]


def test_a_line_in_production_leads_to_its_loop_its_why_and_who_let_it_through(
    shop: Path, serve: Callable[..., Server], loomstack: Run, tmp_path: Path
) -> None:
    ruled(shop)

    def approve(approval: str) -> None:
        status, shown = on_terminal(
            [SCRIPT, "approve", approval, "--why", "I looked"], cwd=shop, env=environment(tmp_path)
        )
        assert status == 0, shown

    run = landed(shop, serve, loomstack, approve=approve)
    sha = git(shop, "rev-parse", "HEAD")
    asked = loomstack("trace", "shop/tax.py:6", "--json")
    assert asked.returncode == 0, asked.stderr
    line = json.loads(asked.stdout)
    assert chain(line) == expected("dana")
    assert (line["line"]["run"], line["commits"][0]["commit"]) == (run, sha[:12])

    git(shop, "revert", "--no-edit", "HEAD")
    for ref in (sha[:10], "#7", run, "HEAD~1"):
        assert chain(json.loads(loomstack("trace", ref, "--json").stdout)) == expected("dana", "reverted")
    told = serve().answer("trace_change", ref="shop/tax.py:1")
    assert told["unattributed"]
    assert told["deploys"][0]["environment"] == "production"
    assert '"at"' not in json.dumps(told)
    deploy = json.loads(loomstack("trace", "deploy:512", "--json").stdout)
    assert [one["run"] for one in deploy["runs"]] == [run]
    screen = loomstack("trace", sha).stdout
    assert all(word in screen for word in (run, "100 stays 100", "granted by dana", "production 512", "reverted by"))
    assert len(screen.splitlines()) <= 24
    unattributed = json.loads(loomstack("trace", "--unattributed", "--json").stdout)
    assert sha not in [one["commit"] for one in unattributed]
    assert "A shop with rules" in [one["title"] for one in unattributed]
    [exported] = map(json.loads, loomstack("export", "--format", "agent-trace").stdout.splitlines())
    assert (exported["vcs"]["revision"], exported["metadata"]["dev.loomstack"]["run"]) == (sha, run)
    assert exported["files"][0]["conversations"][0]["ranges"] == [{"start_line": 5, "end_line": 6}]
    for ref, says in (("f" * 40, "fetch"), ("shop/none.py:1", "none.py"), ("run_00000000", "no run"), ("#99", "#99")):
        refused = loomstack("trace", ref)
        assert (refused.returncode, says in refused.stderr) == (1, True), refused.stderr


@pytest.mark.sqlite("the hub has a store of its own")
def test_over_a_hub_the_chain_is_the_same_and_the_hub_answers_without_a_clone(
    shop: Path, serve: Callable[..., Server], loomstack: Run, tmp_path: Path
) -> None:
    ruled(shop)
    with a_hub(tmp_path) as hub:
        joined(tmp_path / "loomstack", hub)

        def approve(approval: str) -> None:
            hub.loom.approvals.answer(approval, Approver(name="dana", roles=("lead",)), "granted", why="I looked")

        run = landed(shop, serve, loomstack, approve=approve)
        asked = loomstack("trace", "shop/tax.py:6", "--json")
        [repo_id] = hub.loom.repos.ids()
        kept = trace_shown(hub.loom.traces.kept_trace(repo_id, git(shop, "rev-parse", "HEAD")))

    assert chain(json.loads(asked.stdout)) == expected("dana"), asked.stderr
    assert chain(dict(kept)) == expected("dana")
    assert kept["runs"][0]["run"] == run  # type: ignore[index]
