"""What an edit's hook costs in CPU above a bare interpreter, started in turn with it, git's processes counted."""

import itertools
import json
import os
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.bench.measure import Figure, at_most
from tests.conftest import COMMAND, environment, git
from tests.processes import HOOK
from tests.wire import Server

_WARM_UP = 3
_MOST_MS = 25.0
_SESSION = {"a session's start": "SessionStart", "a stop": "Stop", "a session's end": "SessionEnd"}
_SESSION_MOST_MS = 100.0


def figures(home: Path, shop: Path, calls: int) -> Iterator[Figure]:
    """Of free and refused edits of both clients, first edits of a file and a session, and a call of a tool of ours."""
    (shop / "held.py").write_text("x\n")
    git(shop, "remote", "add", "origin", "https://localhost/acme/shop.git")
    env = environment(home)
    with Server(COMMAND, env={**env, "CLAUDE_CODE_SESSION_ID": "s-other"}, cwd=shop, fresh=True) as other:
        other.initialize()
        other.answer("start_run", loop="bench", goal="hold")
        other.answer("claim_paths", paths=["held.py"], intent="measure")
        found = _medians(_cases(shop), calls, shop=shop, env=env)
    bare = found.pop("bare")
    yield Figure("python -c pass", f"{bare:.1f} ms of CPU")
    for what, taken_ms in found.items():
        above = taken_ms - bare
        if what in _SESSION:
            yield at_most(f"hook, {what}, above it", above, "ms", most=_SESSION_MOST_MS)
        elif "held" in what or "first" in what:
            yield Figure(f"hook, {what}, above it", f"{above:.1f} ms of CPU")
        else:
            yield at_most(f"hook, {what}, above it", above, "ms", most=_MOST_MS)


_Case = tuple[list[str], Callable[[], Mapping[str, object]]]


def _cases(shop: Path) -> dict[str, _Case]:
    numbers = itertools.count()
    claude, codex = [HOOK, "claude", "PreToolUse"], [HOOK, "codex", "PreToolUse"]

    def edit(name: str, session: str = "s") -> Mapping[str, object]:
        return {"session_id": session, "tool_name": "Edit", "tool_input": {"file_path": f"{shop}/{name}"}}

    def patch(name: str) -> Mapping[str, object]:
        text = f"*** Begin Patch\n*** Update File: {name}\n@@\n-x\n+y\n*** End Patch"
        return {"session_id": "s", "tool_name": "apply_patch", "tool_input": {"command": text}}

    def call() -> Mapping[str, object]:
        return {"session_id": "s", "tool_name": "mcp__loomstack__claim_paths", "tool_use_id": f"t{next(numbers)}"}

    def step() -> Mapping[str, object]:
        return {"session_id": "steps", "source": "startup"}

    steps = {what: ([HOOK, "claude", event], step) for what, event in _SESSION.items()}
    return {
        **steps,
        "bare": ([sys.executable, "-c", "pass"], dict),
        "Claude Code, a free edit": (claude, lambda: edit("free.py")),
        "Claude Code, a prompt": ([HOOK, "claude", "UserPromptSubmit"], lambda: {"session_id": "s"}),
        "Codex, a free patch": (codex, lambda: patch("patched.py")),
        "Claude Code, a call of ours": (claude, call),
        "Claude Code, a file's first edit": (claude, lambda: edit(f"f{next(numbers)}.py")),
        "Claude Code, a session's first edit": (claude, lambda: edit(f"f{next(numbers)}.py", f"s{next(numbers)}")),
        "Claude Code, a held file": (claude, lambda: edit("held.py")),
        "Codex, a held file": (codex, lambda: patch("held.py")),
    }


def _medians(cases: Mapping[str, _Case], calls: int, *, shop: Path, env: Mapping[str, str]) -> dict[str, float]:
    taken: dict[str, list[float]] = {what: [] for what in cases}
    for number in range(calls + _WARM_UP):
        for what, (argv, payload) in cases.items():
            spent_ms = cpu_ms(argv, json.dumps({"cwd": str(shop), **payload()}).encode(), cwd=shop, env=env)
            if number >= _WARM_UP:
                taken[what].append(spent_ms)
    return {what: statistics.median(times) for what, times in taken.items()}


def cpu_ms(argv: list[str], stdin: bytes, *, cwd: Path, env: Mapping[str, str]) -> float:
    """User and system time of a process and of all that it waited for."""
    reader, writer = os.pipe()
    os.write(writer, stdin)  # less than a pipe holds
    os.close(writer)
    process = os.fork()
    if not process:
        os.chdir(cwd)
        os.dup2(reader, 0)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.execve(argv[0], argv, dict(env))
    os.close(reader)
    _, status, usage = os.wait4(process, 0)
    assert status == 0
    return (usage.ru_utime + usage.ru_stime) * 1000
