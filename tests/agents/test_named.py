"""Everything that a definition names is there; each test is called for the definition, so that its failure names it."""

import copy
import json
import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from loomstack_mcp.core.changes.conflict_records import Verdict
from loomstack_mcp.core.outcomes import NextAction
from tests.agents.definitions import ROOT, Definition, agents, skills
from tests.agents.named import calls, named_tools, wrong_names
from tests.agents.spans import EXAMPLES
from tests.server.front.definitions import FILE

TOOLS: dict[str, Any] = {
    tool["name"]: tool["inputSchema"] for tool in json.loads(FILE.read_text("utf-8"))["results"]["tools/list"]["tools"]
}
OURS = "mcp__loomstack"
CLAUDES_OWN = {"Read", "Edit", "Write", "Bash"}
"""Of Claude Code's tools those that a definition may name; a test with the real client asks for each."""
ANSWERS: dict[str, Any] = {"clear": Verdict, "stop": Verdict, "escalate": NextAction}
EDITING = {"Edit", "Write", "MultiEdit", "NotebookEdit"}
DEFINITIONS = [*agents(), *skills()]


def called(definition: Definition) -> str:
    return str(definition.path.relative_to(ROOT))


def text(definition: Definition) -> str:
    return f"{definition.fields['description']}\n{definition.body}"


def granted(agent: Definition) -> set[str]:
    """The server's tools that an agent may use."""
    names = {tool.removeprefix(f"{OURS}__") for tool in agent.tools if tool.startswith(f"{OURS}__")}
    return set(TOOLS) if OURS in agent.tools else names


@pytest.mark.parametrize("definition", DEFINITIONS, ids=called)
def test_what_a_definition_names_exists(definition: Definition) -> None:
    assert wrong_names(text(definition), TOOLS) == []


@pytest.mark.parametrize("agent", agents(), ids=called)
def test_an_agent_has_the_tools_that_its_text_names(agent: Definition) -> None:
    others = {tool for tool in agent.tools if not tool.startswith(OURS)}

    assert granted(agent) <= set(TOOLS)
    assert named_tools(text(agent), TOOLS) <= granted(agent)
    assert others <= CLAUDES_OWN


@pytest.mark.parametrize("name", ["checker", "triager"])
def test_who_changes_nothing_has_no_tool_that_edits(name: str) -> None:
    [agent] = [agent for agent in agents() if agent.name == name]

    assert agent.tools
    assert EDITING & set(agent.tools) == set()
    assert {"claim_paths", "release_paths"} & granted(agent) == set()


def test_every_tool_of_the_server_is_named_by_a_definition() -> None:
    used = {tool for definition in DEFINITIONS for tool in named_tools(definition.body, TOOLS)}

    assert set(TOOLS) - used == {"guard"}  # which the clients' hooks call


@pytest.mark.parametrize("word", ANSWERS)
def test_an_answer_that_a_definition_waits_for_can_be_given(word: str) -> None:
    assert any(re.search(rf"\b{word}\b", text(definition)) for definition in DEFINITIONS)
    assert word in get_args(ANSWERS[word])


def test_every_example_is_still_needed() -> None:
    assert {example for example in EXAMPLES if f"`{example}`" in "".join(map(text, DEFINITIONS))} == EXAMPLES


def named_arguments() -> Iterator[tuple[str, str, str]]:
    """Each argument of a call, with the definition that names it."""
    for definition in DEFINITIONS:
        yield from {
            (called(definition), tool, argument) for tool, given in calls(definition.body) for argument in given
        }


def test_a_tool_that_loses_an_argument_breaks_each_definition_that_names_it() -> None:
    missed = []
    for path, tool, argument in named_arguments():
        changed = copy.deepcopy(TOOLS)
        del changed[tool]["properties"][argument]
        [definition] = [one for one in DEFINITIONS if called(one) == path]
        if f"{tool} takes no {argument}" not in wrong_names(text(definition), changed):
            missed.append((path, tool, argument))

    assert len([*named_arguments()]) > 30
    assert missed == []


def broken(tools: dict[str, Any]) -> dict[str, list[str]]:
    """What is wrong with which definition when the server has these tools."""
    found = {called(one): wrong_names(text(one), tools) for one in DEFINITIONS}
    return {path: wrong for path, wrong in found.items() if wrong}


def test_a_changed_signature_is_told_by_the_definitions_that_it_breaks() -> None:
    tools = copy.deepcopy(TOOLS)
    tools["share_context"]["properties"]["kind"]["enum"].remove("handoff")
    tools["start_run"]["properties"]["checks_run"]["type"] = "array"
    tools["check_policy"]["required"].append("target")
    del tools["record_outcome"]["properties"]["checks"]["properties"]["failing"]
    found = broken(tools)

    assert found["claude_agents/skills/loom-handoff/SKILL.md"] == [
        "share_context(kind=…): it cannot be handoff",
        'kind="handoff" is of no tool',
    ]
    assert found["claude_agents/agents/maker.md"] == ["check_policy needs target"]
    assert "record_outcome(checks=…): it has no failing" in found["claude_agents/agents/checker.md"]
    assert "claude_agents/agents/resolver.md" not in found


def test_a_name_that_does_not_exist_is_found_wherever_it_stands() -> None:
    wrong = """Call take_work(loop="x"), then start_run(loop="a", goal=…, colour="red"), wait_seconds, hold_paths.
    Statuses: record_outcome(status="passed" or "won", checks={passed, skipped}, commits="all"); or role="boss".
    `loomstack-mcp doctor`, `loomstack-mcp policy try`, `loomstack-mcp runs --dead`, `git show`, `git undo`, `nobody`,
    `loomstack_mcp/help`, `loomstack_mcp/halp`, `mode: audit`, `mode: loud`, `loom-rule`, `loom-fly`."""

    assert wrong_names(wrong, TOOLS) == [
        "take_work() is no tool",
        "start_run takes no colour",
        "record_outcome(status=…): it cannot be won",
        "record_outcome(checks=…): it has no skipped",
        'record_outcome(commits=…): "all" is no array',
        "hold_paths is no tool and no argument",
        'colour="red" is of no tool',
        'role="boss" is of no tool',
        "`loomstack-mcp policy try` is nothing that there is",
        "`loomstack-mcp runs --dead` is nothing that there is",
        "`git undo` is nothing that there is",
        "`nobody` is nothing that there is",
        "`loomstack_mcp/halp` is nothing that there is",
        "`mode: loud` is nothing that there is",
        "`loom-fly` is nothing that there is",
    ]
