"""The rules in `policies/`: this repository's own, and what a team begins with."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from loomstack_mcp.adapters.policy import files
from loomstack_mcp.adapters.policy.cases import Played, played
from loomstack_mcp.core.policy.linting import linted
from loomstack_mcp.core.policy.rules import Rulebook
from tests.deltas import opened_repository

_ROOT = Path(__file__).parents[1]
_POLICIES = {path.stem: path.read_text("utf-8") for path in (_ROOT / "policies").glob("*.yaml")}
_CASES: list[dict[str, Any]] = yaml.safe_load((_ROOT / "policies/tests/starter.yaml").read_text("utf-8"))["cases"]
_SHOWN_AT_MS = 1_795_000_000_000
_PEOPLE = "links-stay-inside"
_THREADS = 4


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Rulebook:
    with opened_repository(_ROOT) as repo:
        return files.rulebook(repo, str(tmp_path_factory.mktemp("home")), worktree=True)


@pytest.fixture(scope="module")
def plays() -> Mapping[str, Played]:
    # Git is waited for, most of the time.
    with ThreadPoolExecutor(_THREADS) as threads:
        return {one.id: one for one in threads.map(lambda case: played(case, _POLICIES), _CASES)}


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case["id"])
def test_a_case_comes_out_as_expected(case: dict[str, Any], plays: Mapping[str, Played]) -> None:
    assert plays[case["id"]].wrong == ()


def test_every_id_of_a_case_is_used_once() -> None:
    ids = [case["id"] for case in _CASES]

    assert sorted(ids) == sorted(set(ids))


def test_every_rule_has_a_case_in_which_it_fires_and_one_in_which_it_passes(
    book: Rulebook, plays: Mapping[str, Played]
) -> None:
    told = {(case["rule"], _outcome(case["rule"], plays[case["id"]])) for case in _CASES}

    fires = {rule for rule, outcome in told if outcome in ("fired", "audit")}
    passes = {rule for rule, outcome in told if outcome == ""}
    assert fires == passes == _ids(book)


def test_lint_finds_nothing_to_mend(book: Rulebook) -> None:
    assert linted(book, now_ms=_SHOWN_AT_MS) == ()


def test_every_rule_says_what_to_do_instead(book: Rulebook) -> None:
    assert [rule.id for rule in book.rules if not rule.fix] == []


def test_a_file_is_named_as_its_policy() -> None:
    assert {stem: yaml.safe_load(text)["policy"] for stem, text in _POLICIES.items()} == {one: one for one in _POLICIES}


def test_people_are_stopped_by_nothing_but_links_that_lead_out(book: Rulebook) -> None:
    binding = {
        rule.id
        for rule in book.rules
        if rule.layer == "repo" and rule.mode == "enforce" and set(rule.who.kind) != {"loop", "agent"}
    }

    assert binding == {_PEOPLE}


def _outcome(rule: str, one: Played) -> str:
    """What the decision says of the rule; "" for nothing."""
    return next((str(reason["outcome"]) for reason in json.loads(one.told)["reasons"] if reason["rule"] == rule), "")


def _ids(book: Rulebook) -> set[str]:
    return {rule.id for rule in book.rules if rule.layer == "repo"}
