# ruff: noqa: E501 the lines of a prompt are the model's, not ours to break
"""Prompts: how to run a loop, triage and hand over, for people to start from a client's menu."""

from typing import Any

from mcp.server import MCPServer


def add_prompts(server: MCPServer[Any]) -> None:
    """Register the prompts."""

    @server.prompt(description="Run one round of a loop as part of the team")
    def loop(name: str, goal: str) -> str:
        return f"""Run one round of the loop "{name}". Goal: {goal}

1. start_run(loop="{name}", goal=…, paths=[what you will probably touch]). Read the briefing: what others claimed and changed on purpose stays.
2. claim_paths before the first edit. Refused: take other work, or wait_seconds=45.
3. Work. share_context for what others must know: kind=intent with paths for what you change on purpose.
4. record_outcome after each attempt and follow its `next`: retry what `carry` names, let another run check, land, or stop.
5. status=done (or abandoned) ends the run and frees its paths."""

    @server.prompt(description="Find work, and leave to others what is theirs")
    def triage(scope: str = "the whole repository") -> str:
        return f"""Triage {scope}: find what is broken or missing, and decide what to do about it.

1. start_run(loop="triage", goal=…). For each candidate: read_shared_context(paths=[…]) first. A red test with a fresh intent was changed on purpose: it is no bug of its author.
2. Take one piece of work at a time: claim_paths, then work; what you leave, share as a handoff note with its paths.
3. record_outcome; say in `tried` what did not work, for whoever comes next."""

    @server.prompt(description="Hand unfinished work over to another run")
    def handoff(to: str = "") -> str:
        whom = f'to="{to}"' if to else "without `to`, for whoever takes it"
        return f"""Hand your unfinished work over.

1. Commit or stash nothing that is not yours; note the branch and the last good commit.
2. share_context(kind="handoff", {whom}) with the paths: what is done, what fails, what you would do next.
3. record_outcome(status="abandoned" or "blocked", tried=…), which frees your paths."""
