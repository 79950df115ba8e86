"""The audit for scripts."""

from collections.abc import Mapping, Sequence
from typing import Any

from loomstack_mcp.adapters.git.audit import Audit
from loomstack_mcp.cli.audit_cases import Case
from loomstack_mcp.cli.audit_text import day, plain, shown_line
from loomstack_mcp.core.changes.conflict_records import Intent
from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.people import is_bot
from loomstack_mcp.core.changes.verdicts import Reversal
from loomstack_mcp.core.limits import HOUR_MS

_SCHEMA = 1
"""It rises when a key changes its meaning or goes; keys may be added at any time."""


def audit_object(found: Audit, told: Sequence[Case], *, stops_only: bool) -> dict[str, Any]:
    """One object: full hashes, ages in hours, the cases in the order of landing."""
    of = {case.one.change.sha: case for case in told}
    return {
        "schema": _SCHEMA,
        "commits": found.commits,
        "seconds": round(found.seconds, 2),
        "totals": _totals(found),
        "reversals": [
            _reversal_object(one, found.intents) | _case_object(of.get(one.change.sha))
            for one in found.reversals
            if one.verdict == "stop" or not stops_only
        ],
        "unchecked": list(found.unchecked),
    }


def _totals(found: Audit) -> dict[str, int]:
    stops = [one for one in found.reversals if one.verdict == "stop"]
    return {
        "stop": len(stops),
        "warn": sum(one.verdict == "warn" for one in found.reversals),
        "agreed": sum(one.verdict == "clear" for one in found.reversals),
        "lost": sum(one.lost for one in stops),
        "missing": sum(one.missing for one in stops),
    }


def _reversal_object(one: Reversal, intents: Mapping[str, Intent]) -> dict[str, Any]:
    return {
        "commit": one.change.sha,
        "author": plain(one.change.author),
        "title": plain(one.change.title),
        "day": day(one.change.at_ms),
        "age_h": round(one.age_ms / HOUR_MS, 1),
        "verdict": one.verdict,
        "kind": one.kind,
        "state": one.state,
        "bot": is_bot(one.change.author),
        "manifests": one.manifests,
        "lost": one.lost,
        "missing": one.missing,
        "repairs": [_repair_object(one, repair.change, repair.share) for repair in one.repairs],
        "undoes": [
            {
                "undone": undone.change.sha,
                "author": plain(undone.change.author),
                "bot": is_bot(undone.change.author),
                "hunks": undone.hunks,
                "share": undone.share,
                "agreed": agreed,
            }
            | ({"intent": intents[undone.change.sha].text} if undone.change.sha in intents else {})
            for undone, agreed in zip(one.undoes, one.agreed, strict=True)
        ],
        "paths": sorted({plain(path) for undone in one.undoes for path in undone.paths}),
    }


def _repair_object(one: Reversal, by: Change, share: float) -> dict[str, Any]:
    after_ms = max(0, by.at_ms - one.change.at_ms)
    return {"commit": by.sha, "author": plain(by.author), "after_h": round(after_ms / HOUR_MS, 1), "share": share}


def _case_object(case: Case | None) -> dict[str, Any]:
    """What a person would want beside it, of what was not agreed."""
    if case is None:
        return {}
    line = case.line
    told = {"text": shown_line(line.text), "path": plain(line.path), "returned": line.returned} if line else None
    return {"line": told, "show": case.command, "page": case.page(case.one.change) or None}
