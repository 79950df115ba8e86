"""`gate` and `policy` as a team lead and a CI machine run them: real repositories, exit statuses, formats."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.test_conflicts import AFTER, BEFORE, bea_lands, worktree
from tests.acceptance.test_conflicts import trunk as trunk
from tests.conftest import Run, commit_all, environment, git
from tests.processes import MODULE, SCRIPT, run
from tests.wire import Server

CORE = """\
version: 1
policy: core
rules:
  - id: core-closed
    why: core belongs to the platform team
    effect: {effect}
    on: [edit, commit, push, land]
    where: {{paths: ["/src/core/**"]}}
    fix: ask the platform team
"""


def ruled(shop: Path, effect: str = "deny", more: str = "") -> Path:
    (shop / "policies").mkdir(exist_ok=True)
    (shop / "policies/core.yaml").write_text(CORE.format(effect=effect) + more)
    commit_all(shop, "Rules")
    git(shop, "checkout", "--quiet", "-b", "feature")
    (shop / "src/core").mkdir(exist_ok=True)
    (shop / "src/core/a.py").write_text("x = 1\n")
    commit_all(shop, "Core")
    return shop


@pytest.mark.parametrize(("effect", "status"), [("deny", 2), ("warn", 0)])
def test_the_exit_status_says_what_was_decided(shop: Path, loomstack: Run, effect: str, status: int) -> None:
    done = loomstack("gate", "--base", "main", cwd=ruled(shop, effect))

    assert (done.returncode, "core-closed  policies/core.yaml:4" in done.stdout) == (status, True)


def test_an_approval_that_nobody_gave_is_three(shop: Path, loomstack: Run) -> None:
    ruled(shop, "require_approval", '    approve: {by: ["role:lead"]}\n')

    found = [loomstack("gate", "--base", "main", *more, cwd=shop) for more in ((), ("--git-only",))]

    assert [done.returncode for done in found] == [3, 3]
    assert "\u2192 no person can be asked: the store alone keeps a question, and there is none here" in found[0].stdout
    assert (
        "\u2192 no person can be asked: the store alone keeps a question, and it was not to be asked" in found[1].stdout
    )


def test_the_rule_that_a_branch_removes_still_judges_it(shop: Path, loomstack: Run) -> None:
    ruled(shop)
    (shop / "policies/core.yaml").unlink()
    commit_all(shop, "No rules")
    found = json.loads(loomstack("gate", "--base", "main", "--json", cwd=shop).stdout)

    assert set(found["fired"]) == {"core-closed", "builtin.policy-guard"}


def test_a_person_whom_the_trunk_s_workflow_names_is_a_person(shop: Path, loomstack: Run) -> None:
    ruled(shop, more="    who: {kind: [loop, agent]}\n")

    assert loomstack("gate", "--base", "main", cwd=shop).returncode == 2
    assert loomstack("gate", "--base", "main", "--actor", "dana", cwd=shop).returncode == 0


def test_commits_that_a_run_signed_are_a_loop_s_under_any_account(shop: Path, loomstack: Run) -> None:
    ruled(shop, more="    who: {kind: [loop, agent]}\n")
    commit_all(shop, "More\n\nLoom-Run: run_ABCDEFGH")

    assert loomstack("gate", "--base", "main", "--actor", "dana", cwd=shop).returncode == 2


def test_what_the_store_knows_of_the_run_that_made_it_counts(
    shop: Path, serve: Callable[..., Server], loomstack: Run
) -> None:
    """Claims that ended with their run, and a checker's word on exactly this commit."""
    more = "    check: {claims: held, evidence: [{kind: tests, by: not_maker}]}\n"
    (shop / "policies").mkdir()
    (shop / "policies/core.yaml").write_text(CORE.format(effect="deny") + more)
    commit_all(shop, "Rules")
    git(shop, "checkout", "--quiet", "-b", "feature")
    maker = serve()
    made = maker.answer("start_run", loop="refactor", goal="core")["run"]
    maker.answer("claim_paths", paths=["src/core/"], intent="a core")
    (shop / "src/core").mkdir()
    (shop / "src/core/a.py").write_text("x = 1\n")
    commit_all(shop, "Core")
    sha = git(shop, "rev-parse", "HEAD")
    maker.answer("record_outcome", status="passed", summary="made", commits=[sha])
    unchecked = loomstack("gate", "--base", "main", cwd=shop)
    checker = serve()
    checker.answer("start_run", loop="check", goal="check", checks_run=made)
    checker.answer(
        "record_outcome", status="passed", summary="8/8", role="checker", checks={"passed": 8}, commits=[sha]
    )
    maker.answer("record_outcome", status="done", summary="made")
    checked = loomstack("gate", "--base", "main", cwd=shop)

    assert (unchecked.returncode, "0 of 1 tests passed on exactly this commit" in unchecked.stdout) == (2, True)
    assert (checked.returncode, checked.stdout.startswith("allow")) == (0, True)


