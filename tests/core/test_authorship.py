"""What other tools wrote down beside commits, read as data; and the formats of theirs that we write."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loomstack_mcp.core.authorship import SCHEMA, agent_sessions
from loomstack_mcp.core.changes.attributions import Attribution
from loomstack_mcp.core.exports import AddedLines, LandedCommit, agent_trace, authorship_note
from loomstack_mcp.core.traces import AgentSession
from tests.factories import make_run

LANDED = LandedCommit(
    commit=Attribution(sha="a" * 40, run_id="run_1", bound_by="patch", confidence=0.99, landed_at_ms=1_800_000_000_000),
    run=make_run(),
    models=("anthropic/claude-opus-4-5",),
    added=(AddedLines(path="src/a.py", ranges=((1, 6), (9, 9))), AddedLines(path="odd\nname", ranges=((1, 1),))),
)


def note(files: str, **told: Any) -> str:
    return f"{files}\n---\n{json.dumps({'schema_version': SCHEMA, **told})}"


def test_sessions_and_prompts_are_told_with_their_lines() -> None:
    agent = {"tool": "claude", "id": "9b4e", "model": "opus"}
    found = agent_sessions(
        note(
            "src/a.py\n  s_1::t_1 1-6,9\n  s_1::t_2 20\nb.py\n  p1 3\n  h_7 1-99",
            sessions={"s_1": {"agent_id": agent, "human_author": "Ana <a@b>"}},
            prompts={"p1": {"agent_id": {"tool": "codex"}}},
        )
    )

    assert found == (
        AgentSession(session="9b4e", tool="claude", model="opus", person="Ana <a@b>", lines=8),
        AgentSession(session="p1", tool="codex", lines=1),
    )


@pytest.mark.parametrize(
    "text",
    ["", "---", "x\n---\n[]", "x\n---\n{", "\n---\n" + "[" * 100_000, note("x", sessions=[1], prompts={"p": 3}),
     "x\n---\n" + json.dumps({"schema_version": "authorship/9.0.0", "sessions": {"s": {}}})],
)  # fmt: skip
def test_what_is_no_such_note_tells_nothing(text: str) -> None:
    assert agent_sessions(text) == ()


@given(
    st.dictionaries(
        st.text(), st.recursive(st.none() | st.text() | st.integers(), st.lists) | st.dictionaries(st.text(), st.text())
    ),
    st.text(),
)
def test_hostile_notes_are_bounded_data(told: Any, files: str) -> None:  # fmt: skip
    for one in agent_sessions(note(files, sessions=told)):
        assert max(map(len, (one.session, one.tool, one.model, one.person))) <= 100
        assert "\n" not in one.session


def test_our_note_is_read_back_by_our_own_reader() -> None:
    files, told = authorship_note(LANDED, version="1")
    [session] = agent_sessions(f"{files}\n---\n{json.dumps(told)}")

    assert (session.tool, session.session, session.lines) == ("loomstack", "run_1", 7)


def test_a_trace_record_has_what_its_specification_asks_for() -> None:
    record: Any = agent_trace(LANDED, version="1")

    assert record == agent_trace(LANDED, version="1")
    assert {"version", "id", "timestamp", "files"} <= set(record)
    assert (record["vcs"], record["timestamp"]) == ({"type": "git", "revision": "a" * 40}, "2027-01-15T08:00:00Z")
    assert record["files"][0]["conversations"][0] == {
        "contributor": {"type": "ai", "model_id": "anthropic/claude-opus-4-5"},
        "ranges": [{"start_line": 1, "end_line": 6}, {"start_line": 9, "end_line": 9}],
    }


def test_what_a_person_wrote_into_a_commit_makes_it_mixed() -> None:
    def kind(**binds: Any) -> str:
        record: Any = agent_trace(replace(LANDED, commit=replace(LANDED.commit, **binds)), version="1")
        return str(record["files"][0]["conversations"][0]["contributor"]["type"])

    assert kind(bound_by="pr", confidence=1.0) == "ai"
    assert kind(bound_by="pr", confidence=0.9) == "mixed"
    assert kind(bound_by="sha", confidence=1.0, flags=("several_runs",)) == "mixed"
