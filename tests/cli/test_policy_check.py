"""What `policy check` finds in rules that load."""

import json
from pathlib import Path

import pytest

from tests.conftest import Run, commit_all

RULES = """\
version: 1
policy: {name}
rules:
  - id: {name}
    why: a person decides this
    effect: deny
    on: [{on}]
    where: {{paths: ["{paths}"]}}
"""


def ruled(shop: Path, name: str = "core", *, file: str = "policies/core.yaml", on: str = "edit", paths: str) -> None:
    (shop / file).parent.mkdir(parents=True, exist_ok=True)
    (shop / file).write_text(RULES.format(name=name, on=on, paths=paths))
    commit_all(shop)


def found(shop: Path, loomstack: Run) -> tuple[int, list[tuple[str, bool]]]:
    done = loomstack("policy", "check", "--json", cwd=shop)
    return done.returncode, [(one["at"], one["hint"]) for one in json.loads(done.stdout)["findings"]]


def test_rules_that_hold_are_no_finding(shop: Path, loomstack: Run) -> None:
    ruled(shop, paths="/src/**")
    (shop / "policies/tests").mkdir()
    (shop / "policies/tests/core.yaml").write_text("cases: []\n")
    (shop / "policies/core.yaml.bak").write_text("x\n")

    assert found(shop, loomstack) == (0, [])


@pytest.mark.parametrize(
    "file",
    ["policies/team/x.yaml", "policies/x.YAML", "policies/x.Yml", "policies/tests/deep/x.yaml", "Policies/x.yaml"],
)
def test_a_file_of_rules_that_is_not_read_is_a_finding(shop: Path, loomstack: Run, file: str) -> None:
    ruled(shop, paths="/src/**")
    ruled(shop, "other", file=file, paths="/src/**")

    assert found(shop, loomstack) == (1, [(f"{file}:1", False)])
    assert f"{file}:1: is not read" in loomstack("policy", "lint", cwd=shop).stdout


def test_a_rule_that_cannot_fire_is_a_finding_and_one_without_a_file_a_hint(shop: Path, loomstack: Run) -> None:
    ruled(shop, paths="/src/**", on="tool")
    ruled(shop, "later", file="policies/later.yaml", paths="/later/**")
    done = loomstack("policy", "check", cwd=shop)

    assert found(shop, loomstack) == (1, [("policies/core.yaml:4", False), ("policies/later.yaml:4", True)])
    assert "policies/core.yaml:4: core: names paths, but none is touched by tool: it never applies" in done.stdout
    assert "hint: policies/later.yaml:4: later: no file of the trunk is at /later/**" in done.stdout


def test_a_hint_alone_fails_no_check(shop: Path, loomstack: Run) -> None:
    ruled(shop, paths="/later/**")

    assert found(shop, loomstack) == (0, [("policies/core.yaml:4", True)])
