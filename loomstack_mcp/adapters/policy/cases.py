"""Policy cases: a situation and what should be decided of it, played in a scratch repository."""

import base64
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from loomstack_mcp.adapters.git import marked_commits
from loomstack_mcp.adapters.git.marked_commits import MarkedCommit
from loomstack_mcp.adapters.policy import files as policyfiles
from loomstack_mcp.adapters.policy import situations
from loomstack_mcp.adapters.policy.cache import PolicyFile, builtin
from loomstack_mcp.adapters.policy.load import loaded
from loomstack_mcp.adapters.policy.scratch_repo import Scratch
from loomstack_mcp.core.clients import claude, codex
from loomstack_mcp.core.clients.payload import Action
from loomstack_mcp.core.errors import Invalid, LoomError, PolicyError
from loomstack_mcp.core.policy.decide import Decision, decide
from loomstack_mcp.core.policy.decision_views import decision_shown
from loomstack_mcp.core.policy.rules import STRICTNESS
from loomstack_mcp.core.policy.situation import (
    Actor,
    ApprovalFact,
    ClaimFacts,
    EvidenceFact,
    Situation,
)

Tree = Mapping[str, Any]

_NOW = "2026-11-23T10:00:00Z"
_ACTOR = {"kind": "loop", "loop": "L1", "developer": "dana", "agent": "agent-1", "roles": ["developer"]}
_MAKERS = ("agent-1",)


@dataclass(frozen=True, kw_only=True)
class Played:
    """A case, and in what it came out otherwise than expected."""

    id: str
    title: str
    wrong: tuple[str, ...]
    decision: str
    told: str
    """The decision as JSON, or the errors of the set."""
    seconds: float


def played(case: Tree, policies: Mapping[str, str]) -> Played:
    """Make the repository, ask at the point, compare."""
    began = time.monotonic()
    with TemporaryDirectory(prefix="loomstack-case-") as folder:
        try:
            decision, told, blocked = _decided(case, policies, Path(folder) / "repo")
        except PolicyError as refused:
            decision, told, blocked = "error", str(refused), None
        except LoomError as error:
            decision, told, blocked = f"failed: {error}", str(error), None
    seconds = time.monotonic() - began
    wrong = tuple(_differences(case["expect"], decision, told, blocked, seconds))
    return Played(
        id=str(case["id"]), title=str(case.get("title", "")), wrong=wrong, decision=decision, told=told, seconds=seconds
    )


def _decided(case: Tree, policies: Mapping[str, str], root: Path) -> tuple[str, str, int | None]:
    given: Tree = case.get("given") or {}
    files = [file for entry in case.get("policy", ()) for file in _files(entry, policies)]
    if not given.get("policy_from"):
        loaded((*builtin(), *files))  # before the steps: a set that does not load needs no repository
    scratch = Scratch(root)
    scratch.play(given.get("git", ()))
    if mark := given.get("policy_from"):
        files += policyfiles.of_commit(scratch.repository, scratch.commit_of(mark))
    book = loaded((*builtin(), *files))
    with closing(scratch):
        decisions = [decide(book, _completed(one, case, scratch)) for one in _situations(case, scratch)]
    worst = max(decisions, key=lambda one: STRICTNESS.index(one.answer))
    blocked = sum(one.answer in ("deny", "require_approval") for one in decisions)
    if case["point"] == "replay":
        return "allow", "", blocked
    return worst.answer, json.dumps(_merged(decisions, worst), ensure_ascii=False), None


def _merged(decisions: Sequence[Decision], worst: Decision) -> dict[str, Any]:
    """Of a push of several refs, all reasons under the worst answer."""
    shown = decision_shown(worst)
    for other in decisions:
        if other is not worst:
            shown["reasons"] += decision_shown(other)["reasons"]
            shown["fired"] = list(dict.fromkeys((*shown["fired"], *other.fired)))
    return shown


