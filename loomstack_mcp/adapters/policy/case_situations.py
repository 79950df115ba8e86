"""The situation that a case asks about, at each point where the policy is asked."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from loomstack_mcp.adapters.git import marked_commits
from loomstack_mcp.adapters.git.marked_commits import MarkedCommit
from loomstack_mcp.adapters.policy import early, lines, situations
from loomstack_mcp.adapters.policy.case_facts import CasePart
from loomstack_mcp.adapters.policy.scratch_repo import Scratch
from loomstack_mcp.core.clients import claude, codex
from loomstack_mcp.core.clients.payload import Action
from loomstack_mcp.core.errors import Invalid, PolicyError
from loomstack_mcp.core.policy.situation import Situation


def case_situations(case: CasePart, scratch: Scratch) -> Iterator[Situation]:
    """What the case asks at its point: one situation, or one for each ref of a push, or each commit of a replay.

    Raises PolicyError for a client's payload that cannot be judged.
    """
    request: CasePart = case.get("request") or {}
    point = case["point"]
    if point in _OF_REQUEST:
        yield _OF_REQUEST[point](request, scratch)
    elif point in ("pre-push", "pre-receive"):
        for update in request["updates"]:
            old, new = (scratch.commit_of(update[side]) for side in ("old", "new"))
            yield situations.pushed(scratch.repository, old, new, update["ref"], point=point, trunk="refs/heads/main")
    elif point == "replay":
        yield from _of_history(scratch, request["base"])
    else:
        yield _of_landing(case, request, scratch)


def _of_history(scratch: Scratch, base: str) -> Iterator[Situation]:
    shas = scratch.git("rev-list", "--reverse", "--first-parent", f"{scratch.commit_of(base)}..HEAD").split()
    for sha in shas:
        found, _ = situations.landing(scratch.repository, f"{sha}^", sha, point="land", branch="main")
        yield found


def _of_landing(case: CasePart, request: CasePart, scratch: Scratch) -> Situation:
    base, head = scratch.commit_of(request["base"]), scratch.commit_of(request.get("head", "HEAD"))
    branch = case.get("branch", "main")
    found, delta = situations.landing(scratch.repository, base, head, point=case["point"], branch=branch)
    intents = [_marked(one, scratch) for one in (case.get("given") or {}).get("intents", ())]
    return replace(found, undoing=lambda: marked_commits.in_history(scratch.repository, base, delta.after, intents))


def _marked(intent: CasePart, scratch: Scratch) -> MarkedCommit:
    return MarkedCommit(
        commit=scratch.commit_of(intent["commit"]), who=intent.get("loop", "L7"), text=intent.get("intent", "")
    )


def _of_payload(request: CasePart, scratch: Scratch) -> Situation:
    root = scratch.root
    action = _sent(request["raw"] if "raw" in request else json.dumps(request.get("payload", {})), root)
    cwd = Path(action.cwd or root)
    if action.kind == "command":
        return lines.command(root, cwd, action.command, point="pretool")
    if action.kind == "tool":
        return early.tool(action.tool, point="pretool")
    return early.edit(root, cwd, action.paths, point="pretool")


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


def _of_request(request: CasePart, scratch: Scratch) -> Situation:
    root, action = scratch.root, request["action"]
    if action == "command":
        return lines.command(root, root, request.get("command", ""), point="mcp")
    if action == "deploy":
        return early.deploy(request.get("environment", ""), point="mcp")
    if action == "tool":
        return early.tool(request.get("target", request.get("tool", "")), point="mcp")
    return replace(early.edit(root, root, request.get("paths", ()), point="mcp"), actions=frozenset({action}))


def _of_index(_: CasePart, scratch: Scratch) -> Situation:
    return situations.staged(scratch.repository)


def _of_message(request: CasePart, scratch: Scratch) -> Situation:
    return situations.message(scratch.repository, request["message"])


def _of_deployment(request: CasePart, _: Scratch) -> Situation:
    return early.deploy(request.get("environment", ""), point="deploy")


_OF_REQUEST: Mapping[str, Callable[[CasePart, Scratch], Situation]] = {
    "pretool": _of_payload,
    "mcp": _of_request,
    "pre-commit": _of_index,
    "commit-msg": _of_message,
    "deploy": _of_deployment,
}
