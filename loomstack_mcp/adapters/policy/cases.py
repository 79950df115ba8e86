"""Policy cases: a situation and what should be decided of it, played in a scratch repository."""

import base64
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from loomstack_mcp.adapters.policy import files as policyfiles
from loomstack_mcp.adapters.policy.cache import PolicyFile, builtin
from loomstack_mcp.adapters.policy.case_differences import differences
from loomstack_mcp.adapters.policy.case_facts import CasePart, completed_situation
from loomstack_mcp.adapters.policy.case_situations import case_situations
from loomstack_mcp.adapters.policy.load import loaded
from loomstack_mcp.adapters.policy.scratch_repo import Scratch
from loomstack_mcp.core.errors import Invalid, LoomError, PolicyError
from loomstack_mcp.core.policy.decide import Decision, decide
from loomstack_mcp.core.policy.decision_views import decision_shown
from loomstack_mcp.core.policy.rules import STRICTNESS
from loomstack_mcp.core.records import record


@record
class Played:
    """A case, and in what it came out otherwise than expected."""

    id: str
    title: str
    wrong: tuple[str, ...]
    decision: str
    told: str
    """The decision as JSON, or the errors of the set."""
    seconds: float


def played(case: CasePart, policies: Mapping[str, str]) -> Played:
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
    wrong = tuple(differences(case["expect"], decision, told, blocked, seconds))
    return Played(
        id=str(case["id"]), title=str(case.get("title", "")), wrong=wrong, decision=decision, told=told, seconds=seconds
    )


def _decided(case: CasePart, policies: Mapping[str, str], root: Path) -> tuple[str, str, int | None]:
    given: CasePart = case.get("given") or {}
    files = [file for entry in case.get("policy", ()) for file in _files(entry, policies)]
    if not given.get("policy_from"):
        loaded((*builtin(), *files))  # before the steps: a set that does not load needs no repository
    scratch = Scratch(root)
    scratch.play(given.get("git", ()))
    if mark := given.get("policy_from"):
        files += policyfiles.of_commit(scratch.repository, scratch.commit_of(mark))
    book = loaded((*builtin(), *files))
    with closing(scratch):
        decisions = [decide(book, completed_situation(one, case, scratch)) for one in case_situations(case, scratch)]
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


def _files(entry: str | CasePart, policies: Mapping[str, str]) -> Iterator[PolicyFile]:
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
