"""Run the real Codex CLI headless (`codex exec --json`) against FakeOpenAI and collect what happened."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .fake_openai import FakeOpenAI, all_tools, input_text, tool_results
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
class CodexRun:
    rc: int
    stdout: str
    stderr: str
    seconds: float
    requests: list[dict]
    script: Script
    cwd: str
    home: str

    @property
    def events(self) -> list[dict]:
        out = []
        for line in self.stdout.splitlines():
            try:
                out.append(json.loads(line))
            except ValueError:
                pass
        return out

    @property
    def items(self) -> list[dict]:
        return [e["item"] for e in self.events if e.get("type") == "item.completed"]

    def lane(self, name="main") -> list[dict]:
        return [r for r in self.requests if r.get("lane") == name]

    def tools(self, i=0, lane="main") -> dict[str, dict]:
        return all_tools(self.lane(lane)[i]["body"])

    def tool_bytes(self, prefix="mcp__", i=0, lane="main") -> dict[str, int]:
        return {
            n: len(json.dumps(t, separators=(",", ":"))) for n, t in self.tools(i, lane).items() if n.startswith(prefix)
        }

    def results(self, lane="main") -> list[ToolResult]:
        rs = self.lane(lane)
        return tool_results(rs[-1]["body"].get("input") or []) if rs else []

    def text(self, i=-1, lane="main", role=None) -> str:
        return input_text(self.lane(lane)[i]["body"], role)


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
    timeout_s: float = 90,
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
        before = time.time()
        process = subprocess.Popen(
            [CODEX, "exec", "--json", "-s", sandbox, *args, prompt], cwd=cwd, env=environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        try:
            out, err = process.communicate(timeout=timeout_s)
            status = process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)  # the group we started, nothing else
            out, err = process.communicate()
            status = 124
        return CodexRun(status, out, err, time.time() - before, list(srv.requests), script, str(cwd), str(home))


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
