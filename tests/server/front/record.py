"""`python -m tests.server.front.record`: write down, in `recorded/`, what real clients send us.

Both clients call every tool of ours with a scripted model; the conformance suite asks its own server. What differs
from run to run is made alike, so that a record changes only when a client does.
"""

import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.clients.drive_claude import load_tools, run_claude
from tests.clients.drive_codex import mcp_call, run_codex
from tests.clients.script import Script, call
from tests.clients.test_clients import DEFERRED, EVERY_TOOL
from tests.conformance.suite import REVISIONS, asked_by_suite
from tests.conftest import commit_all, environment, git
from tests.processes import SCRIPT
from tests.server.front.sides import SHOP

RECORDED = Path(__file__).parent / "recorded"
_CLIENT = "tee {record} | {command} serve"
_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_SHA = re.compile(r"\b[0-9a-f]{40}\b")
_INSTANT_MS = re.compile(r"\b1[0-9]{12}\b")
_MINTED = re.compile(r"\b(call|toolu|msg)_[0-9A-Za-z]{8,}\b")


def main() -> None:
    """Record all; needs the clients and the suite."""
    with tempfile.TemporaryDirectory(prefix="record-") as folder:
        home = Path(folder)
        shop = _shop(home)
        _kept("claude_code", shop, _by_claude(home, shop))
        _kept("codex", shop, _by_codex(home, shop))
        for revision in REVISIONS:
            _kept(f"conformance_{revision}", shop, asked_by_suite(revision, home))


def cleaned(lines: Sequence[str], shop: Path) -> Iterator[str]:
    """Lines without what differs from run to run."""
    for line in lines:
        text = line.strip().replace(str(shop), SHOP)
        text = _UUID.sub("00000000-0000-4000-8000-000000000000", text)
        text = _INSTANT_MS.sub("1800000000000", _SHA.sub("0" * 40, text))
        yield _MINTED.sub(r"\g<1>_00000000", text)


def _shop(home: Path) -> Path:
    shop = home / "shop"
    (shop / "src").mkdir(parents=True)
    (shop / "src" / "a.py").write_text("x\n")
    git(shop, "init", "--quiet", "--initial-branch=main")
    commit_all(shop)
    return shop


def _by_claude(home: Path, shop: Path) -> list[str]:
    turns: list[Any] = [load_tools(*(f"mcp__loomstack__{name}" for name in DEFERRED))]
    turns += [call(f"mcp__loomstack__{name}", arguments) for name, arguments in EVERY_TOOL]
    server, record = _recording(home, "claude")
    run_claude(Script([*turns, "done"]), cwd=shop, home=home / "claude", mcp={"loomstack": {**server, "type": "stdio"}})
    return record.read_text().splitlines()


def _by_codex(home: Path, shop: Path) -> list[str]:
    turns: list[Any] = [mcp_call("loomstack", name, arguments) for name, arguments in EVERY_TOOL]
    server, record = _recording(home, "codex")
    server = {**server, "required": True, "default_tools_approval_mode": "approve"}
    run_codex(Script([*turns, "done"]), cwd=shop, home=home / "codex", mcp={"loomstack": server}, trust=True)
    return record.read_text().splitlines()


def _recording(home: Path, client: str) -> tuple[dict[str, Any], Path]:
    record = home / f"{client}.jsonl"
    (home / client).mkdir()
    line = _CLIENT.format(record=record, command=SCRIPT)
    return {"command": "/bin/sh", "args": ["-c", line], "env": environment(home)}, record


def _kept(name: str, shop: Path, lines: Sequence[str]) -> None:
    assert lines, f"{name} sent nothing"
    RECORDED.mkdir(exist_ok=True)
    (RECORDED / f"{name}.jsonl").write_text("\n".join(cleaned(lines, shop)) + "\n")
    print(f"{name}: {len(lines)} messages")


if __name__ == "__main__":
    main()
