"""The rule that holds whatever a set says: nothing lands after which the rules or the settings would not load."""

import re
from collections.abc import Iterator

from loomstack_mcp.core.policy.rules import Rule
from loomstack_mcp.core.policy.situation import Situation
from loomstack_mcp.core.policy.violations import Violation

# Not in the built-in layer: that could be asked only of a set that loads, and its hash is that of a set.
RULES_LOAD = Rule(
    id="builtin.rules-load",
    why="once on the trunk, rules or settings that do not load stop every landing after them",
    effect="deny",
    on=("land",),
    fix="mend these lines; in the worktree, loomstack-mcp policy check tells what is left",
    layer="builtin",
)
_PROBLEM = re.compile(r"([^:\n]+):(\d+):? (.*)")
"""`policies/core.yaml:6: effect: …`, as loading tells it."""


def loading_violations(situation: Situation) -> Iterator[Violation]:
    """What would not load afterwards, each at its file and line."""
    for problem in situation.unloadable:
        found = _PROBLEM.fullmatch(problem)
        yield Violation(text=found[3], path=found[1], line=int(found[2])) if found else Violation(text=problem)
