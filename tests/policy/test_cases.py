"""Every case in the files beside this one comes out as it says; `samples.yaml` came with the design."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from loomstack_mcp.adapters.policy.cases import played
from tests.deadlines import seconds

Case = tuple[Mapping[str, Any], Mapping[str, str]]


def _cases() -> Iterator[Any]:
    for path in sorted(Path(__file__).parent.glob("*.yaml")):
        suite = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
        for case in suite["cases"]:
            yield pytest.param((case, suite["policies"]), id=f"{path.stem}-{case['id']}")


CASES = tuple(_cases())


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> None:
    """A home folder, which need not be there, where nothing else is: one below /tmp would be nobody's business."""
    monkeypatch.setenv("HOME", "/home/dana")


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("given", CASES)
def test_a_case_comes_out_as_it_says(given: Case) -> None:
    case, policies = given

    assert played(patient(case), policies).wrong == ()


def patient(case: Mapping[str, Any]) -> Mapping[str, Any]:
    expect = case["expect"]
    return {**case, "expect": {**expect, "max_seconds": seconds(expect.get("max_seconds", float("inf")))}}


def test_no_id_comes_twice() -> None:
    ids = [param.id for param in CASES]

    assert sorted(set(ids)) == sorted(ids)