def test_other_programs_read_it(shop: Path, loomstack: Run) -> None:
    ruled(shop)
    sarif = json.loads(loomstack("gate", "--base", "main", "--sarif", cwd=shop).stdout)
    [result] = sarif["runs"][0]["results"]
    github = loomstack("gate", "--base", "main", "--github", cwd=shop).stdout

    assert (sarif["version"], result["ruleId"], result["level"]) == ("2.1.0", "core-closed", "error")
    assert github.startswith("::error file=src/core/a.py,line=1,title=core-closed::core belongs to the platform team")


def test_rules_that_need_a_store_refuse_where_there_is_none(shop: Path, loomstack: Run) -> None:
    ruled(shop, "warn", "    check: {claims: held}\n")
    refused = loomstack("gate", "--base", "main", cwd=shop)
    skipped = json.loads(loomstack("gate", "--base", "main", "--git-only", "--json", cwd=shop).stdout)

    assert (refused.returncode, "store_unavailable" in refused.stderr, "core-closed" in refused.stderr) == (
        3,
        True,
        True,
    )
    assert (skipped["decision"], skipped["skipped"]) == ("allow", ["core-closed"])


def test_a_set_that_does_not_load_refuses(shop: Path, loomstack: Run) -> None:
    ruled(shop, "dney")
    done = loomstack("gate", "--base", "main", cwd=shop)

    assert (done.returncode, "policies/core.yaml:6" in done.stderr, "deny" in done.stderr) == (1, True, True)


def test_without_rules_there_are_those_that_are_built_in(shop: Path, loomstack: Run) -> None:
    git(shop, "checkout", "--quiet", "-b", "feature")
    (shop / ".mcp.json").write_text("{}")
    commit_all(shop)

    assert "builtin.policy-guard" in loomstack("gate", "--base", "main", cwd=shop).stdout


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ([], 64, "give one of --base"),
        (["--base", "nowhere"], 1, "is no commit here"),
        (["--base", "main", "--deploy", "prod"], 64, "give one of --base"),
    ],
)
def test_wrong_usage_is_said(shop: Path, loomstack: Run, arguments: list[str], status: int, said: str) -> None:
    done = loomstack("gate", *arguments, cwd=shop)

    assert (done.returncode, said in done.stderr) == (status, True)


def test_a_conflict_that_stops_denies(trunk: Path, serve: Callable[..., Server], loomstack: Run) -> None:
    bea_lands(trunk, serve)
    branch = worktree(trunk, "ana")
    (branch / "src/a.py").write_text(BEFORE)
    commit_all(branch)
    stopped = loomstack("gate", "--base", "main", cwd=branch)
    (branch / "src/a.py").write_text(AFTER)
    commit_all(branch)

    assert (stopped.returncode, "stop  undo" in stopped.stdout) == (2, True)
    assert loomstack("gate", "--base", "main", cwd=branch).returncode == 0


def test_a_push_to_a_bare_repository_is_judged_by_the_old_tip(shop: Path, tmp_path: Path) -> None:
    git(shop, "checkout", "--quiet", "main")
    ruled(shop)
    bare = tmp_path / "bare.git"
    git(shop, "branch", "--quiet", "before", "main")
    git(shop, "clone", "--quiet", "--bare", "--branch", "main", str(shop), str(bare))
    hook = bare / "hooks/pre-receive"
    hook.write_text(f'#!/bin/sh\nexec {sys.executable} -m loomstack_mcp gate --pre-receive --actor "$USER"\n')
    hook.chmod(0o755)
    command = ["git", "push", str(bare), "feature:main"]
    refused = run(command, cwd=shop, env=environment(tmp_path))
    git(shop, "checkout", "--quiet", "-b", "docs", "main")
    (shop / "README.md").write_text("better\n")
    commit_all(shop)
    command = ["git", "push", str(bare), "docs:main"]
    taken = run(command, cwd=shop, env=environment(tmp_path))

    assert (refused.returncode, "core-closed" in refused.stderr) == (1, True)
    assert taken.returncode == 0, taken.stderr


