"""What a case gives besides its repository: who acts, when, and the facts of that time."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from loomstack_mcp.adapters.policy.scratch_repo import Scratch
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.policy.situation import Actor, ApprovalFact, ClaimFacts, EvidenceFact, Situation

CasePart = Mapping[str, Any]
"""A case, or a part of one, as its YAML has it."""

_NOW = "2026-11-23T10:00:00Z"
_ACTOR = {"kind": "loop", "loop": "L1", "developer": "dana", "agent": "agent-1", "roles": ["developer"]}
_MAKERS = ("agent-1",)


def completed_situation(situation: Situation, case: CasePart, scratch: Scratch) -> Situation:
    """With the actor, the clock and the facts that the case gives. Raises Invalid for what is no instant."""
    given: CasePart = case.get("given") or {}
    facts: CasePart = given.get("facts") or {}
    actor = {**_ACTOR, **(case.get("actor") or {})}
    roles = actor["roles"]
    return replace(
        situation,
        now_ms=_ms(case.get("now", _NOW)),
        actor=Actor(
            kind=actor["kind"],
            loop=actor["loop"],
            developer=actor["developer"],
            agent=actor["agent"],
            roles=None if roles is None else tuple(roles),
        ),
        repo=case.get("repo", situation.repo),
        branch=case.get("branch", situation.branch),
        rework=facts.get("rework"),
        retries=facts.get("retries"),
        cost_usd=facts.get("cost_usd"),
        work_item=facts.get("work_item"),
        makers=frozenset(facts.get("makers", _MAKERS)),
        evidence=tuple(_evidence(one, scratch) for one in facts.get("evidence", ())),
        approvals=tuple(_approval(one, scratch, digest=situation.digest) for one in facts.get("approvals", ())),
        claims=_claims(given.get("claims"), actor["loop"]),
    )


def _evidence(fact: CasePart, scratch: Scratch) -> EvidenceFact:
    commit = scratch.commit_of(fact["commit"])
    passed = fact.get("result", "pass") == "pass"
    return EvidenceFact(kind=fact["kind"], passed=passed, by=fact["by"], commit=commit, at_ms=_ms(fact["at"]))


def _approval(fact: CasePart, scratch: Scratch, *, digest: str) -> ApprovalFact:
    """Of the content that is asked about: a case cannot spell another."""
    until = _ms(fact["until"]) if "until" in fact else None
    commit = scratch.commit_of(fact["commit"]) if "commit" in fact else ""
    return ApprovalFact(
        rule=fact["rule"],
        by=fact["by"],
        roles=tuple(fact.get("roles", ())),
        commit=commit,
        digest=digest,
        until_ms=until,
    )


def _claims(listed: Sequence[CasePart] | None, loop: str | None) -> ClaimFacts:
    own = [path for one in listed or () if one["loop"] == loop for path in one["paths"]]
    others = [
        (path, one["loop"], one.get("intent", ""))
        for one in listed or ()
        if one["loop"] != loop
        for path in one["paths"]
    ]
    return ClaimFacts(own=tuple(own), others=tuple(others))


def _ms(text: str) -> int:
    try:
        return round(datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError:
        raise Invalid(f"{text!r:.40} is no instant; write 2026-11-23T10:00:00Z") from None
