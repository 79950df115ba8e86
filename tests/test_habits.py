"""What strangers rely on: one version, pinned dependencies, workflows that may do little, commands that exist."""

import importlib.metadata
import json
import os
import re
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import loomstack_mcp

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONSTRAINTS = (ROOT / "constraints.txt").read_text()
PINS = re.findall(r"^([a-z0-9.-]+)==(\S+)", CONSTRAINTS, re.MULTILINE)  # a name has several where Pythons differ
WORKFLOWS = {path.stem: path.read_text() for path in (ROOT / ".github/workflows").glob("*.yml")}


def asked_for() -> list[Requirement]:
    """Every requirement that pyproject.toml names: dependencies, all extras, the build backend."""
    project = PYPROJECT["project"]
    extras = project["optional-dependencies"].values()
    texts = chain(project["dependencies"], PYPROJECT["build-system"]["requires"], *extras)
    return [Requirement(text) for text in texts]


def test_the_version_stands_in_the_package_and_the_registry_is_told_the_same() -> None:
    server = json.loads((ROOT / "server.json").read_text())

    assert "version" not in PYPROJECT["project"]
    assert PYPROJECT["tool"]["hatch"]["version"]["path"] == "loomstack_mcp/__init__.py"
    assert [server["version"], server["packages"][0]["version"]] == [loomstack_mcp.__version__] * 2


def test_the_registry_can_take_the_entry() -> None:
    """The limits of schema 2025-12-11, and what its check of an owner compares."""
    server = json.loads((ROOT / "server.json").read_text())
    package = server["packages"][0]

    assert re.fullmatch(r"io\.github\.[a-z0-9-]+/[a-z0-9-]+", server["name"])
    assert 1 <= len(server["description"]) <= 100
    assert package["identifier"] == PYPROJECT["project"]["name"]
    assert package["identifier"] in PYPROJECT["project"]["scripts"]
    assert package["transport"] == {"type": "stdio"}


def test_what_pyproject_asks_for_is_pinned_to_a_version_that_fits() -> None:
    """Red? `.ci/constraints` writes the file anew."""
    wanted = {requirement: canonicalize_name(requirement.name) for requirement in asked_for()}
    fitting = {r for r, name in wanted.items() for pin, version in PINS if pin == name and version in r.specifier}

    assert [str(requirement) for requirement in wanted if requirement not in fitting] == []


def test_each_pin_has_its_hashes_and_no_index_is_named() -> None:
    entries = re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", CONSTRAINTS, flags=re.MULTILINE).rstrip())
    pin = re.compile(r"[a-z0-9.-]+==\S+( ; [^\\]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+")

    assert [entry for entry in entries if not pin.fullmatch(entry)] == []
    assert len(entries) == len(PINS)


@pytest.mark.skipif("PIP_NO_INDEX" not in os.environ, reason="only `.ci/run` installs by constraints.txt")
def test_what_is_tested_is_what_is_pinned() -> None:
    pinned = {name for name, _ in PINS}
    installed = {(canonicalize_name(d.name), d.version) for d in importlib.metadata.distributions()}

    assert {canonicalize_name(requirement.name) for requirement in asked_for()} <= {name for name, _ in installed}
    assert {(name, version) for name, version in installed if name in pinned} <= set(PINS)


def test_actions_are_pinned_by_commit() -> None:
    used = re.findall(r"\buses: (.+)$", "\n".join(WORKFLOWS.values()), re.MULTILINE)
    pinned = re.compile(r"\./\.github/workflows/\w+\.yml|[\w./-]+@[0-9a-f]{40} # v[0-9.]+")

    assert len(used) > 5
    assert [action for action in used if not pinned.fullmatch(action)] == []


def test_a_workflow_may_read_and_only_the_publishing_job_more() -> None:
    jobs = {
        (name, job): step.get("permissions")
        for name, text in WORKFLOWS.items()
        for job, step in yaml.safe_load(text)["jobs"].items()
    }

    assert [yaml.safe_load(text)["permissions"] for text in WORKFLOWS.values()] == [{"contents": "read"}] * 2
    assert {job: more for job, more in jobs.items() if more} == {("release", "publish"): {"id-token": "write"}}


def test_only_a_tag_of_a_version_releases() -> None:
    release = yaml.safe_load(WORKFLOWS["release"])

    assert release[True] == {"push": {"tags": ["v*"]}}  # YAML 1.1 reads the key `on` as true
    assert [release["jobs"][job]["needs"] for job in ("build", "publish")] == ["check", "build"]


def test_each_hook_of_pre_commit_starts_a_tool_of_the_test_extra() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    hooks = [hook for repo in config["repos"] for hook in repo["hooks"]]
    tools = [Path(hook["entry"].split()[0]) for hook in hooks]

    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    assert {tool.parent for tool in tools} == {Path(".venv/bin")}
    assert [tool.name for tool in tools if not Path(sys.executable).with_name(tool.name).exists()] == []


def test_contributing_names_each_recipe_and_no_other() -> None:
    recipes = re.findall(r"^(\w+)(?: \*\w+)?:$", (ROOT / "justfile").read_text(), re.MULTILINE)
    named = re.findall(r"\bjust (\w+)", (ROOT / "CONTRIBUTING.md").read_text())

    assert sorted(set(named)) == sorted(recipes)