def _files(entry: str | Tree, policies: Mapping[str, str]) -> Iterator[PolicyFile]:
    if isinstance(entry, str):
        yield PolicyFile(layer="repo", name=f"policies/{entry}.yaml", content=_named(entry, policies).encode())
        return
    name = entry.get("file", f"policies/{entry.get('use', 'x')}.yaml")
    if "b64" in entry:
        content = base64.b64decode(entry["b64"])
    else:
        content = (entry["text"] if "text" in entry else _named(entry["use"], policies)).encode(
            "utf-8", "surrogateescape"
        )
    yield PolicyFile(layer=entry.get("layer", "repo"), name=name, content=content)


def _named(name: str, policies: Mapping[str, str]) -> str:
    if name not in policies:
        raise Invalid(f"the policy {name} of the case is in no file; known are {', '.join(sorted(policies))}")
    return policies[name]


def _situations(case: Tree, scratch: Scratch) -> Iterator[Situation]:
    request: Tree = case.get("request") or {}
    point, root = case["point"], scratch.root
    if point == "pretool":
        yield _of_payload(request, root)
    elif point == "mcp":
        yield _of_request(request, root)
    elif point == "pre-commit":
        yield situations.staged(scratch.repository)
    elif point == "commit-msg":
        yield situations.message(scratch.repository, request["message"])
    elif point in ("pre-push", "pre-receive"):
        for update in request["updates"]:
            old, new = (scratch.commit_of(update[side]) for side in ("old", "new"))
            yield situations.pushed(scratch.repository, old, new, update["ref"], point=point, trunk="refs/heads/main")
    elif point == "deploy":
        yield situations.deploy(request.get("environment", ""), point="deploy")
    elif point == "replay":
        yield from _of_history(scratch, request["base"])
    else:
        base, head = scratch.commit_of(request["base"]), scratch.commit_of(request.get("head", "HEAD"))
        found, delta = situations.landing(
            scratch.repository, base, head, point=point, branch=case.get("branch", "main")
        )
        intents = [_marked(one, scratch) for one in (case.get("given") or {}).get("intents", ())]
        yield replace(found, undoing=lambda: marked_commits.in_history(scratch.repository, base, delta.after, intents))


def _marked(intent: Tree, scratch: Scratch) -> MarkedCommit:
    return MarkedCommit(
        commit=scratch.commit_of(intent["commit"]), who=intent.get("loop", "L7"), text=intent.get("intent", "")
    )


def _of_history(scratch: Scratch, base: str) -> Iterator[Situation]:
    shas = scratch.git("rev-list", "--reverse", "--first-parent", f"{scratch.commit_of(base)}..HEAD").split()
    for sha in shas:
        found, _ = situations.landing(scratch.repository, f"{sha}^", sha, point="land", branch="main")
        yield found


def _of_payload(request: Tree, root: Path) -> Situation:
    action = _sent(request["raw"] if "raw" in request else json.dumps(request.get("payload", {})), root)
    cwd = Path(action.cwd or root)
    if action.kind == "command":
        return situations.command(root, cwd, action.command, point="pretool")
    if action.kind == "tool":
        return situations.tool(action.tool, point="pretool")
    return situations.edit(root, cwd, action.paths, point="pretool")


def _sent(text: str, root: Path) -> Action:
    """What a client is about to do. Where that cannot be read, nothing is decided, as with a set that does not load."""
    try:
        payload = json.loads(text.replace("$ROOT", str(root)))
        if not isinstance(payload, dict):
            raise Invalid("it is no JSON object")
        is_codex = payload.get("tool_name") == "apply_patch" or "turn_id" in payload
        return codex.action(payload) if is_codex else claude.action(payload)
    except (ValueError, Invalid) as refused:
        raise PolicyError(f"the payload cannot be judged: {refused}") from None


