"""Facts that were once asked in two places, which disagreed: now each has one answer, whoever asks."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Run, commit_all, git
from tests.wire import Server

RULES = """\
version: 1
policy: core
rules:
  - id: core-closed
    why: core belongs to the platform team
    effect: deny
    on: [edit]
    where: {paths: ["/src/core/**", "Makefile"]}
  - id: not-held
    why: two loops on one file waste both
    effect: deny
    on: [edit]
    check: {claims: not_held_by_other}
"""


@pytest.fixture
def ruled(shop: Path) -> Path:
    (shop / "policies").mkdir()
    (shop / "policies/core.yaml").write_text(RULES)
    (shop / "src/core").mkdir()
    (shop / "src/core/a.py").write_text("x\n")
    commit_all(shop)
    return shop


def effect(server: Server, *paths: str) -> str:
    answer: str = server.answer("check_policy", action="edit", paths=list(paths))["effect"]
    return answer


@pytest.mark.parametrize(
    ("held", "edited"),
    [
        ("SRC/A.py", "src/a.py"),
        ("tests/test_a.py", "tests/"),
        ("src/b.py", "./src//x/../B.PY"),
        ("docs/", "Docs/new.md"),
    ],
)
def test_a_rule_on_claims_tells_names_apart_as_claims_do(
    ruled: Path, serve: Callable[..., Server], held: str, edited: str
) -> None:
    git(ruled, "config", "core.ignorecase", "true")
    holder, other = serve(CLAUDE_CODE_SESSION_ID="one"), serve(CLAUDE_CODE_SESSION_ID="two")
    for server in (holder, other):
        server.answer("start_run", loop="loop", goal="goal")
    free = effect(other, edited)
    holder.answer("claim_paths", paths=[held], intent="mine")

    assert (free, effect(other, edited), effect(holder, edited)) == ("allow", "deny", "allow")


@pytest.mark.parametrize(
    "path",
    [
        "src/core",
        "src/core/",
        "src/*/a.py",
        "./src//x/../core/a.py",
        "src/c[o]re/a.py",
        "Makefile",
        "lib/Makefile",
        "**",
        ".",
        "{src/core/a.py,x}",
    ],
)
def test_paths_are_typed_to_a_rule_as_to_a_claim(ruled: Path, serve: Callable[..., Server], path: str) -> None:
    server = serve()
    server.answer("start_run", loop="loop", goal="goal")

    assert (effect(server, path), effect(server, "src/a.py"), effect(server, "docs")) == ("deny", "allow", "allow")


def test_an_absolute_path_is_the_same_file_and_one_elsewhere_is_outside(
    ruled: Path, serve: Callable[..., Server]
) -> None:
    server = serve()
    server.answer("start_run", loop="loop", goal="goal")

    assert effect(server, str(ruled / "src/core/a.py")) == "deny"
    found = server.answer("check_policy", action="edit", paths=["/usr/local/x"])
    assert [reason["rule"] for reason in found["reasons"]] == ["builtin.outside-repo"]


def test_settings_come_from_a_trunk_of_any_usual_name(shop: Path, loomstack: Run) -> None:
    """A branch's own file must not decide whom it coordinates with."""
    git(shop, "branch", "--move", "main", "develop")
    (shop / ".loomstack").mkdir()
    (shop / ".loomstack/config.yaml").write_text("repo: acme/shop\n")
    commit_all(shop)
    git(shop, "switch", "--quiet", "--create", "feature")
    (shop / ".loomstack/config.yaml").write_text("repo: elsewhere\n")
    commit_all(shop)

    assert "acme/shop" in loomstack("config", "--json").stdout


def test_evidence_is_found_however_much_was_recorded_since(serve: Callable[..., Server], shop: Path) -> None:
    (shop / "policies").mkdir()
    (shop / "policies/e.yaml").write_text(EVIDENCE)
    commit_all(shop)
    git(shop, "switch", "--quiet", "--create", "feature")
    commit_all(shop, "work")
    head, before = git(shop, "rev-parse", "HEAD", "HEAD~1").split()
    maker, checker = serve(CLAUDE_CODE_SESSION_ID="one"), serve(CLAUDE_CODE_SESSION_ID="two")
    run = maker.answer("start_run", loop="maker", goal="goal")["run"]
    maker.answer("record_outcome", status="passed", summary="made", commits=[head])
    checker.answer("start_run", loop="checker", goal="check", checks_run=run)
    checker.answer(
        "record_outcome", status="passed", summary="good", role="checker", checks={"passed": 8}, commits=[head]
    )
    other = maker.answer("start_run", loop="other", goal="goal")["run"]
    for _ in range(201):
        maker.answer("record_outcome", run=other, status="passed", summary="x", commits=[before])

    found = maker.answer("check_policy", run=run, action="land")

    assert found["effect"] == "allow"


EVIDENCE = """\
version: 1
policy: evidence
rules:
  - id: tested
    why: somebody else has to have tested it
    effect: deny
    on: [land]
    check: {evidence: [{kind: tests, by: not_maker}]}
"""


def test_a_command_that_may_write_anywhere_is_judged_like_any_other(ruled: Path, serve: Callable[..., Server]) -> None:
    server = serve()
    server.answer("start_run", loop="loop", goal="goal")

    for line in ('rm -rf . "$LOG"', "cp x $TARGET", 'echo x > "$LOG"', "rm -rf *"):
        assert server.answer("check_policy", action="command", command=line)["effect"] == "deny", line


@pytest.mark.parametrize(
    "path", ["", "a\0/b", "a" * 300, "a" * 70_000, "~nobody/x", "C:\\x", "[", "\n", "\u2028", "\u00e9" * 150]
)
def test_a_path_that_is_none_hides_no_verdict_on_the_others(
    ruled: Path, serve: Callable[..., Server], path: str
) -> None:
    server = serve()
    server.answer("start_run", loop="loop", goal="goal")

    assert effect(server, path, "src/core/a.py") == effect(server, "src/core/a.py", path) == "deny"
    assert server.answer("check_policy", action="command", command="rm src/core/a.py", paths=[path])["effect"] == "deny"
    assert effect(server, path, "src/a.py") in ("allow", "deny")


def test_what_is_about_to_land_has_a_verdict_in_a_merge_and_for_a_branch_to_be(
    ruled: Path, serve: Callable[..., Server]
) -> None:
    (ruled / "policies/frozen.yaml").write_text(FROZEN)
    commit_all(ruled)
    git(ruled, "switch", "--quiet", "--create", "feature")
    (ruled / "src/a.py").write_text("ours\n")
    commit_all(ruled)
    git(ruled, "switch", "--quiet", "main")
    (ruled / "src/a.py").write_text("theirs\n")
    commit_all(ruled)
    server = serve()
    server.answer("start_run", loop="loop", goal="goal")
    to_be = server.answer("check_policy", action="push", target="release")["effect"]
    with pytest.raises(subprocess.CalledProcessError):
        git(ruled, "merge", "feature")

    assert to_be == "deny"
    assert server.answer("check_policy", action="commit")["effect"] == "deny"


FROZEN = """\
version: 1
policy: frozen
rules:
  - id: frozen
    why: nothing moves before the release
    effect: deny
    on: [commit, push]
    where: {branch: [main, release]}
"""
