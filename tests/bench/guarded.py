"""What hooks cost a session of the real Claude Code: each edit and shell line, its start and its end, and in tokens."""

import re
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from loomstack_mcp.core.limits import CHARS_PER_TOKEN
from tests.bench.measure import Figure, at_most
from tests.clients.drive_claude import CLAUDE, ClaudeRun, run_claude
from tests.clients.script import Call, Script, call
from tests.clients.stories.shop import PATH
from tests.conftest import COMMAND, commit_all, git
from tests.wire import Server

_ROUNDS, _STEPS = 5, 20
_WARM_UP = 2
_WAYS: Mapping[str, Sequence[str] | None] = {"no hook": None, "mcp_tool": ["--guard"], "command": []}
"""By which words of `init` each is set up."""
_MOST_MS = {("mcp_tool", "edit"): 15, ("command", "edit"): 40} | {(way, "shell line"): 70 for way in _WAYS}
_MOST_MS_ENDS = 100
_BRIEFING_TOKENS_MAX, _REFUSAL_TOKENS_MAX = 120, 200


@dataclass
class _Session:
    """What one session took, in milliseconds."""

    run: ClaudeRun
    start_ms: float
    end_ms: float
    steps_ms: dict[str, list[float]]


def figures(home: Path) -> Iterator[Figure]:
    """Sessions of each way in turn, so that a busy machine is busy for all."""
    if not CLAUDE:
        yield Figure("hooks in Claude Code", "not measured: .ci/run installs it")
        return
    env = {"LOOMSTACK_HOME": str(home / "guarded"), "HOME": str(home / "claude"), "PATH": PATH}
    shops = {way: _shop(home / f"guarded-{number}", env, words) for number, (way, words) in enumerate(_WAYS.items())}
    _make_store(shops["command"], env)
    found: dict[str, list[_Session]] = {way: [] for way in _WAYS}
    for number in range(_ROUNDS):
        for way, shop in shops.items():
            # What one session edited may stay held for a while, and what is held near keeps a glance from being sure.
            found[way].append(_session(shop, env, f"{shop.name}-part{number}.py"))
    for way, sessions in found.items():
        if wrong := [result.text for one in sessions for result in one.run.results() if result.is_error]:
            yield Figure(f"Claude Code, {way}", f"not measured, for a step was refused: {wrong[0][:60]}")
            continue
        yield from _compared(way, sessions, found["no hook"])
    yield from _tokens(shops["command"], env)


def _make_store(shop: Path, env: Mapping[str, str]) -> None:
    """As the first session does."""
    with Server(COMMAND, env=dict(env), cwd=shop, fresh=True) as server:
        server.initialize()
        server.answer("start_run", loop="bench", goal="make the store")


def _compared(way: str, sessions: Sequence[_Session], without: Sequence[_Session]) -> Iterator[Figure]:
    for kind in ("edit", "shell line"):
        took, bare = (
            statistics.median([ms for one in each for ms in one.steps_ms[kind]]) for each in (sessions, without)
        )
        if way == "no hook":
            yield Figure(f"Claude Code, {kind}, no hook", f"{took:.1f} ms")
        else:
            yield at_most(f"Claude Code, {kind}, {way}, above it", took - bare, "ms", most=_MOST_MS[way, kind])
    for what, name in (("a session's start", "start_ms"), ("a session's end", "end_ms")):
        took, bare = (statistics.median([getattr(one, name) for one in each]) for each in (sessions, without))
        if way == "no hook":
            yield Figure(f"Claude Code, {what}, no hook", f"{took:.1f} ms")
        else:
            yield at_most(f"Claude Code, {what}, {way}, above it", took - bare, "ms", most=_MOST_MS_ENDS)


def _session(shop: Path, env: Mapping[str, str], name: str) -> _Session:
    """Edits of a file of its own, and shell lines, in turn. The file is read first, as Claude Code asks."""
    steps = [step for number in range(_STEPS) for step in (_edit(shop / name, number), _shell("true"))]
    began = time.time()
    run = _ran(shop, env, [_shell(f"cat {name}"), *steps])
    ended = time.time()
    asked = [request["t"] for request in run.lane() if request["path"].startswith("/v1/messages")]
    # The first request after a step comes when that is done; before it, the file was read.
    took = [(after - before) * 1000 for before, after in pairwise(asked[1:])]
    kinds = {"edit": took[0::2][_WARM_UP:], "shell line": took[1::2][_WARM_UP:]}
    return _Session(run=run, start_ms=(asked[0] - began) * 1000, end_ms=(ended - asked[-1]) * 1000, steps_ms=kinds)


def _tokens(shop: Path, env: Mapping[str, str]) -> Iterator[Figure]:
    """Of what a session reads that another one is in the way of."""
    with Server(COMMAND, env={**env, "CLAUDE_CODE_SESSION_ID": "s-other"}, cwd=shop, fresh=True) as other:
        other.initialize()
        other.answer("start_run", loop="bench", goal="hold")
        other.answer("claim_paths", paths=["free.py"], intent="measure what a refusal costs")
        run = _ran(shop, env, [_shell("cat free.py"), _edit(shop / "free.py", 0)])
    told = re.findall(
        r"SessionStart[^:]*hook additional context: (.*?)(?:\\n\\n|\\n</system-reminder>|\")", str(run.requests)
    )
    refused = [result.text.partition("hook error: ")[2] for result in run.results() if "hook error" in result.text]
    for what, texts, most in (
        ("the briefing of a session", told[:1], _BRIEFING_TOKENS_MAX),
        ("a refused edit", refused, _REFUSAL_TOKENS_MAX),
    ):
        if texts:
            yield at_most(f"Claude Code, {what}", -(-len(texts[0]) // CHARS_PER_TOKEN), "tokens", most=most)
        else:
            yield Figure(f"Claude Code, {what}", "nothing was said")


def _ran(shop: Path, env: Mapping[str, str], turns: Sequence[Call]) -> ClaudeRun:
    git(shop, "checkout", "--quiet", "--force", ".")
    script = Script([*turns, "done"])
    run = run_claude(
        script, cwd=shop, home=env["HOME"], env=dict(env), args=["--permission-mode", "acceptEdits"], strict=False,
        allow=["Bash"], path=PATH,
    )  # fmt: skip
    assert (run.rc, script.errors, script.overflow) == (0, [], []), run.stderr
    return run


def _shop(folder: Path, env: Mapping[str, str], words: Sequence[str] | None) -> Path:
    """A repository of its own, set up with these words; without hooks where there are none."""
    folder.mkdir()
    for name in ("free.py", *(f"{folder.name}-part{number}.py" for number in range(_ROUNDS))):
        (folder / name).write_text("x = 0\n")
    git(folder, "init", "--quiet", "--initial-branch=main")
    Path(env["HOME"]).mkdir(exist_ok=True)
    init = ["loomstack-mcp", "init", "--yes", *(words or [])]
    subprocess.run(init, cwd=folder, env=dict(env), capture_output=True, check=True)
    if words is None:
        shutil.rmtree(folder / ".claude")
    commit_all(folder)
    return folder


def _edit(path: Path, number: int) -> Call:
    given = {"file_path": str(path), "old_string": f"x = {number}\n", "new_string": f"x = {number + 1}\n"}
    return call("Edit", given)


def _shell(line: str) -> Call:
    return call("Bash", {"command": line, "description": "run it"})
