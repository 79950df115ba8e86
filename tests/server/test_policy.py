"""check_policy over a real server: the trunk's rules, the worktree's, and what becomes of a set that does not load."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Run, commit_all, git
from tests.wire import Server

CORE = """\
version: 1
policy: core
rules:
  - id: core-closed
    why: core belongs to the platform team
    effect: deny
    on: [edit, commit, push, land]
    where: {paths: ["/src/core/**"], except: ["/src/core/README.md"]}
    fix: ask the platform team
  - id: hold-a-claim
    why: two loops on one file waste both
    effect: deny
    on: [edit]
    where: {paths: ["/docs/**"]}
    check: {claims: held}
  - id: no-force-push
    why: a forced push destroys the work of others
    effect: deny
    on: [command]
    check: {commands: [[git, push, "--force|-f"]]}
"""


@pytest.fixture
def ruled(shop: Path, serve: Callable[..., Server]) -> Server:
    """A server in a repository whose trunk has rules."""
    (shop / "policies").mkdir()
    (shop / "policies/core.yaml").write_text(CORE)
    commit_all(shop)
    server = serve()
    server.answer("start_run", loop="triage", goal="green")
    return server


def test_an_edit_is_denied_with_the_rule_its_place_and_what_to_do(ruled: Server) -> None:
    found = ruled.answer("check_policy", action="edit", paths=["src/core/a.py"])
    [reason] = found["reasons"]

    assert (found["effect"], found["decision"][:4], found["policy"][:7]) == ("deny", "dec_", "sha256:")
    assert (reason["rule"], reason["at"], reason["fix"]) == (
        "core-closed", "policies/core.yaml:4", "ask the platform team",
    )  # fmt: skip
    assert reason["matched"] == ["path src/core/a.py matches /src/core/**"]


def test_what_no_rule_speaks_of_is_allowed(ruled: Server) -> None:
    found = ruled.answer("check_policy", action="edit", paths=["src/a.py", "src/core/README.md"])

    assert (found["effect"], "reasons" in found) == ("allow", False)


def test_a_claim_is_a_fact_of_the_store(ruled: Server) -> None:
    before = ruled.answer("check_policy", action="edit", paths=["docs/x.md"])["effect"]
    ruled.answer("claim_paths", paths=["docs"], intent="write")
    after = ruled.answer("check_policy", action="edit", paths=["docs/x.md"])["effect"]

    assert (before, after) == ("deny", "allow")


@pytest.mark.parametrize(
    ("command", "effect"),
    [
        ("git push --force origin main", "deny"),
        ("bash -c 'git push -f'", "deny"),
        ("echo x > src/core/a.py", "deny"),
        ("git commit --no-verify -m x", "deny"),
        ("echo 'git push --force'", "allow"),
        ("loomstack-mcp note add hello", "deny"),
    ],
)
def test_a_command_is_read(ruled: Server, command: str, effect: str) -> None:
    assert ruled.answer("check_policy", action="command", command=command)["effect"] == effect


def test_a_tightening_in_the_worktree_holds_at_once_and_a_loosening_does_not(ruled: Server, shop: Path) -> None:
    (shop / "policies/core.yaml").write_text(
        CORE.replace("id: core-closed", "id: readme-closed").replace("/src/core/**", "/README.md")
    )
    tightened = ruled.answer("check_policy", action="edit", paths=["README.md"])["effect"]
    kept = ruled.answer("check_policy", action="edit", paths=["src/core/a.py"])["effect"]

    assert (tightened, kept) == ("deny", "deny")


def test_a_rule_that_landed_holds_without_a_restart(ruled: Server, shop: Path) -> None:
    before = ruled.answer("check_policy", action="edit", paths=["web/x.ts"])["effect"]
    (shop / "policies/core.yaml").write_text(CORE.replace("/src/core/**", "/web/**"))
    commit_all(shop)

    assert (before, ruled.answer("check_policy", action="edit", paths=["web/x.ts"])["effect"]) == ("allow", "deny")


def test_a_set_that_does_not_load_warns_with_file_and_line(ruled: Server, shop: Path) -> None:
    (shop / "policies/core.yaml").write_text(CORE.replace("effect: deny", "efect: deny", 1))
    found = ruled.answer("check_policy", action="edit", paths=["src/a.py"])

    assert (found["effect"], found["reasons"][0]["rule"]) == ("warn", "policy_error")
    assert any("policies/core.yaml:6" in line and "effect" in line for line in found["reasons"][0]["matched"])


def test_a_landing_is_judged_by_what_it_changes(ruled: Server, shop: Path, serve: Callable[..., Server]) -> None:
    git(shop, "worktree", "add", "--quiet", "-b", "feature", str(shop.parent / "feature"))
    branch = shop.parent / "feature"
    (branch / "src/core").mkdir()
    (branch / "src/core/a.py").write_text("x\n")
    commit_all(branch)
    server = serve(cwd=branch)
    server.answer("start_run", loop="refactor", goal="x")

    assert server.answer("check_policy", action="land", target="main")["effect"] == "deny"


def test_a_briefing_names_the_rules_that_hold_there(ruled: Server) -> None:
    there = ruled.answer("start_run", loop="triage", goal="more", paths=["src/"])["briefing"]["rules"]
    here = ruled.answer("read_shared_context", paths=["README.md"])

    assert [(rule["rule"], rule["effect"], rule["why"]) for rule in there] == [
        ("core-closed", "deny", "core belongs to the platform team")
    ]
    assert "rules" not in here


def test_decisions_are_kept_and_refusals_are_events(ruled: Server, shop: Path, loomstack: Run) -> None:
    ruled.answer("check_policy", action="edit", paths=["src/core/a.py"])
    ruled.answer("check_policy", action="edit", paths=["src/a.py"])
    kept = loomstack("db", "query", "SELECT answer FROM v_decisions ORDER BY decided_at", cwd=shop).stdout
    events = loomstack("events", cwd=shop).stdout

    assert ("deny" in kept, "allow" in kept, events.count("decision.made")) == (True, True, 1)


def test_no_paths_is_an_error_that_says_what_is_missing(ruled: Server) -> None:
    assert "name the paths" in ruled.error("check_policy", action="edit")


@pytest.mark.parametrize("place", [".claude/worktrees/feat", "../beside"])
def test_a_file_in_another_worktree_is_the_repository_s(ruled: Server, shop: Path, place: str) -> None:
    git(shop, "worktree", "add", "--quiet", "--detach", place)
    (shop / "policies/docs.yaml").write_text(CORE.replace("on: [edit, commit, push, land]", "on: [edit, command]"))
    (shop / "policies/core.yaml").unlink()
    commit_all(shop)
    lines = [f"rm {place}/src/core/a.py", f"cd {place} && rm src/core/a.py", f"rm {place}/src/a.py"]
    effects = [ruled.answer("check_policy", action="command", command=line)["effect"] for line in lines]
    edits = [
        ruled.answer("check_policy", action="edit", paths=[f"{place}/src/{name}"]) for name in ("core/x.py", "x.py")
    ]

    assert (effects, [edit["effect"] for edit in edits]) == (["deny", "deny", "allow"], ["deny", "allow"])


def test_what_needs_a_person_says_whom_to_ask_and_how(ruled: Server) -> None:
    asked = ruled.answer("check_policy", action="edit", paths=["policies/core.yaml"])
    again = ruled.answer("check_policy", action="edit", paths=["policies/core.yaml"])

    assert (asked["effect"], asked["approval"][:4]) == ("require_approval", "apr_")
    assert asked["next"] == f"a person: loomstack-mcp approve {asked['approval']}"
    assert again["approval"] == asked["approval"]
