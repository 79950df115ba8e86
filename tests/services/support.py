"""Calls of services with what matters stated and the rest defaulted."""

from typing import Any

from loomstack_mcp.core.claims import ClaimResult, Mode
from loomstack_mcp.core.events import Alert
from loomstack_mcp.core.outcomes import CheckCounts, OutcomeResult
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller, Run
from loomstack_mcp.loom import Loom
from tests.conftest import MINUTE_MS
from tests.factories import SHOP

CHEN = Caller(principal="chen", session="s-chen")


def started(loom: Loom, caller: Caller, checkout: Checkout = SHOP, **given: Any) -> Run:
    return loom.runs.start(caller, checkout, **{"loop": "loop", "goal": "goal", "budget_tokens": 800, **given}).run


def claimed(
    loom: Loom, caller: Caller, *patterns: str, run: str = "", mode: Mode = "exclusive", minutes: int = 30,
    wait_s: int = 0, intent: str = "why",
) -> ClaimResult:  # fmt: skip
    return loom.claims.claim_paths(
        caller, run, patterns=patterns, intent=intent, mode=mode, ttl_ms=minutes * MINUTE_MS, wait_ms=wait_s * 1000
    )


def recorded(loom: Loom, caller: Caller, run: str = "", **given: Any) -> OutcomeResult:
    fixed = {"status": "passed", "summary": "tried", "role": "maker", "checks": CheckCounts()}
    return loom.outcomes.record(caller, run, **{**fixed, **given})


def heard(loom: Loom, caller: Caller) -> tuple[Alert, ...]:
    """The alerts that ride on the next answer."""
    return loom.context.read_context(caller, "", SHOP, budget_tokens=800).alerts