def _of_request(request: Tree, root: Path) -> Situation:
    action = request["action"]
    if action == "command":
        return situations.command(root, root, request.get("command", ""), point="mcp")
    if action == "deploy":
        return situations.deploy(request.get("environment", ""), point="mcp")
    if action == "tool":
        return situations.tool(request.get("target", request.get("tool", "")), point="mcp")
    return replace(situations.edit(root, root, request.get("paths", ()), point="mcp"), actions=frozenset({action}))


def _completed(situation: Situation, case: Tree, scratch: Scratch) -> Situation:
    """With the actor, the clock and the facts that the case gives."""
    given: Tree = case.get("given") or {}
    facts: Tree = given.get("facts") or {}
    actor = {**_ACTOR, **(case.get("actor") or {})}
    roles = actor["roles"]
    return replace(
        situation,
        now_ms=_ms(case.get("now", _NOW)),
        actor=Actor(kind=actor["kind"], loop=actor["loop"], developer=actor["developer"], agent=actor["agent"],
                    roles=None if roles is None else tuple(roles)),
        repo=case.get("repo", situation.repo),
        branch=case.get("branch", situation.branch),
        rework=facts.get("rework"),
        retries=facts.get("retries"),
        cost_usd=facts.get("cost_usd"),
        work_item=facts.get("work_item"),
        makers=frozenset(facts.get("makers", _MAKERS)),
        evidence=tuple(_evidence(one, scratch) for one in facts.get("evidence", ())),
        approvals=tuple(_approval(one, scratch) for one in facts.get("approvals", ())),
        claims=_claims(given.get("claims"), actor["loop"]),
    )  # fmt: skip


def _evidence(fact: Tree, scratch: Scratch) -> EvidenceFact:
    commit = scratch.commit_of(fact["commit"])
    return EvidenceFact(kind=fact["kind"], passed=fact.get("result", "pass") == "pass", by=fact["by"], commit=commit,
                        at_ms=_ms(fact["at"]))  # fmt: skip


def _approval(fact: Tree, scratch: Scratch) -> ApprovalFact:
    until = _ms(fact["until"]) if "until" in fact else None
    commit = scratch.commit_of(fact["commit"]) if "commit" in fact else ""
    return ApprovalFact(
        rule=fact["rule"], by=fact["by"], roles=tuple(fact.get("roles", ())), commit=commit, until_ms=until
    )


def _claims(listed: Sequence[Tree] | None, loop: str | None) -> ClaimFacts:
    own = [path for one in listed or () if one["loop"] == loop for path in one["paths"]]
    others = [
        (path, one["loop"], one.get("intent", ""))
        for one in listed or ()
        if one["loop"] != loop
        for path in one["paths"]
    ]
    return ClaimFacts(own=tuple(own), others=tuple(others))


def _differences(expect: Tree, decision: str, told: str, blocked: int | None, seconds: float) -> Iterator[str]:
    if decision != expect["decision"]:
        yield f"decided {decision}, not {expect['decision']}: {told[:400]}"
        return
    shown = json.loads(told) if told.startswith("{") else {"fired": [], "reasons": []}
    if "fired" in expect and set(shown["fired"]) != set(expect["fired"]):
        yield f"fired {shown['fired']}, not {expect['fired']}"
    found = {reason["rule"]: reason["outcome"] for reason in shown["reasons"]}
    for rule, outcome in (expect.get("outcome") or {}).items():
        if found.get(rule) != outcome:
            yield f"{rule} is {found.get(rule)}, not {outcome}"
    yield from (f"does not say {text!r}" for text in expect.get("says", ()) if str(text) not in told)
    yield from (f"says {text!r}" for text in expect.get("not_says", ()) if str(text) in told)
    if "blocked" in expect and blocked != expect["blocked"]:
        yield f"blocked {blocked}, not {expect['blocked']}"
    if seconds > expect.get("max_seconds", float("inf")):
        yield f"took {seconds:.1f} s"


def _ms(text: str) -> int:
    try:
        return round(datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError:
        raise Invalid(f"{text!r:.40} is no instant; write 2026-11-23T10:00:00Z") from None
