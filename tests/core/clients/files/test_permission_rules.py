"""Claude Code's permission rules that speak of our tools, agents and skills."""

import pytest

from loomstack_mcp.core.clients.files.definitions import DefinitionKind
from loomstack_mcp.core.clients.files.permission_rules import (
    is_rule_for_all_tools,
    is_rule_for_definition,
    is_rule_for_tools,
)

ALL = ["mcp__loomstack", "mcp__loomstack__*", "mcp__loomstack*", "mcp__loom*", "mcp__*", "*"]
SOME = ["mcp__loomstack__claim_paths", "mcp__loomstack__c*"]
NONE = ["mcp__loomstacks", "mcp__loomstack__claim_paths(x)", "mcp__other__*", "Bash(*)", "Edit(mcp__*)", "", "mcp"]


@pytest.mark.parametrize("rule", [*ALL, *SOME, *NONE])
def test_which_rules_speak_of_our_tools(rule: str) -> None:
    assert is_rule_for_tools(rule) == (rule in (*ALL, *SOME))
    assert is_rule_for_all_tools(rule) == (rule in ALL)


@pytest.mark.parametrize(
    ("kind", "rule", "speaks"),
    [
        *[("agents", rule, True) for rule in ("Agent", "Task", "Agent(*)", "Task(*)", "Agent(it)", "Task(it)", "*")],
        *[("agents", rule, False) for rule in ("Agent(i*)", "Agent(its)", "Agent(it:*)", "Agent(it", "Skill(it)", "")],
        *[("skills", rule, True) for rule in ("Skill", "Skill(*)", "Skill(it)", "Skill(it:*)", "Skill(it *)", "*")],
        *[("skills", rule, False) for rule in ("Skill(i*)", "Skill(its)", "Skill(it x)", "Skills", "Agent(it)")],
    ],
)
def test_which_rules_speak_of_an_agent_or_a_skill(kind: DefinitionKind, rule: str, speaks: bool) -> None:
    assert is_rule_for_definition(rule, kind, "it") == speaks
