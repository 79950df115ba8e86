"""Run the real Codex CLI headless (`codex exec --json`) against FakeOpenAI and collect what happened."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.clients.client_run import ClientRun, ran
from tests.clients.fake_openai import FakeOpenAI, tool_results
from tests.clients.find import find_cli
from tests.clients.script import Call, Json, Script, ToolResult, call
from tests.deadlines import seconds

CODEX = find_cli("codex", "HARNESS_CODEX")
AGENTS = "multi_agent_v1"
"""Where direct mode names the tools for sub-agents."""


def js_call(js: str) -> Call:
    """Code mode (gpt-5.6 and later): the model's only way to a tool is JavaScript in the `exec` custom tool."""
    return Call("exec", js, custom=True)


def mcp_call(server: str, tool: str, arguments: Json | None = None) -> Call:
    """Direct mode (gpt-5.5): MCP tools live in the namespace mcp__<server>."""
    return call(tool, arguments, namespace=f"mcp__{server}")


def search_tools(query: str, limit: int = 8) -> Call:
    """Direct mode: the model's way to deferred tool definitions."""
    return call("tool_search", {"query": query, "limit": limit})


def spawn_agent(task: str, agent: str = "default") -> Call:
    """Direct mode: a sub-agent with this definition is started, and goes on beside its model."""
    return call("spawn_agent", {"agent_type": agent, "message": task}, namespace=AGENTS)


def wait_agent(agent_id: str) -> Call:
    """Direct mode: the model waits until that agent has answered, on a busy machine as well."""
    return call("wait_agent", {"targets": [agent_id], "timeout_ms": round(seconds(20) * 1000)}, namespace=AGENTS)


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
    mcp: dict[str, Json] | None = None,
    model: str = "gpt-5.5",
    path: str = "/usr/bin:/bin",
    sandbox: str = "workspace-write",
    trust: bool = False,
    config: str = "",
    under: Sequence[str] = (),
    program: str = CODEX,
    quiet_s: float = 90,
) -> CodexRun:
    """One `codex exec --json`, started by the program and words of `under` where there are any.

    model: "gpt-5.5" calls tools directly; "gpt-6.1-sol" (and every model since 5.6) is code mode
    only: use js_call(). mcp: {"name": {...}} is written as [mcp_servers.name]; trust: `cwd` counts as
    a trusted project; config: what else config.toml says, behind that.
    """
    codex_home = Path(home) / ".codex"
    codex_home.mkdir(parents=True, exist_ok=True)
    with FakeOpenAI(script) as srv:
        ours = config_text(srv.url, model, trusted=str(cwd) if trust else "", mcp=mcp or {})
        (codex_home / "config.toml").write_text(f"{ours}\n{config}")
        environment = {
            "HOME": str(home), "PATH": path, "TERM": "dumb", "LANG": "C.UTF-8", "FAKE_KEY": "dummy-not-a-key",
            "CODEX_HOME": str(codex_home), **(env or {}),
        }  # fmt: skip
        command = [*under, program, "exec", "--json", "-s", sandbox, *args, prompt]
        done = ran(command, cwd=cwd, env=environment, quiet_s=quiet_s)
        return CodexRun(*done, list(srv.requests), script)


def config_text(url: str, model: str, *, trusted: str, mcp: dict[str, Json]) -> str:
    """What stands in `config.toml`."""
    lines = [
        f'model = "{model}"\nmodel_provider = "fake"',
        f'[model_providers.fake]\nname = "fake"\nbase_url = "{url}/v1"\nwire_api = "responses"',
        'env_key = "FAKE_KEY"\nrequest_max_retries = 0\nstream_max_retries = 0',
        "[analytics]\nenabled = false",
    ]
    if trusted:
        lines.append(f'[projects.{json.dumps(trusted)}]\ntrust_level = "trusted"')
    return "\n".join(lines) + "\n" + _servers(mcp)


def _servers(mcp: dict[str, Json]) -> str:
    lines = []
    for name, server in mcp.items():
        lines += [f"\n[mcp_servers.{name}]", *(f"{key} = {_toml(value)}" for key, value in server.items())]
    return "\n".join([*lines, ""])


def _toml(value: object) -> str:
    """A value as TOML on one line: as JSON, but for an object."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(key)} = {_toml(inner)}' for key, inner in value.items())}}}"
    return json.dumps(value)
