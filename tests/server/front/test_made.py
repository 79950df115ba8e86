"""Thousands of requests that nobody thought of, through the front and the SDK's server: the answers are alike."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.server.front.made import ARGUMENTS, MODERN, OF_TYPES, OLDER
from tests.server.front.sides import META, Pair

REQUESTS, EXAMPLES = 25, 20
"""To each era: 500 requests, in two sessions that live as long as the module."""
BOUNDED = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory, _shop: Path) -> Iterator[Pair]:
    with Pair(tmp_path_factory.mktemp("older"), _shop) as pair:
        pair.initialize()
        begun(pair)
        yield pair


@pytest.fixture(scope="module")
def modern(tmp_path_factory: pytest.TempPathFactory, _shop: Path) -> Iterator[Pair]:
    with Pair(tmp_path_factory.mktemp("modern"), _shop, modern=True) as pair:
        pair.request("resources/list", {"_meta": META})
        begun(pair)
        yield pair


def begun(pair: Pair) -> None:
    """Two runs, a claim and a note to name."""
    for loop in ("triage", "refactor"):
        pair.call("start_run", loop=loop, goal="green trunk")
    pair.call("claim_paths", paths=["README.md"], intent="rewrite it")
    pair.call("share_context", kind="intent", text="a.py is renamed on purpose", paths=["src/a.py"])


def test_each_argument_is_read_alike_whatever_is_sent_for_it(older: Pair) -> None:
    for tool in older.request("tools/list")["result"]["tools"]:
        needed = {name: ARGUMENTS[tool["name"]][name][0] for name in tool["inputSchema"].get("required", ())}
        for name, schema in tool["inputSchema"]["properties"].items():
            for value in OF_TYPES["enum" if "enum" in schema else schema["type"]]:
                given = {"name": tool["name"], "arguments": {**needed, name: value}}
                assert "result" in older.request("tools/call", given)


def test_a_schema_tells_every_argument_that_is_tried(older: Pair) -> None:
    tools = older.request("tools/list")["result"]["tools"]
    told = {tool["name"]: set(tool["inputSchema"]["properties"]) for tool in tools}

    assert told == {tool: set(named) for tool, named in ARGUMENTS.items()}


@BOUNDED
@given(requests=st.lists(OLDER, min_size=REQUESTS, max_size=REQUESTS))
def test_the_older_era_is_answered_alike(older: Pair, requests: list[dict[str, Any]]) -> None:
    for request in filter(lambda one: older.knows(**one), requests):
        assert older.request(**request)["jsonrpc"] == "2.0"


@BOUNDED
@given(requests=st.lists(MODERN, min_size=REQUESTS, max_size=REQUESTS))
def test_the_modern_era_is_answered_alike(modern: Pair, requests: list[dict[str, Any]]) -> None:
    for request in filter(lambda one: modern.knows(**one), requests):
        assert modern.request(**request)["jsonrpc"] == "2.0"
