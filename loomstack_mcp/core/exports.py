"""Landed commits with the runs that made them, as other tools read them: Agent Trace, and git-ai's authorship log."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

from loomstack_mcp.core.authorship import SCHEMA
from loomstack_mcp.core.changes.attributions import Attribution
from loomstack_mcp.core.limits import SECOND_MS
from loomstack_mcp.core.phrases import Body
from loomstack_mcp.core.records import record
from loomstack_mcp.core.runs import Run

ExportFormat = Literal["agent-trace", "git-ai"]
AGENT_TRACE = "0.1.0"
"""Of the specification at https://agent-trace.dev, January 2026."""
_NAMESPACE = uuid.UUID("6f1f5a0e-8f0a-5f0e-9d0e-3c9f8f1b7a11")
_SESSION_DIGITS = 14


@record
class AddedLines:
    """The lines of one file that a commit added: the first and the last one of each stretch, from 1."""

    path: str
    ranges: tuple[tuple[int, int], ...]


@record
class LandedCommit:
    """A commit, whose it is, and what it added."""

    commit: Attribution
    run: Run
    models: tuple[str, ...] = ()
    added: tuple[AddedLines, ...] = ()


def agent_trace(landed: LandedCommit, /, *, version: str) -> Body:
    """A trace record (Agent Trace 0.1.0, 6.1). The same commit and run make the same record.

    Whose single lines are is not told: what a person wrote into a run's commit makes all of it `mixed`.
    """
    commit, run = landed.commit, landed.run
    is_all_its = commit.bound_by in ("sha", "patch", "range") or commit.confidence == 1
    kind = "ai" if is_all_its and not commit.flags else "mixed"
    contributor = {"type": kind} | ({"model_id": landed.models[0]} if len(landed.models) == 1 else {})
    return {
        "version": AGENT_TRACE,
        "id": str(uuid.uuid5(_NAMESPACE, f"{commit.sha} {run.id}")),
        "timestamp": _instant(commit.landed_at_ms or run.ended_at_ms or run.started_at_ms),
        "vcs": {"type": "git", "revision": commit.sha},
        "tool": {"name": "loomstack-mcp", "version": version},
        "files": [
            {
                "path": one.path,
                "conversations": [
                    {
                        "contributor": contributor,
                        "ranges": [{"start_line": first, "end_line": last} for first, last in one.ranges],
                    }
                ],
            }
            for one in landed.added
        ],
        "metadata": {
            "confidence": round(commit.confidence, 2),
            "dev.loomstack": {
                "run": run.id,
                "loop": run.loop,
                "who": run.principal,
                "bound_by": commit.bound_by,
                "models": list(landed.models),
            },
        },
    }


def authorship_note(landed: LandedCommit, /, *, version: str) -> tuple[str, Mapping[str, object]]:
    """A note for `refs/notes/ai` (Git AI Standard 3.0.0): which lines are of which session, and what that was."""
    run = landed.run
    key = f"s_{uuid.uuid5(_NAMESPACE, run.id).hex[:_SESSION_DIGITS]}"
    lines = [
        line for one in landed.added if _is_plain(one.path) for line in (one.path, f"  {key} {_ranges(one.ranges)}")
    ]
    agent = {"tool": "loomstack", "id": run.id, "model": landed.models[0] if len(landed.models) == 1 else "unknown"}
    return "\n".join(lines), {
        "schema_version": SCHEMA,
        "git_ai_version": f"loomstack-mcp {version}",
        "base_commit_sha": landed.commit.sha,
        "prompts": {},
        "sessions": {key: {"agent_id": agent, "human_author": run.principal}},
    }


def _ranges(ranges: Sequence[tuple[int, int]]) -> str:
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def _is_plain(path: str) -> bool:
    """Whether a note can hold the path as one line."""
    return path.isprintable() and path == path.strip()


def _instant(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / SECOND_MS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
