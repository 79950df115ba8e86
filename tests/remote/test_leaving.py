"""What leaves the machine: paths, ranges and keyed hashes, and nothing that tells of code or of where it lies."""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import commit_all, environment, git
from tests.edge.support import landed_rules
from tests.hooks.support import claude_edit, hook, session_event
from tests.processes import SCRIPT, run
from tests.remote.hubs import Hub, joined
from tests.wire import Server

CODE = "launch_codeword = 'Kestrel-77-gamma'"
ADDED = "second_codeword = 'Heron-78-delta'"


def test_a_day_s_work_tells_the_hub_no_code_no_path_and_no_digest_without_a_key(
    hub: Hub, tmp_path: Path, shop: Path
) -> None:
    home = tmp_path / "home"
    joined(home / "loomstack", hub)
    git(shop, "remote", "add", "origin", "https://git.example.com/acme/shop.git")
    (shop / "src/a.py").write_text(f"{CODE}\nx = 1\n")
    commit_all(shop, "The codeword is new")
    git(shop, "checkout", "--quiet", "-b", "work")
    session = {"CLAUDE_CODE_SESSION_ID": "s-1"}
    hook(home, "claude", session_event(shop, session="s-1"), event="SessionStart", cwd=shop)
    line = {"tool_name": "Bash", "tool_input": {"command": f"echo {ADDED!r} >> src/b.py"}, "tool_use_id": "toolu_7"}
    with Server([SCRIPT], env=environment(home, **session), cwd=shop) as server:
        server.initialize()
        server.answer("start_run", loop="codes", goal="a new codeword")
        server.answer("share_context", kind="decision", text="the codeword stays", paths=["src"])
        hook(home, "claude", {**claude_edit(shop, str(shop / "src/a.py")), "tool_input": edit(shop)})
        hook(home, "claude", {**claude_edit(shop, ""), **line})
        (shop / "src/b.py").write_text(f"x\n{ADDED}\n")
        hook(home, "claude", {**claude_edit(shop, ""), **line}, event="PostToolUse")
        git(shop, "checkout", "--quiet", "-b", "rules", "main")
        landed_rules(shop, "asks", effect="require_approval", more="    approve: {by: [dana]}\n")
        git(shop, "branch", "--force", "main", "rules")
        git(shop, "checkout", "--quiet", "work")
        hook(home, "claude", {**claude_edit(shop, str(shop / "src/a.py")), "tool_input": edit(shop)})
        (shop / "src/a.py").write_text("x = 1\n")
        commit_all(shop, "Taken out again")
        sha = git(shop, "rev-parse", "HEAD")
        server.answer("check_conflicts")
        server.answer("check_policy", action="edit", paths=["src/a.py"])
        server.answer("record_outcome", status="done", summary="taken out", commits=[sha])
        server.answer("check_conflicts")
    run([SCRIPT, "gate", "--base", "main", "--head", "work"], cwd=shop, env=environment(home))
    run([SCRIPT, "conflicts"], cwd=shop, env=environment(home))
    hook(home, "claude", session_event(shop, session="s-1"), event="Stop", cwd=shop)
    hook(home, "claude", session_event(shop, session="s-1"), event="SessionEnd", cwd=shop)

    sent = b"\n".join(body for _, body in hub.sent).decode()
    asked = {path.removeprefix("/api/") for path, _ in hub.sent}
    blobs = [git(shop, "rev-parse", name) for name in ("main:src/a.py", "HEAD:src/a.py", "HEAD:src/b.py")]
    texts = [(shop / "src/b.py").read_text(), CODE, ADDED, f"{CODE}\nx = 1\n", "x = 1\n"]
    digests = [kind(text.encode()).hexdigest()[:12] for text in texts for kind in (hashlib.sha1, hashlib.sha256)]
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert {
        "ledger/take_in",
        "ledger/keep_work",
        "conflicts/check_run",
        "edits/hold",
        "undoings/undone_by",
        "policy/keep_of_run",
    } <= asked
    assert [one for one in ("Kestrel", "Heron", str(tmp_path), str(shop), boot, *blobs, *digests) if one in sent] == []
    assert {one for one in asked if one.startswith(("sightings", "guards"))} == set()
    assert set(values_of("principal", hub)) <= {"", "ana"}
    assert [one for one in values_of("process", hub) if one and not re.fullmatch("far:[0-9a-f]{16}", one)] == []
    assert set(values_of("folder", hub)) <= {""}


def edit(shop: Path) -> dict[str, object]:
    return {"file_path": str(shop / "src/a.py"), "old_string": f"{CODE}\n", "new_string": ADDED, "replace_all": False}


def values_of(name: str, hub: Hub) -> Iterator[str]:
    def found(told: object) -> Iterator[str]:
        if isinstance(told, dict):
            yield from (value for key, value in told.items() if key == name and isinstance(value, str))
            for value in told.values():
                yield from found(value)
        elif isinstance(told, list):
            for value in told:
                yield from found(value)

    for _, body in hub.sent:
        yield from found(json.loads(body or b"{}"))
