"""Which of Claude Code's permission rules speak of us, as it understands them. All run on 2.1.330, 2026-11."""

import re

from loomstack_mcp.core.clients.files.definitions import DefinitionKind
from loomstack_mcp.core.clients.files.own_names import GUARD_RULE, NAME

_SERVER = f"mcp__{NAME}"
_OF_KIND: dict[DefinitionKind, str] = {"agents": "Agent|Task", "skills": "Skill"}


def is_rule_for_tools(rule: str, /) -> bool:
    """Whether it speaks of tools that models call: of all, of one, or by a star of several. With arguments, of none."""
    is_of_some = rule.startswith(f"{_SERVER}__") and "(" not in rule and rule != GUARD_RULE
    return is_rule_for_all_tools(rule) or is_of_some


def is_rule_for_all_tools(rule: str, /) -> bool:
    """Whether it speaks of every tool of ours."""
    head, star, rest = rule.partition("*")
    return rule == _SERVER or (bool(star) and not rest and f"{_SERVER}__".startswith(head))


def is_rule_for_definition(rule: str, /, kind: DefinitionKind, name: str) -> bool:
    """Whether it speaks of this agent or skill, or of all. No star stands for a part of a name."""
    given = r"([: ]\*)?" if kind == "skills" else ""
    return rule == "*" or bool(re.fullmatch(rf"({_OF_KIND[kind]})(\((\*|{re.escape(name)}{given})\))?", rule))
