"""Run the real Claude Code CLI headless against FakeAnthropic and collect what happened."""

import json
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from tests.clients.client_run import ClientRun, ran
from tests.clients.fake_anthropic import FakeAnthropic, tool_results, tools_sent
from tests.clients.find import find_cli
from tests.clients.script import Call, Json, Script, ToolResult, call
from tests.deadlines import seconds, wait_until

CLAUDE = find_cli("claude", "HARNESS_CLAUDE")


@dataclass
class ClaudeRun(ClientRun):
    def tools(self) -> dict[str, Json]:
        """Tool definitions as sent to the model with the first request."""
        return tools_sent(self.lane()[0]["body"])

    def results(self, lane: str = "main") -> list[ToolResult]:
        """What the model was shown for each tool call, in order (from the lane's last request)."""
        requests = self.lane(lane)
        return tool_results(requests[-1]["body"]["messages"]) if requests else []


def load_tools(*names: str) -> Call:
    """The model's way to a deferred tool's schema: ToolSearch with an exact selection."""
    return call("ToolSearch", {"query": "select:" + ",".join(names), "max_results": max(5, len(names))})


def start_agent(agent: str, task: str, *, what: str = "play", **more: object) -> Call:
    """A sub-agent with this definition, for whose answer the model waits; on the screen it answers later."""
    given = {"description": what, "prompt": task, "subagent_type": agent, "run_in_background": False}
    return call("Agent", {**given, **more})


def _command(
    model_url: str,
    prompt: str | None,
    *,
    home: Path | str,
    args: Sequence[str],
    env: dict[str, str] | None,
    mcp: dict[str, Json] | None,
    strict: bool,
    allow: Sequence[str] | None,
    path: str,
) -> tuple[list[str], dict[str, str]]:
    """The command line and environment; without a prompt the session reads its turns from stdin.

    A variable of `env` that is empty is not set.
    """
    environment = {
        "HOME": str(home), "PATH": path, "TERM": "dumb", "LANG": "C.UTF-8",
        "ANTHROPIC_BASE_URL": model_url, "ANTHROPIC_API_KEY": "sk-ant-dummy-not-a-key",
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
    return [*command, *args], {name: value for name, value in environment.items() if value}


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
    mcp: dict[str, Json] | None = None,
    strict: bool = True,
    allow: Sequence[str] | None = None,
    path: str = "/usr/bin:/bin",
    under: Sequence[str] = (),
    program: str = CLAUDE,
    quiet_s: float = 90,
) -> ClaudeRun:
    """One `claude -p`, started by the program and words of `under` where there are any.

    mcp: {"name": {...server...}} goes by --mcp-config; strict: no other MCP configuration (False to
    test .mcp.json); allow: --allowedTools (default: every tool of the servers in mcp).
    """
    cwd, home = cwd or _folder("cwd"), home or _folder("home")
    with FakeAnthropic(script) as model:
        command, environment = _command(
            model.url, prompt, home=home, args=args, env=env, mcp=mcp, strict=strict, allow=allow, path=path
        )
        done = ran([*under, program, *command[1:]], cwd=cwd, env=environment, quiet_s=quiet_s)
        return ClaudeRun(*done, list(model.requests), script)


class ClaudeSession:
    """A live headless session (`claude -p --input-format stream-json`): several user turns, idle in between.

    with ClaudeSession(script, mcp=...) as session:
        session.send("hello"); session.wait_result(); ...; session.run  (a ClaudeRun so far)
    """

    def __init__(
        self,
        script: Script,
        *,
        cwd: Path | str | None = None,
        home: Path | str | None = None,
        args: Sequence[str] = (),
        env: dict[str, str] | None = None,
        mcp: dict[str, Json] | None = None,
        strict: bool = True,
        allow: Sequence[str] | None = None,
        path: str = "/usr/bin:/bin",
    ) -> None:
        self.cwd, self.home = cwd or _folder("cwd"), home or _folder("home")
        self.script, self.model = script, FakeAnthropic(script)
        self.model.__enter__()
        command, environment = _command(
            self.model.url, None, home=self.home, args=args, env=env, mcp=mcp, strict=strict, allow=allow, path=path
        )
        self.process = subprocess.Popen(
            command, cwd=self.cwd, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, start_new_session=True, bufsize=1,
        )  # fmt: skip
        assert self.process.stdin
        self._stdin, self._awaited = self.process.stdin, 0
        self._out, self._err = _lines(self.process.stdout), _lines(self.process.stderr)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, text: str) -> None:
        self._stdin.write(json.dumps({"type": "user", "message": {"role": "user", "content": text}}) + "\n")
        self._stdin.flush()

    @property
    def run(self) -> ClaudeRun:
        """What happened so far; its status is -1 while the session lives."""
        status = self.process.poll()
        shown = "".join(self._out), "".join(self._err)
        return ClaudeRun(-1 if status is None else status, *shown, list(self.model.requests), self.script)

    def wait_result(self, quiet_s: float = 60) -> Json | None:
        """The next result event; None where the session ended without. Fails where it goes on without."""
        self._awaited += 1
        wait_until(lambda: len(self._results()) >= self._awaited or self.process.poll() is not None, quiet_s)
        return next(iter(self._results()[self._awaited - 1 :]), None)

    def _results(self) -> list[Json]:
        return [event for event in self.run.events if event.get("type") == "result"]

    def close(self, quiet_s: float = 20) -> None:
        if self.process.poll() is None:
            try:
                self._stdin.close()
                self.process.wait(seconds(quiet_s))
            except (subprocess.TimeoutExpired, OSError):
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.model.__exit__()


def _lines(stream: IO[str] | None) -> list[str]:
    """What the stream has brought so far, filled by a thread of its own."""
    assert stream
    lines: list[str] = []

    def read() -> None:
        for line in stream:
            lines.append(line)

    threading.Thread(target=read, daemon=True).start()
    return lines
