"""What a rule asks of the paths that it covers: who holds them, and where they may lie."""

from collections.abc import Iterator

from loomstack_mcp.core.limits import PATTERN_CHARS_MAX
from loomstack_mcp.core.patterns.gitignore import compiled
from loomstack_mcp.core.patterns.globs import first_overlap
from loomstack_mcp.core.policy.applies import Applied
from loomstack_mcp.core.policy.rules import Checks
from loomstack_mcp.core.policy.situation import ClaimFacts, Situation, Touched
from loomstack_mcp.core.policy.violations import Unknown, Violation


def claims_missed(check: Checks, situation: Situation, applied: Applied, /) -> Iterator[Violation]:
    """Paths that are not claimed as the rule wants. Raises Unknown where claims, or early the paths, are not known."""
    if check.claims is None:
        return
    if situation.claims is None:
        raise Unknown("claims")
    _require_paths(situation)
    for touched, _ in applied.paths:
        path = touched.pattern
        if len(path) > PATTERN_CHARS_MAX:
            yield Violation(text=f"path {touched.path[:80]}… is too long to be claimed", path=touched.path)
        elif check.claims == "not_held_by_other":
            yield from _held_by_others(touched, path, situation.claims)
        elif not first_overlap([path], situation.claims.own, ignore_case=situation.claims.ignore_case):
            yield Violation(text=f"path {touched.path} is not claimed by you", path=touched.path)


def paths_unconfined(check: Checks, situation: Situation, applied: Applied, /) -> Iterator[Violation]:
    """Paths outside of those that the rule confines to. Raises Unknown where, early, the paths are not known."""
    if check.confine:
        _require_paths(situation)
        allowed = compiled(check.confine)
        for touched, _pattern in applied.paths:
            if not allowed.exact(touched.path):
                yield Violation(text=f"path {touched.path} is outside {', '.join(check.confine)}", path=touched.path)


def _require_paths(situation: Situation) -> None:
    if situation.touched is None and not situation.is_final:
        raise Unknown("paths")


def _held_by_others(touched: Touched, path: str, claims: ClaimFacts) -> Iterator[Violation]:
    for pattern, who, intent in claims.others:
        if first_overlap([path], [pattern], ignore_case=claims.ignore_case):
            yield Violation(text=f"path {touched.path} is held by {who}: {intent}", path=touched.path)
