"""In what the decision of a case came out otherwise than its author expected."""

import json
from collections.abc import Iterator

from loomstack_mcp.adapters.policy.case_facts import CasePart


def differences(expect: CasePart, decision: str, told: str, blocked: int | None, seconds: float) -> Iterator[str]:
    """In sentences. `told` is the decision as JSON, or the errors of the set; with another answer that is all."""
    if decision != expect["decision"]:
        yield f"decided {decision}, not {expect['decision']}: {told[:400]}"
        return
    yield from _other_rules(expect, told)
    yield from (f"does not say {text!r}" for text in expect.get("says", ()) if str(text) not in told)
    yield from (f"says {text!r}" for text in expect.get("not_says", ()) if str(text) in told)
    if "blocked" in expect and blocked != expect["blocked"]:
        yield f"blocked {blocked}, not {expect['blocked']}"
    if seconds > expect.get("max_seconds", float("inf")):
        yield f"took {seconds:.1f} s"


def _other_rules(expect: CasePart, told: str) -> Iterator[str]:
    """Rules that fired, or did not, and outcomes of rules."""
    shown = json.loads(told) if told.startswith("{") else {"fired": [], "reasons": []}
    if "fired" in expect and set(shown["fired"]) != set(expect["fired"]):
        yield f"fired {shown['fired']}, not {expect['fired']}"
    found = {reason["rule"]: reason["outcome"] for reason in shown["reasons"]}
    for rule, outcome in (expect.get("outcome") or {}).items():
        if found.get(rule) != outcome:
            yield f"{rule} is {found.get(rule)}, not {outcome}"
