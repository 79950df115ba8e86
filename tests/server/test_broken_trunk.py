"""A trunk whose rules or settings do not load: sessions go on, nothing is judged under a guess, and all say where."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Run, commit_all, git
from tests.hooks.support import claude_edit, hook, made_store
from tests.wire import Server

CONFIG = ".loomstack/config.yaml"


@pytest.fixture
def broken(shop: Path) -> Path:
    """The trunk has settings that do not load; what is checked out has them mended already."""
    landed(shop, CONFIG, "\nrepo: [shop]\n")
    git(shop, "checkout", "--quiet", "-b", "mend")
    (shop / CONFIG).write_text("repo: shop\n")
    commit_all(shop)
    return shop


def landed(shop: Path, path: str, text: str) -> None:
    (shop / path).parent.mkdir(exist_ok=True)
    (shop / path).write_text(text)
    commit_all(shop)


def test_settings_of_the_trunk_that_do_not_load_are_named_and_nothing_is_claimed(
    broken: Path, serve: Callable[..., Server]
) -> None:
    server = serve()
    refused = server.error("start_run", loop="fix", goal="x")
    server.error("claim_paths", paths=["a"], intent="x")
    git(broken, "branch", "--quiet", "--force", "main", "mend")
    mended = server.answer("start_run", loop="fix", goal="x")

    assert f"invalid: {CONFIG}:2: repo: " in refused
    assert "so it is on the trunk, whatever is checked out: a person lands the mend" in refused
    assert mended["run"]


def test_a_hook_says_that_it_did_not_check_and_lets_the_mend_be_made(broken: Path, tmp_path: Path) -> None:
    made_store(tmp_path)
    reply = hook(tmp_path, "claude", claude_edit(broken, f"{broken}/{CONFIG}"))

    assert reply
    assert "did not check this step" in str(reply)
    assert f"{CONFIG}:2" in str(reply)
    assert "deny" not in str(reply)


def test_rules_of_the_trunk_that_do_not_load_are_a_warning_before_an_edit(
    shop: Path, serve: Callable[..., Server]
) -> None:
    landed(shop, "policies/core.yaml", "rules: [\n")
    git(shop, "checkout", "--quiet", "-b", "mend")
    git(shop, "rm", "--quiet", "policies/core.yaml")
    server = serve()
    server.answer("start_run", loop="fix", goal="x")
    told = server.answer("check_policy", action="edit", paths=["policies/core.yaml"])

    assert told["effect"] == "warn"
    assert told["reasons"][0]["matched"][0] == "on the trunk, whatever is checked out (a person lands the mend):"
    assert "policies/core.yaml:2" in told["reasons"][0]["matched"][1]


def test_an_agent_hears_before_it_lands_that_the_rules_would_not_load(shop: Path, serve: Callable[..., Server]) -> None:
    git(shop, "checkout", "--quiet", "-b", "work")
    landed(shop, CONFIG, "rework_max: many\n")
    server = serve()
    server.answer("start_run", loop="fix", goal="x")
    told = server.answer("check_policy", action="land")

    assert told["effect"] == "deny"
    assert [one["rule"] for one in told["reasons"] if one["effect"] == "deny"] == ["builtin.rules-load"]
    assert f"{CONFIG}:1: " in str(told["reasons"])


def test_what_a_person_mends_it_with_works_and_says_where(broken: Path, loomstack: Run) -> None:
    checked, lint = loomstack("policy", "check"), loomstack("policy", "lint")
    config = loomstack("config")
    setup = loomstack("init", "--dry-run")
    (broken / CONFIG).write_text("repo: shop\nrework_max: many\n")
    unmended = loomstack("policy", "check")

    assert (checked.returncode, lint.returncode, setup.returncode) == (0, 0, 0), checked.stderr + setup.stderr
    assert (config.returncode, "loom.db" in config.stdout, f"{CONFIG}:2" in config.stderr) == (1, True, True)
    assert (unmended.returncode, f"{CONFIG}:2: rework_max: " in unmended.stderr) == (1, True)
