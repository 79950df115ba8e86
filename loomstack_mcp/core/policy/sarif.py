"""A judgement for other programs: SARIF 2.1.0 (OASIS), and GitHub Actions' workflow commands."""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from loomstack_mcp.core.changes.conflict_records import Conflict
from loomstack_mcp.core.changes.conflicts import conflict_advice, conflict_words
from loomstack_mcp.core.policy.decide import Decision, Reason
from loomstack_mcp.core.policy.violations import Violation
from loomstack_mcp.core.texts import encodable

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {"deny": "error", "require_approval": "error", "warn": "warning", "allow": "note"}
_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def sarif(decision: Decision, /) -> dict[str, Any]:
    """One run, with a rule for each that had something to say, and a result for each violation."""
    told = [reason for reason in decision.reasons if reason.outcome in ("fired", "pending")]
    rules = [
        {
            "id": reason.rule.id,
            "shortDescription": {"text": reason.rule.why},
            "help": {"text": reason.rule.fix or reason.rule.why},
        }
        for reason in told
    ]
    results = [_result(reason, violation) for reason in told for violation in reason.violations]
    driver = {"name": "loomstack-mcp", "rules": rules}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def annotations(decision: Decision, /) -> Iterator[str]:
    """A line for each violation, which GitHub shows at its file (docs: workflow commands)."""
    for reason in decision.reasons:
        if reason.outcome not in ("fired", "pending"):
            continue
        command = _COMMANDS[_LEVELS[reason.effect]]
        for violation in reason.violations:
            where = f" file={_property(violation.path)},line={violation.line or 1}" if violation.path else ""
            title = f"{',' if where else ' '}title={_property(reason.rule.id)}"
            yield f"::{command}{where}{title}::{_value(f'{reason.rule.why}: {violation.text}. {reason.rule.fix}')}"


def approval_annotation(advice: str, /) -> Iterator[str]:
    """A line that says whom to ask, where anybody can be asked."""
    if advice:
        yield f"::notice title=approval::{_value(advice)}"


def conflict_annotations(found: Sequence[Conflict], /, *, target: str, now_ms: int) -> Iterator[str]:
    """A line for each landed change that suffers, at the first file where it does."""
    for one in found:
        command = "error" if one.verdict == "stop" else "warning"
        where = f" file={_property(one.paths[0])}," if one.paths else " "
        intent = f"On purpose: {one.intent}. " if one.intent else ""
        told = f"{conflict_words(one, now_ms=now_ms)}: {one.evidence}. {intent}"
        yield f"::{command}{where}title={_property(f'{one.verdict}: {one.kind}')}::" + _value(
            f"{told[:1].upper()}{told[1:]}{conflict_advice(one, target=target)}"
        )


def _result(reason: Reason, violation: Violation) -> dict[str, Any]:
    body: dict[str, Any] = {
        "ruleId": reason.rule.id,
        "level": _LEVELS[reason.effect],
        "message": {"text": encodable(f"{reason.rule.why}: {violation.text}")},
    }
    if violation.path:
        place: dict[str, Any] = {"artifactLocation": {"uri": _uri(violation.path)}}
        if violation.line:
            place["region"] = {"startLine": violation.line}
        body["locations"] = [{"physicalLocation": place}]
    return body


def _uri(path: str) -> str:
    """A relative reference (RFC 3986, 4.2), byte by byte: SARIF's viewers look for the file under what it spells."""
    return quote(path.encode("utf-8", "surrogateescape"))


def _value(text: str) -> str:
    return encodable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _value(text).replace(":", "%3A").replace(",", "%2C")
