"""A client of the demo: a real session with a real server, and what it tells of each call."""

import contextlib
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import anyio
import click

from loomstack_mcp.core.phrases import counted

Team = Mapping[str, Mapping[str, str]]
"""What the environment of each developer says."""
SHA_SHOWN = 10


def say(text: str, /) -> None:
    """Tell what comes next in the story."""
    click.echo(f"\n{text}")


@contextlib.asynccontextmanager
async def client_session(clone: Path, name: str, team: Team) -> AsyncIterator[Any]:
    """A client of its own with a server of its own, as Claude Code and Codex start one."""
    from mcp.client import Client
    from mcp.client.stdio import StdioServerParameters, get_default_environment

    started = StdioServerParameters(
        command=sys.executable,
        args=["-m", "loomstack_mcp", "serve"],
        cwd=clone,
        env={**get_default_environment(), **team[name]},
    )
    async with Client(started) as client:

        async def call(
            tool: str, *, told_after: anyio.Event | None = None, is_told: bool = True, **arguments: Any
        ) -> dict[str, Any]:
            result = await client.call_tool(tool, arguments)
            if told_after:
                await told_after.wait()
            answer: dict[str, Any] = result.structured_content or {}
            if not is_told:
                return answer
            said = ", ".join(f"{key}={_short(value)}" for key, value in arguments.items())
            click.echo(f"  {click.style(name, bold=True)} {tool}({said})")
            for line in _lines(answer):
                click.echo(f"      {line}")
            return answer

        yield call


def _lines(answer: dict[str, Any]) -> list[str]:
    """The parts of an answer that tell the story."""
    briefing = answer.get("briefing", {})
    lines = [
        f"→ {note['who']}, {note['kind']} on {note['paths'][0]}: {note['text']}" for note in briefing.get("notes", [])
    ]
    lines += [
        f"→ {claim['who']} holds {', '.join(claim['paths'])}: {claim['intent']}" for claim in briefing.get("claims", [])
    ]
    if answer.get("granted"):
        lines.append(f"→ granted, fencing token {answer['fence']}, {counted(answer['expires_in_s'] // 60, 'minute')}")
    for blocker in answer.get("blockers", []):
        refused = click.style(f"→ refused: {blocker['loop']}@{blocker['who']} holds {blocker['path']}", fg="red")
        lines.append(f"{refused} ({blocker['intent']})")
        lines.append(f"→ {answer['instead']}")
    for conflict in answer.get("conflicts", []):
        verdict = click.style(f"→ {answer['verdict']}: takes back {conflict['commit'][:SHA_SHOWN]}", fg="red")
        lines.append(f"{verdict} of {conflict['who']} in {', '.join(conflict['paths'])}")
        lines.append(f"→ which was on purpose: {conflict['intent']}")
        lines.append(f"→ {conflict['do']}")
    if effect := answer.get("effect"):
        why = "; ".join(f"{one['rule']}: {one['why']}" for one in answer.get("reasons", []))
        lines.append(f"→ {effect}{': ' if why else ''}{why}")
    if "next" in answer and isinstance(answer["next"], dict):
        lines.append(f"→ next: {answer['next']['action']}; released {', '.join(answer.get('released', ['nothing']))}")
    return lines


def _short(value: Any) -> str:
    text = ", ".join(str(part) for part in value) if isinstance(value, list) else str(value)
    return f"{text[:57]}…" if len(text) > 58 else text
