"""What the tools answer, over drawn records: as their own schemas say, and nothing that is empty."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import anyio
import jsonschema  # type: ignore[import-untyped]  # it has no types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loomstack_mcp.core.briefing.fitting import Briefing
from loomstack_mcp.core.changes.attributions import Attribution
from loomstack_mcp.core.changes.conflict_records import Conflict
from loomstack_mcp.core.claims import Blocker, Claim, ClaimResult, ReleaseResult
from loomstack_mcp.core.events import Alert
from loomstack_mcp.core.notes import Note, NoteResult
from loomstack_mcp.core.outcomes import NextStep, Outcome, OutcomeResult
from loomstack_mcp.core.runs import Run
from loomstack_mcp.core.traces import LaterStep, Trace, TracedCommit
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import Loom
from loomstack_mcp.server import answers
from loomstack_mcp.server.face import Face
from loomstack_mcp.server.sdk.app import build_server
from loomstack_mcp.server.sdk.bus import Bus
from loomstack_mcp.server.tools.briefings import briefing_answer
from loomstack_mcp.server.tools.claims import claim_answer, release_answer
from loomstack_mcp.server.tools.conflicts import conflict_answer
from loomstack_mcp.server.tools.notes import note_answer
from loomstack_mcp.server.tools.outcomes import outcome_answer
from loomstack_mcp.server.tools.policy import broken_answer
from loomstack_mcp.server.tools.runs import start_answer
from loomstack_mcp.server.tools.traces import trace_answer
from loomstack_mcp.services.conflicts import ConflictResult
from loomstack_mcp.services.runs import StartResult
from loomstack_mcp.store.sqlite.migrate import migrating_store
from tests.server.test_tools import TOOLS

Definitions = Mapping[str, Any]
few = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
bodies = st.lists(st.dictionaries(few, few, max_size=2), max_size=2).map(tuple)


def drawn(kind: type[Any], **given: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Records with every field drawn, the given ones as given."""
    fields: dict[str, Any] = {field.name: ... for field in dataclasses.fields(kind)}
    return st.builds(kind, **{**fields, **given})


for record in (Alert, Blocker, Claim, Conflict, NextStep, Note, Outcome, Run):
    st.register_type_strategy(record, drawn(record))
for plain, strategy in ((str, few), (object, few)):
    st.register_type_strategy(plain, strategy)
briefings = drawn(Briefing, **dict.fromkeys(("runs", "claims", "notes", "changes", "conflicts", "rules"), bodies))
refusals = drawn(ClaimResult, claim=st.none(), blockers=st.lists(drawn(Blocker), min_size=1, max_size=5).map(tuple))
instants = st.integers(0, 2**41)
commits = drawn(Attribution, candidates=st.just(()), landed_at_ms=instants)
traces = drawn(
    Trace,
    commits=st.lists(st.builds(TracedCommit, commit=commits), max_size=7).map(tuple),
    line=st.none(),
    runs=st.just(()),  # whole ones are in tests/services/test_traces.py
    deploys=st.just(()),
    later=st.lists(drawn(LaterStep, at_ms=instants), max_size=2).map(tuple),
    now_ms=instants,
)
ANSWERS: dict[str, st.SearchStrategy[Any]] = {
    "start_run": drawn(StartResult, briefing=briefings).map(start_answer),
    "read_shared_context": briefings.map(briefing_answer),
    "share_context": drawn(NoteResult).map(note_answer),
    "claim_paths": st.one_of(refusals, drawn(ClaimResult, claim=drawn(Claim))).map(claim_answer),
    "release_paths": drawn(ReleaseResult).map(release_answer),
    "check_policy": few.map(broken_answer),
    "check_conflicts": drawn(ConflictResult).map(conflict_answer),
    "record_outcome": drawn(OutcomeResult).map(outcome_answer),
    "trace_change": traces.map(trace_answer),
}


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> Definitions:
    """What the server lists, by name. It is built over a store that is never opened."""
    with Loom(migrating_store(tmp_path_factory.mktemp("none") / "loom.db"), rework_max=3) as loom:
        face = Face(Here(None, {}, elsewhere=""), loom)
        listed = anyio.run(build_server(face, Bus(face)).list_tools)
    return {tool.name: tool.model_dump(by_alias=True, exclude_none=True, mode="json") for tool in listed}


def empty(answer: Mapping[str, Any]) -> list[str]:
    return [name for name, value in answer.items() if value in ("", None, [], {}, ())]


@pytest.mark.parametrize("tool", TOOLS)
@given(data=st.data())
def test_an_answer_is_as_its_schema_says_without_what_is_empty(
    definitions: Definitions, tool: str, data: st.DataObject
) -> None:
    body = json.loads(answers.compact(answers.body(data.draw(ANSWERS[tool]))))
    schema = definitions[tool]["outputSchema"]

    jsonschema.Draft202012Validator(schema).validate(body)
    assert set(body) <= set(schema["properties"])
    assert empty(body) == []


@given(refusals)
def test_a_refusal_is_short_and_counts_those_it_does_not_show(result: ClaimResult) -> None:
    refusal = claim_answer(result)

    assert 1 <= len(refusal["blockers"]) <= len(result.blockers)
    assert refusal.get("more", 0) == len(result.blockers) - len(refusal["blockers"]) + result.blockers_more


@pytest.mark.parametrize("tool", TOOLS)
def test_a_definition_is_a_schema_without_what_says_nothing(definitions: Definitions, tool: str) -> None:
    given = definitions[tool]["inputSchema"]
    written = json.dumps([given, definitions[tool]["outputSchema"]])

    jsonschema.Draft202012Validator.check_schema(given)
    jsonschema.Draft202012Validator.check_schema(definitions[tool]["outputSchema"])
    assert given["additionalProperties"] is False
    for word in ('"title"', '"$ref"', '"$defs"', '"default": ""', '"default": null', '"default": []', '"default": 0'):
        assert word not in written


@pytest.mark.parametrize("tool", TOOLS)
def test_what_must_be_given_is_what_has_no_default(definitions: Definitions, tool: str) -> None:
    schema = definitions[tool]["inputSchema"]
    required = {
        "start_run": {"loop", "goal"}, "share_context": {"kind", "text"}, "claim_paths": {"paths", "intent"},
        "check_policy": {"action"}, "record_outcome": {"status", "summary"},
        "trace_change": {"ref"},
    }  # fmt: skip

    assert set(schema.get("required", ())) == required.get(tool, set())
    assert set(schema.get("required", ())) <= set(schema["properties"])
