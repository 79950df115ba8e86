"""Run the real Claude Code CLI headless against FakeAnthropic and collect what happened."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.deadlines import seconds

from .client_run import ClientRun, ran
from .fake_anthropic import FakeAnthropic, tool_results
from .find import find_cli
from .script import Call, Script, ToolResult, call

CLAUDE = find_cli("claude", "HARNESS_CLAUDE")


@dataclass
class ClaudeRun(ClientRun):
    def tools(self, i: int = 0, lane: str = "main") -> dict[str, dict[str, Any]]:
        """Tool definitions as sent to the model with the i-th request of the lane."""
        return {t.get("name", t.get("type")): t for t in self.lane(lane)[i]["body"].get("tools") or []}

    def results(self, lane: str = "main") -> list[ToolResult]:
        """What the model was shown for each tool call, in order (from the lane's last request)."""
        requests = self.lane(lane)
        return tool_results(requests[-1]["body"]["messages"]) if requests else []


def load_tools(*names: str) -> Call:
    """The model's way to a deferred tool's schema: ToolSearch with an exact selection."""
    return call("ToolSearch", {"query": "select:" + ",".join(names), "max_results": max(5, len(names))})


def _command(
    srv_url: str,
    prompt: str | None,
    *,
    home: Path | str,
    args: Sequence[str],
    env: dict[str, str] | None,
    mcp: dict[str, Any] | None,
    strict: bool,
    allow: Sequence[str] | None,
    path: str,
) -> tuple[list[str], dict[str, str]]:
    """The command line and environment; without a prompt the session reads its turns from stdin."""
    environment = {
        "HOME": str(home), "PATH": path, "TERM": "dumb", "LANG": "C.UTF-8",
        "ANTHROPIC_BASE_URL": srv_url, "ANTHROPIC_API_KEY": "sk-ant-dummy-not-a-key",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1", "DISABLE_TELEMETRY": "1",
        # After some two seconds it asks its model without the tools of a server that is not there yet.
        "CLAUDE_CODE_MCP_STARTUP_WAIT_MS": str(round(seconds(5) * 1000)),
        **(env or {}),
    }  # fmt: skip
    command = [CLAUDE, "-p", *([prompt] if prompt else ["--input-format", "stream-json"]), "--model", "claude-opus-4-8"]
    command += ["--output-format", "stream-json", "--verbose", "--include-hook-events"]
    if mcp is not None:
        command += ["--mcp-config", json.dumps({"mcpServers": mcp})]
    if strict:
        command += ["--strict-mcp-config"]
    if allow is None:  # "mcp__*" is no valid rule; "mcp__<server>" allows every tool of that server
        allow = [f"mcp__{name}" for name in (mcp or {})]
    if allow:
        command += ["--allowedTools", ",".join(allow)]
    return [*command, *args], environment


def _folder(kind: str) -> str:
    return tempfile.mkdtemp(prefix=f"{kind}-", dir=os.environ.get("HARNESS_TMP"))


def run_claude(
    script: Script,
    prompt: str = "go",
    *,
    cwd: Path | str | None = None,
    home: Path | str | None = None,
    args: Sequence[str] = (),
    env: dict[str, str] | None = None,
    mcp: dict[str, Any] | None = None,
    strict: bool = True,
    allow: Sequence[str] | None = None,
    path: str = "/usr/bin:/bin",
    quiet_s: float = 90,
) -> ClaudeRun:
    """One `claude -p`.

    mcp: {"name": {...server...}} goes by --mcp-config; strict: no other MCP configuration (False to
    test .mcp.json); allow: --allowedTools (default: every tool of the servers in mcp).
    """
    cwd, home = cwd or _folder("cwd"), home or _folder("home")
    with FakeAnthropic(script) as srv:
        command, environment = _command(
            srv.url, prompt, home=home, args=args, env=env, mcp=mcp, strict=strict, allow=allow, path=path
        )
        done = ran(command, cwd=cwd, env=environment, quiet_s=quiet_s)
        return ClaudeRun(*done, list(srv.requests), script)


class ClaudeSession:
    """A live headless session (`claude -p --input-format stream-json`): several user turns, idle in between.

    with ClaudeSession(script, mcp=...) as s:
        s.send("hello"); s.wait_result(); ...; s.run  (a ClaudeRun so far)
    """

    def __init__(
        self,
        script: Script,
        *,
        cwd: Path | str | None = None,
        home: Path | str | None = None,
        args: Sequence[str] = (),
        env: dict[str, str] | None = None,
        mcp: dict[str, Any] | None = None,
        strict: bool = True,
        allow: Sequence[str] | None = None,
        path: str = "/usr/bin:/bin",
    ) -> None:
        self.cwd, self.home = cwd or _folder("cwd"), home or _folder("home")
        self.script, self.srv, self.lines, self.err = script, FakeAnthropic(script), [], []
        self.srv.__enter__()
        command, environment = _command(
            self.srv.url, None, home=self.home, args=args, env=env, mcp=mcp, strict=strict, allow=allow, path=path
        )
        self.p = subprocess.Popen(
            command, cwd=self.cwd, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, start_new_session=True, bufsize=1,
        )  # fmt: skip
        threading.Thread(target=lambda: [self.lines.append(x) for x in self.p.stdout], daemon=True).start()
        threading.Thread(target=lambda: [self.err.append(x) for x in self.p.stderr], daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *a):
        self.close()

    def send(self, text):
        self.p.stdin.write(json.dumps({"type": "user", "message": {"role": "user", "content": text}}) + "\n")
        self.p.stdin.flush()

    @property
    def run(self) -> ClaudeRun:
        status = self.p.poll()
        requests = list(self.srv.requests)
        return ClaudeRun(
            -1 if status is None else status, "".join(self.lines), "".join(self.err), requests, self.script
        )

    def results_seen(self) -> list[dict]:
        return [e for e in self.run.events if e.get("type") == "result"]

    def wait_result(self, n=None, quiet_s=60) -> dict | None:
        """Wait for the n-th result event (default: one more than at the last call)."""
        self._n = n = n or getattr(self, "_n", 0) + 1
        end = time.time() + seconds(quiet_s)
        while time.time() < end and self.p.poll() is None:
            rs = self.results_seen()
            if len(rs) >= n:
                return rs[n - 1]
            time.sleep(0.1)
        rs = self.results_seen()
        return rs[n - 1] if len(rs) >= n else None

    def close(self, quiet_s=20):
        if self.p.poll() is None:
            try:
                self.p.stdin.close()
                self.p.wait(seconds(quiet_s))
            except (subprocess.TimeoutExpired, OSError):
                os.killpg(self.p.pid, 9)
                self.p.wait()
        self.srv.__exit__()
