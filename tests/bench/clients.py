"""What our definitions cost as each real client really sends them: the first request with us, less the one without."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.bench.measure import Figure, at_most
from tests.clients.drive_claude import CLAUDE, run_claude
from tests.clients.drive_codex import CODEX, js_call, run_codex, search_tools
from tests.clients.script import Script
from tests.conftest import environment, git

_CHARS_PER_TOKEN = 4
_OURS = "text(JSON.stringify(ALL_TOOLS.filter(t => t.name.startsWith('mcp__'))))"


def definitions(command: list[str], home: Path) -> Iterator[Figure]:
    """Claude Code deferred and up front, Codex directly and in code mode."""
    if not (CLAUDE and CODEX):
        yield Figure("definitions in the clients", "not measured: .ci/run installs them")
        return
    server = {"command": command[0], "args": command[1:], "env": environment(home)}
    claude = {"mcp": {"loomstack": {**server, "type": "stdio"}}}
    for name, env, bound in (
        ("as Claude Code defers them", {}, None),
        ("up front", {"ENABLE_TOOL_SEARCH": "false"}, 2_000),
    ):
        size = _first(_claude(env, **claude)) - _first(_claude(env, mcp={}))
        yield _tokens(f"definitions and instructions, {name}", size, bound)
    codex = {"mcp": {"loomstack": {**server, "required": True}}}
    direct = _codex([search_tools("loomstack", 50), "done"], **codex)
    yield _tokens("definitions found by Codex's tool search", len(direct.results()[0].text), 2_000)
    coded = _codex([js_call(_OURS), "done"], model="gpt-6.1-sol", **codex)
    yield _tokens("definitions in Codex's code mode, with answers", len(coded.results()[0].raw[-1]["text"]), None)


def _claude(env: dict[str, str], **given: Any) -> Any:
    return run_claude(Script(["done"]), cwd=_folder(), home=_folder(), env=env, **given)


def _codex(turns: list[Any], **given: Any) -> Any:
    return run_codex(Script(turns), cwd=_folder(), home=_folder(), **given)


def _folder() -> str:
    folder = tempfile.mkdtemp(prefix="loomstack-bench-client-")
    git(Path(folder), "init", "--quiet")
    return folder


def _first(run: Any) -> int:
    return len(json.dumps(run.lane()[0]["body"], separators=(",", ":"), ensure_ascii=False))


def _tokens(what: str, size: int, bound: int | None) -> Figure:
    tokens = -(-size // _CHARS_PER_TOKEN)
    return at_most(what, tokens, "tokens", most=bound) if bound else Figure(what, f"{tokens} tokens")