def received(folder: Path, home: Path, *updates: str, actor: str = "") -> subprocess.CompletedProcess[str]:
    """What the hook says of these updates, without a push."""
    command = [*MODULE, "gate", "--pre-receive", "--actor", actor]
    return run(command, cwd=folder, env=environment(home), given="".join(f"{update}\n" for update in updates))


def commits(shop: Path, *names: str) -> list[str]:
    return [git(shop, "rev-parse", name) for name in names]


def test_a_pushed_replacement_takes_no_rule_away(shop: Path, loomstack: Run) -> None:
    ruled(shop)
    git(shop, "update-ref", f"refs/replace/{git(shop, 'rev-parse', 'main')}", "main^")

    assert loomstack("gate", "--base", "main", cwd=shop).returncode == 2


def test_a_tag_of_the_base_s_name_is_not_the_base(shop: Path, loomstack: Run) -> None:
    ruled(shop)
    git(shop, "tag", "main")
    git(shop, "update-ref", "refs/remotes/origin/main", "refs/heads/main")
    git(shop, "tag", "origin/main")

    assert loomstack("gate", "--base", "main", cwd=shop).returncode == 2
    assert loomstack("gate", "--base", "origin/main", cwd=shop).returncode == 2


def test_a_link_in_the_place_of_a_protected_folder_cannot_be_moved(shop: Path, loomstack: Run) -> None:
    (shop / "src").mkdir(exist_ok=True)
    (shop / "src/core").symlink_to("../lib")
    (shop / "policies").mkdir()
    (shop / "policies/core.yaml").write_text(CORE.format(effect="deny"))
    commit_all(shop, "Rules")
    git(shop, "checkout", "--quiet", "-b", "feature")
    (shop / "src/core").unlink()
    (shop / "src/core").symlink_to("../evil")
    commit_all(shop, "Elsewhere")

    assert loomstack("gate", "--base", "main", cwd=shop).returncode == 2


def test_a_deployment_is_judged_by_the_trunk_s_rules(shop: Path, loomstack: Run) -> None:
    rule = CORE.format(effect="deny").replace("[edit, commit, push, land]", "[deploy]")
    (shop / "policies").mkdir()
    (shop / "policies/core.yaml").write_text(rule.replace('paths: ["/src/core/**"]', "environment: [production]"))
    commit_all(shop, "Rules")
    git(shop, "checkout", "--quiet", "-b", "feature")
    git(shop, "rm", "--quiet", "policies/core.yaml")
    commit_all(shop, "None")

    assert loomstack("gate", "--deploy", "Production", cwd=shop).returncode == 2
    assert loomstack("gate", "--deploy", "staging", cwd=shop).returncode == 0


def test_a_push_of_commits_that_a_run_signed_is_a_loop_s(shop: Path, tmp_path: Path) -> None:
    ruled(shop, more="    who: {kind: [loop, agent]}\n")
    old, by_hand = commits(shop, "main", "feature")
    commit_all(shop, "More\n\nLoom-Run: run_ABCDEFGH")
    [by_loop] = commits(shop, "feature")
    git(shop, "checkout", "--quiet", "main")

    assert received(shop, tmp_path, f"{old} {by_hand} refs/heads/main", actor="dana").returncode == 0
    assert received(shop, tmp_path, f"{old} {by_loop} refs/heads/main", actor="dana").returncode == 2


