"""Run the real Codex CLI headless (`codex exec --json`) against FakeOpenAI and collect what happened."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .client_run import ClientRun, ran
from .fake_openai import FakeOpenAI, tool_results
from .find import find_cli
from .script import Call, Script, ToolResult, call

CODEX = find_cli("codex", "HARNESS_CODEX")


def toml(v) -> str:
    """A value as TOML (inline)."""
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, (int, float)):
        return repr(v)
    if isinstance(v, str):
        return json.dumps(v)
    if isinstance(v, (list, tuple)):
        return "[" + ", ".join(toml(x) for x in v) + "]"
    if isinstance(v, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {toml(x)}" for k, x in v.items()) + "}"
    raise TypeError(type(v))


def mcp_toml(servers: dict[str, dict]) -> str:
    return "".join(
        f"\n[mcp_servers.{n}]\n" + "".join(f"{k} = {toml(v)}\n" for k, v in s.items()) for n, s in servers.items()
    )


def js_call(js: str) -> Call:
    """Code mode (gpt-5.6 and later): the model's only way to a tool is JavaScript in the `exec` custom tool."""
    return Call("exec", js, custom=True)


def mcp_call(server: str, tool: str, args=None) -> Call:
    """Direct mode (gpt-5.5): MCP tools live in the namespace mcp__<server>."""
    return call(tool, args, namespace=f"mcp__{server}")


def search_tools(query: str, limit: int = 8) -> Call:
    """Direct mode: the model's way to deferred tool definitions."""
    return call("tool_search", {"query": query, "limit": limit})


def apply_patch(patch: str) -> Call:
    return Call("apply_patch", patch, custom=True)


@dataclass
class CodexRun(ClientRun):
    def results(self, lane: str = "main") -> list[ToolResult]:
        """What the model was shown for each tool call, in order (from the lane's last request)."""
        requests = self.lane(lane)
        return tool_results(requests[-1]["body"].get("input") or []) if requests else []


def run_codex(
    script: Script,
    prompt: str = "go",
    *,
    cwd: Path | str,
    home: Path | str,
    args: Sequence[str] = (),
    env: dict[str, str] | None = None,
    mcp: dict[str, Any] | None = None,
    model: str = "gpt-5.5",
    path: str = "/usr/bin:/bin",
    sandbox: str = "workspace-write",
    trust: bool = False,
    quiet_s: float = 90,
) -> CodexRun:
    """One `codex exec --json`.

    model: "gpt-5.5" calls tools directly; "gpt-6.1-sol" (and every model since 5.6) is code mode
    only: use js_call(). mcp: {"name": {...}} is written as [mcp_servers.name]; trust: `cwd` counts as
    a trusted project.
    """
    codex_home = Path(home) / ".codex"
    codex_home.mkdir(parents=True, exist_ok=True)
    with FakeOpenAI(script) as srv:
        (codex_home / "config.toml").write_text(
            _config(srv.url, model, trusted=str(cwd) if trust else "", mcp=mcp or {})
        )
        environment = {
            "HOME": str(home), "PATH": path, "TERM": "dumb", "LANG": "C.UTF-8", "FAKE_KEY": "dummy-not-a-key",
            "CODEX_HOME": str(codex_home), **(env or {}),
        }  # fmt: skip
        command = [CODEX, "exec", "--json", "-s", sandbox, *args, prompt]
        done = ran(command, cwd=cwd, env=environment, quiet_s=quiet_s)
        return CodexRun(*done, list(srv.requests), script)


def _config(url: str, model: str, *, trusted: str, mcp: dict[str, Any]) -> str:
    lines = [
        f'model = "{model}"\nmodel_provider = "fake"',
        f'[model_providers.fake]\nname = "fake"\nbase_url = "{url}/v1"\nwire_api = "responses"',
        'env_key = "FAKE_KEY"\nrequest_max_retries = 0\nstream_max_retries = 0',
        "[analytics]\nenabled = false",
    ]
    if trusted:
        lines.append(f'[projects.{json.dumps(trusted)}]\ntrust_level = "trusted"')
    return "\n".join(lines) + "\n" + mcp_toml(mcp)
