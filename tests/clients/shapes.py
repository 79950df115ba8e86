"""What each client tells a hook: the fields of each event, by the tool; `python -m tests.clients.shapes` keeps them.

And which tools it offers its model, for one that is new may write as well.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.clients.bypass.hands import ClaudeHand, CodexHand
from tests.clients.bypass.world import WRITER
from tests.clients.drive_claude import CLAUDE, run_claude
from tests.clients.drive_codex import CODEX, run_codex
from tests.clients.script import Json, Script, call
from tests.clients.stories.shop import PATH
from tests.conftest import git

RECORDED = Path(__file__).with_name("shapes.json")
EVENTS = (
    *("SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "SubagentStart", "SubagentStop", "Stop"),
    *("PostToolUseFailure", "SessionEnd"),
)
Shape = dict[str, list[str]]
"""By event and tool, the fields; under `tools`, the names of those that the model is offered."""
_KEEP = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read().replace(chr(10), ' ') + chr(10))"
_FILES = {"command": WRITER[0], "args": WRITER[1:]}


def claude_shape(folder: Path, program: str = CLAUDE) -> Shape:
    """A session of Claude Code that writes in each of its ways, by itself and by a sub-agent."""
    hand = ClaudeHand()
    shop, log = _shop(folder, ".claude/settings.json")
    notebook = {"notebook_path": str(shop / "n.ipynb"), "cell_id": "c", "new_source": "y = 1"}
    script = Script(
        [hand.shell("cat a.txt n.ipynb"), hand.shell("false"), hand.write(str(shop / "a.txt"), "y\n", was="x\n"),
         hand.write(str(shop / "b.txt"), "x\n"), call("Read", {"file_path": str(shop / "n.ipynb")}),
         call("NotebookEdit", notebook), hand.other(str(shop / "c.txt"), "x\n"), *hand.agent(), "done"],
        [hand.lane([hand.shell("true"), hand.write(str(shop / "d.txt"), "x\n"), "made"])],
    )  # fmt: skip
    run = run_claude(
        script, cwd=shop, home=folder, args=["--permission-mode", "acceptEdits"], path=PATH, program=program,
        mcp={"files": {**_FILES, "type": "stdio"}}, strict=False, allow=["Bash", "mcp__files", "NotebookEdit"],
    )  # fmt: skip
    assert (run.rc, script.errors) == (0, []), run.stderr
    return {**_fields(log), "tools": sorted(name for name in run.tools() if not name.startswith("mcp__"))}


def codex_shape(folder: Path, program: str = CODEX) -> Shape:
    """The same in Codex."""
    hand = CodexHand()
    shop, log = _shop(folder, ".codex/hooks.json")
    script = Script(
        [hand.shell("true"), hand.write(str(shop / "a.txt"), "y\n", was="x\n"), hand.write(str(shop / "b.txt"), "x\n"),
         hand.other(str(shop / "c.txt"), "x\n"), *hand.agent(), "done"],
        [hand.lane([hand.shell("true"), hand.write(str(shop / "d.txt"), "x\n"), "made"])],
    )  # fmt: skip
    run = run_codex(
        script, cwd=shop, home=folder, args=["--dangerously-bypass-hook-trust"], path=PATH, program=program, trust=True,
        mcp={"files": {**_FILES, "required": True, "default_tools_approval_mode": "approve"}},
    )  # fmt: skip
    assert (run.rc, script.errors) == (0, []), run.stderr
    offered = {str(tool.get("name") or tool["type"]) for tool in run.lane()[0]["body"]["tools"]}
    return {**_fields(log), "tools": sorted(name for name in offered if not name.startswith("mcp__"))}


SHAPES = {"Claude Code": claude_shape, "Codex": codex_shape}


def differences(client: str, recorded: Mapping[str, list[str]], found: Mapping[str, list[str]]) -> list[str]:
    """What is new and what is gone, each in a line that names the client, the event and the field."""
    lines = []
    for event in sorted({*recorded, *found}):
        if event not in found or event not in recorded:
            lines.append(f"{client}: {event} {'is new' if event in found else 'is gone'}")
            continue
        before, now = set(recorded[event]), set(found[event])
        lines += [f"{client}: {event} lost {name}" for name in sorted(before - now)]
        lines += [f"{client}: {event} has a new {name}" for name in sorted(now - before)]
    return lines


def version(program: str) -> str:
    """The number that a client prints."""
    printed = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    [number] = re.findall(r"\d+\.\d+\.\d+", printed)[:1]
    return str(number)


def recorded() -> dict[str, Shape]:
    """What was kept, by client."""
    kept: dict[str, Shape] = json.loads(RECORDED.read_text("utf-8"))
    return kept


def _shop(folder: Path, settings: str) -> tuple[Path, Path]:
    """A repository whose hooks keep what they are told, and where."""
    shop, log = folder / "shop", folder / "log"
    notebook = {"cells": [{"cell_type": "code", "id": "c", "source": "x", "metadata": {}, "outputs": []}]}
    files = {
        "a.txt": "x\n",
        "n.ipynb": json.dumps({**notebook, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}),
        settings: json.dumps({"hooks": {event: [{"hooks": [_kept(log)]}] for event in EVENTS}}),
    }
    for name, text in files.items():
        (shop / name).parent.mkdir(parents=True, exist_ok=True)
        (shop / name).write_text(text)
    git(shop, "init", "--quiet", "--initial-branch=main")
    return shop, log


def _kept(log: Path) -> Json:
    return {"type": "command", "command": f'{sys.executable} -c "{_KEEP}" {log}', "timeout": 10}


def _fields(log: Path) -> Shape:
    found: dict[str, set[str]] = {}
    for payload in map(json.loads, log.read_text("utf-8").splitlines()):
        who = " of a sub-agent" if "agent_id" in payload and "tool_name" in payload else ""
        key = " ".join(filter(None, (payload["hook_event_name"], payload.get("tool_name")))) + who
        found.setdefault(key, set()).update(_names(payload))
    return {key: sorted(names) for key, names in sorted(found.items())}


def _names(payload: Mapping[str, Any]) -> Iterator[str]:
    """The fields, with those of the tool's input; what a result holds is the tool's own affair."""
    yield from payload
    given = payload.get("tool_input")
    yield from (f"tool_input.{name}" for name in given) if isinstance(given, dict) else ()


def main() -> None:
    """Keep what the pinned clients tell."""
    shapes = {}
    for client, shape in SHAPES.items():
        with tempfile.TemporaryDirectory(prefix="shapes-") as kept:
            os.environ["HARNESS_TMP"] = kept
            shapes[client] = shape(Path(kept))
    listed = json.dumps(shapes, indent=1)
    RECORDED.write_text(re.sub(r"\[[^\]]*\]", lambda found: " ".join(found[0].split()), listed) + "\n", "utf-8")


if __name__ == "__main__":
    main()
