"""Decisions that were kept, as they are read again."""

from collections.abc import Mapping
from typing import Any

from loomstack_mcp.core.policy.rules import Answer
from loomstack_mcp.core.records import record


@record
class PastDecision:
    """What the policy answered at a point, about what, and by which rules."""

    id: str
    repo_id: str
    run_id: str
    """Empty where it was nobody's run."""
    who: str
    point: str
    actions: tuple[str, ...]
    subject: tuple[str, ...]
    """The first of the paths that it was about."""
    answer: Answer
    reasons: tuple[Mapping[str, Any], ...]
    """In short."""
    policy: str
    """The hash of the rules."""
    decided_at_ms: int
