"""What a check finds wrong, and what it could not find out."""

from loomstack_mcp.core.records import record


@record
class Violation:
    """One thing that does not meet a rule. Never holds a secret or more source text than a name."""

    text: str
    """In words, as a person reads it: `imports src.api.h, a layer above`."""
    path: str = ""
    line: int = 0
    """From 1; 0 where it is about the whole file or change."""
    hard: bool = True
    """False for what is only shown (the soft kinds of test weakening)."""


class Unknown(Exception):
    """A fact that is not known at this point; `str()` names it (`where.environment`, `cost_usd_max`)."""
