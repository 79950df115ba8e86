"""Who is calling, from what the clients send and the system says; whatever else a model writes counts for nothing."""

import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loomstack_mcp.adapters.user import principal
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.server.callers import caller_of

CLAUDE = "CLAUDE_CODE_SESSION_ID"
json_values = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=300), st.lists, max_leaves=4)
KNOWN = st.sampled_from(["threadId", "sessionId", "x-codex-turn-metadata", "parent_thread_id"])


def called(meta: dict[str, Any] | None = None, *, http: bool = False) -> Caller:
    return caller_of(meta or {}, over_http=http)


@pytest.fixture(autouse=True)
def _no_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CLAUDE, raising=False)


def test_the_first_thread_of_codex_is_its_session() -> None:
    assert called({"threadId": "t", "sessionId": "t"}) == Caller(principal=principal(), session="codex:t")
    assert called({"threadId": "t"}) == Caller(principal=principal(), session="codex:t")


def test_a_thread_below_it_is_an_agent_with_a_parent() -> None:
    child = {"threadId": "a", "sessionId": "s", "x-codex-turn-metadata": {"parent_thread_id": "s"}}
    grandchild = {"threadId": "b", "sessionId": "s", "x-codex-turn-metadata": {"parent_thread_id": "a"}}

    assert called(child) == Caller(principal=principal(), session="codex:s", agent="a")
    assert called(grandchild) == Caller(principal=principal(), session="codex:s", agent="b", parent_agent="a")


def test_claude_names_its_session_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CLAUDE, "abc")

    assert called() == Caller(principal=principal(), session="claude:abc")
    assert called({"claudecode/toolUseId": "x"}) == Caller(principal=principal(), session="claude:abc", certain=False)


def test_what_codex_says_counts_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CLAUDE, "abc")

    assert called({"threadId": "t"}).session == "codex:t"


def test_over_http_the_environment_is_not_the_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CLAUDE, "abc")

    assert called(http=True) == Caller(principal=principal(), certain=False)
    assert called({"sessionId": "s"}, http=True).session == "codex:s"


def test_a_client_that_names_nothing_is_its_process() -> None:
    first, second = called(), called({})

    assert first == second
    assert first.session.startswith(f"process:{os.getpid()}-")


@given(st.dictionaries(KNOWN | st.text(max_size=9), json_values | st.dictionaries(KNOWN, json_values, max_size=2)))
def test_whatever_the_meta_holds_there_is_a_caller_of_bounded_names(meta: dict[str, Any]) -> None:
    for http in (False, True):
        caller = called(meta, http=http)

        assert caller.principal == principal()
        assert max(len(caller.session), len(caller.agent), len(caller.parent_agent)) <= 206
        assert caller.agent != caller.session.removeprefix("codex:") or not caller.agent