def test_what_the_hook_cannot_read_is_refused_in_a_sentence(shop: Path, tmp_path: Path) -> None:
    ruled(shop)
    old, new = commits(shop, "main", "feature")
    blob = git(shop, "rev-parse", "feature:src/core/a.py")
    git(shop, "checkout", "--quiet", "main")
    garbage = received(shop, tmp_path, "garbage")
    tagged = received(shop, tmp_path, f"{'0' * 40} {blob} refs/tags/one")
    odd = received(shop, tmp_path, f"{old} {new} refs/heads/a\u2028b")
    many = received(shop, tmp_path, *[f"{old} {'0' * 40} refs/heads/{'x' * 4_000}"] * 2_500)
    git(shop, "symbolic-ref", "HEAD", "refs/heads/nowhere")
    headless = received(shop, tmp_path, f"{old} {new} refs/heads/main")

    assert (garbage.returncode, "OLD NEW REF" in garbage.stderr) == (64, True)
    assert (tagged.returncode, "is no commit here; so it is denied" in tagged.stderr) == (2, True)
    assert odd.returncode == 2
    assert (many.returncode, "push fewer refs" in many.stderr) == (1, True)
    assert (headless.returncode, "names refs/heads/nowhere" in headless.stderr) == (1, True)


def test_the_workflow_runs_none_of_the_pull_request_s_code(loomstack: Run) -> None:
    text = loomstack("gate", "--workflow").stdout

    assert "pull_request_target" in text
    assert "base.ref" in text
    assert "head.sha" not in text
    assert text.count("ref: ${{ github.event.pull_request.base.ref }}") == 1


def test_rules_are_kept_for_the_next_process_and_never_taken_from_a_stranger(
    shop: Path, tmp_path: Path, loomstack: Run
) -> None:
    ruled(shop)
    first = loomstack("gate", "--base", "main", cwd=shop)
    folder = tmp_path / "loomstack/cache/policy"
    [kept] = folder.glob("*.json")
    second = loomstack("gate", "--base", "main", cwd=shop)
    kept.write_bytes(kept.read_bytes().replace(b"core-closed", b"nobody-here"))
    forged = loomstack("gate", "--base", "main", cwd=shop)

    assert (folder / "key").stat().st_mode & 0o777 == 0o600
    assert first.stdout == second.stdout == forged.stdout
    assert "core-closed" in forged.stdout


def test_policy_check_and_explain_and_lint(shop: Path, loomstack: Run) -> None:
    ruled(shop)
    checked = json.loads(loomstack("policy", "check", "--json", cwd=shop).stdout)
    explained = loomstack("policy", "explain", "core-closed", cwd=shop).stdout
    linted = loomstack("policy", "lint", cwd=shop)

    assert (checked["rules"], checked["policy"][:7]) == (5, "sha256:")
    assert "core belongs to the platform team" in explained
    assert (linted.returncode, linted.stdout.strip()) == (0, "Nothing to mend.")


def test_policy_replay_counts_what_would_have_been_stopped(shop: Path, loomstack: Run) -> None:
    ruled(shop)
    git(shop, "checkout", "--quiet", "main")
    git(shop, "merge", "--quiet", "--no-ff", "feature")
    found = json.loads(loomstack("policy", "replay", "--rule", "core-closed", "--json", cwd=shop).stdout)

    assert (found["commits"], len(found["stopped"])) == (3, 1)
    assert "1 × core-closed" in loomstack("policy", "replay", cwd=shop).stdout


def test_policy_test_shows_what_was_expected_and_what_came(shop: Path, loomstack: Run) -> None:
    ruled(shop)
    (shop / "policies/tests").mkdir()
    case = {
        "id": "C1", "title": "core is closed", "point": "mcp", "policy": ["core"],
        "request": {"action": "edit", "paths": ["src/core/a.py"]}, "expect": {"decision": "allow"},
    }  # fmt: skip
    suite = {"format": 1, "policies": {"core": CORE.format(effect="deny")}, "cases": [case]}
    (shop / "policies/tests/core.yaml").write_text(json.dumps(suite))
    failed = loomstack("policy", "test", cwd=shop)
    case["expect"] = {"decision": "deny", "fired": ["core-closed"]}
    (shop / "policies/tests/core.yaml").write_text(json.dumps(suite))

    assert (failed.returncode, "decided deny, not allow" in failed.stdout) == (1, True)
    assert loomstack("policy", "test", cwd=shop).returncode == 0


def test_the_schema_is_for_editors() -> None:
    done = run([SCRIPT, "policy", "schema"], check=True)

    assert json.loads(done.stdout)["properties"].keys() == {"version", "policy", "rules", "waivers"}
