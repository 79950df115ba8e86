"""What a session edits is held for it by the hook alone, in real processes: no tool of ours is called."""

import contextlib
import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from loomstack_mcp.adapters.settings import load_settings
from loomstack_mcp.core.limits import CHARS_PER_TOKEN
from loomstack_mcp.loom import Loom, open_loom
from loomstack_mcp.store.sqlite import gate
from tests.conftest import commit_all, environment, git
from tests.deadlines import wait_until
from tests.hooks.support import claude_edit, codex_patch, hook, made_store, refused
from tests.house.started import started
from tests.processes import HOOK, run, start

A, B = "aaaaaaaa-1", "bbbbbbbb-2"


@pytest.fixture(autouse=True)
def _store(tmp_path: Path) -> None:
    made_store(tmp_path)


@pytest.fixture
def loom(tmp_path: Path) -> Iterator[Loom]:
    with open_loom(load_settings({}, environment=environment(tmp_path))) as opened:
        yield opened


def edit(home: Path, shop: Path, path: str, session: Any = A, **more: Any) -> dict[str, Any] | None:
    env = {name: more.pop(name) for name in list(more) if name.isupper()}
    return hook(home, "claude", claude_edit(shop, str(shop / path), session=session, **more), **env)


def said(reply: dict[str, Any] | None) -> str:
    return str(reply["hookSpecificOutput"]["permissionDecisionReason"]) if reply else ""


def held(loom: Loom) -> list[tuple[str, str]]:
    return sorted(
        (claim.patterns[0], claim.loop)
        for repo in loom.repos.ids()
        for claim in loom.claims.held(repo, limit=100)[0]
        if claim.origin == "auto"
    )


def test_who_edits_second_is_told_who_is_at_the_file_and_what_to_do(tmp_path: Path, shop: Path, loom: Loom) -> None:
    first = edit(tmp_path, shop, "src/a.py")
    words = said(edit(tmp_path, shop, "src/a.py", B))

    assert first is None
    assert held(loom) == [("src/a.py", "claude-aaaaaaaa")]
    assert words.startswith("src/a.py is being edited by run_")
    for each in (
        "“edited by claude, session aaaaaaaa”",
        "free in 10 min",
        "Work on other paths",
        "share_context(to=run_",
    ):
        assert each in words
    assert len(words) <= 200 * CHARS_PER_TOKEN


def test_whom_no_client_names_is_refused_what_a_session_edits(tmp_path: Path, shop: Path, loom: Loom) -> None:
    edit(tmp_path, shop, "src/a.py")
    unnamed = [edit(tmp_path, shop, "src/a.py", session) for session in ("", None, 7)]

    assert ["src/a.py is being edited by run_" in said(reply) for reply in unnamed] == [True] * 3
    assert edit(tmp_path, shop, "src/b.py", "") is None
    assert held(loom) == [("src/a.py", "claude-aaaaaaaa")]


def test_a_further_edit_is_told_at_a_glance(tmp_path: Path, shop: Path) -> None:
    edit(tmp_path, shop, "src/a.py")
    payload = json.dumps(claude_edit(shop, str(shop / "src/a.py"), session=A))
    again = started([HOOK, "claude", "PreToolUse"], cwd=shop, environment=environment(tmp_path), stdin=payload)

    assert (again.status, again.printed, again.git) == (0, "", ())
    assert "loomstack_mcp.edge.guarding" not in again.ours


def test_a_glance_takes_what_is_held_elsewhere_by_the_same_path_for_nothing(
    tmp_path: Path, shop: Path, loom: Loom
) -> None:
    other = tmp_path / "other"
    git(tmp_path, "init", "--quiet", str(other))
    (other / "src").mkdir()
    (other / "README.md").write_text("x\n")
    commit_all(other)
    for folder in (shop, other):
        edit(tmp_path, folder, "README.md")  # of which both are seen
    edit(tmp_path, shop, "src/a.py")
    edit(tmp_path, other, "src/a.py")

    assert len(loom.repos.ids()) == 2
    assert held(loom) == [(name, "claude-aaaaaaaa") for name in ("README.md", "README.md", "src/a.py", "src/a.py")]


LINES = "".join(f"line {number}\n" for number in range(1, 21))


def test_a_refusal_says_whether_the_same_lines_are_meant(tmp_path: Path, shop: Path) -> None:
    (shop / "src/a.py").write_text(LINES)
    commit_all(shop)
    two = tmp_path / "two"
    git(shop, "worktree", "add", "--quiet", str(two))
    edit(tmp_path, shop, "src/a.py")
    nothing_yet = _meant(tmp_path, shop, "line 4\nline 5")
    (shop / "src/a.py").write_text(LINES.replace("line 3\n", "new\nand newer\n"))
    told = [_meant(tmp_path, folder, "line 17\n") for folder in (shop, two)]
    same = [_meant(tmp_path, shop, "and newer"), _meant(tmp_path, two, "line 2\nline 3\n")]
    patch = "*** Begin Patch\n*** Update File: src/a.py\n@@\n line 16\n-line 17\n+x\n*** End Patch"
    patched = said(hook(tmp_path, "codex", codex_patch(two, patch)))
    (two / "src/a.py").write_text("other\n" + LINES)
    uncertain = [_meant(tmp_path, two, "line 17\n"), _meant(tmp_path, shop, "line 1")]

    assert ["It changed" in words for words in (nothing_yet, *uncertain)] == [False] * 3
    assert "It changed lines 3-4 so far, and you mean others." in told[0]
    assert all("It changed lines 3 so far, and you mean others." in words for words in (told[1], patched))
    assert ["which you mean, too." in words for words in same] == [True, True]


def _meant(home: Path, folder: Path, old: str) -> str:
    """What a session is told that means a passage."""
    payload = claude_edit(folder, str(folder / "src/a.py"), session=B)
    given = {"file_path": str(folder / "src/a.py"), "old_string": old, "new_string": "y"}
    words = said(hook(home, "claude", {**payload, "tool_input": given}))
    assert words
    return words


def test_other_worktrees_and_sub_agents_meet_at_a_file_too(tmp_path: Path, shop: Path) -> None:
    git(shop, "worktree", "add", "--quiet", str(tmp_path / "two"))
    edit(tmp_path, shop, "src/a.py")
    edit(tmp_path, shop, "src/b.py", agent_id="a1")

    assert refused(edit(tmp_path, tmp_path / "two", "src/a.py", B))
    assert refused(edit(tmp_path, shop, "src/b.py", agent_id="a2"))
    assert not refused(edit(tmp_path, shop, "src/b.py"))
    assert not refused(edit(tmp_path, tmp_path / "two", "src/a.py"))


def test_both_names_of_a_moved_file_are_held(tmp_path: Path, shop: Path, loom: Loom) -> None:
    patch = "*** Begin Patch\n*** Update File: src/a.py\n*** Move to: src/z.py\n@@\n-x\n+y\n*** Delete File: src/b.py\n"

    assert hook(tmp_path, "codex", codex_patch(shop, patch + "*** End Patch")) is None
    assert [name for name, _ in held(loom)] == ["src/a.py", "src/b.py", "src/z.py"]
    assert all(refused(edit(tmp_path, shop, name)) for name in ("src/a.py", "src/b.py", "src/z.py"))


def test_a_file_is_held_in_each_repository_and_by_each_name_that_it_has(tmp_path: Path, shop: Path, loom: Loom) -> None:
    library = tmp_path / "library"
    git(tmp_path, "init", "--quiet", str(library))
    (library / "x.py").write_text("x\n")
    commit_all(library)
    git(shop, "-c", "protocol.file.allow=always", "submodule", "add", "--quiet", str(library), "vendor/lib")
    commit_all(shop)
    (shop / "link.py").symlink_to("src/a.py")
    edit(tmp_path, shop, "vendor/lib/x.py")
    edit(tmp_path, shop, "link.py")

    assert [name for name, _ in held(loom)] == ["link.py", "src/a.py", "vendor/lib/x.py", "x.py"]


def test_a_setting_of_the_trunk_says_that_edits_are_not_held(tmp_path: Path, shop: Path, loom: Loom) -> None:
    (shop / ".loomstack").mkdir()
    (shop / ".loomstack/config.yaml").write_text("claim_edits: off\n")
    commit_all(shop)
    replies = [edit(tmp_path, shop, "src/a.py", session) for session in (A, B)]
    payload = json.dumps(claude_edit(shop, str(shop / "src/a.py"), session=A))
    again = started([HOOK, "claude", "PreToolUse"], cwd=shop, environment=environment(tmp_path), stdin=payload)
    by_variable = edit(tmp_path, shop, "src/a.py", LOOMSTACK_CLAIM_EDITS="auto")

    assert [*replies, by_variable] == [None] * 3
    assert "loomstack_mcp.edge.guarding" not in again.ours
    assert held(loom) == [("src/a.py", "claude-aaaaaaaa")]


def test_where_claims_are_asked_for_an_unclaimed_edit_is_refused_once(tmp_path: Path, shop: Path, loom: Loom) -> None:
    (tmp_path / "loomstack/config.yaml").write_text("claim_edits: ask\n")
    replies = [edit(tmp_path, shop, "src/a.py") for _ in range(3)]

    assert "Call claim_paths" in said(replies[0])
    assert replies[1:] == [None, None]
    assert held(loom) == [("src/a.py", "claude-aaaaaaaa")]


def test_of_many_sessions_at_once_exactly_one_holds_each_file(tmp_path: Path, shop: Path, loom: Loom) -> None:
    edits = [(f"src/{number}.py", f"{session}{session}{session}-s") for number in range(4) for session in "vwxyz"]
    with ThreadPoolExecutor(10) as threads:
        replies = list(threads.map(lambda one: edit(tmp_path, shop, *one), edits))
    free = sorted(path for (path, _), reply in zip(edits, replies, strict=True) if reply is None)

    assert free == [f"src/{number}.py" for number in range(4)]
    assert [path for path, _ in held(loom)] == free
    assert all("is being edited by" in said(reply) for reply in replies if reply)


def test_a_store_that_is_busy_or_full_lets_the_edit_go_on(tmp_path: Path, shop: Path, loom: Loom) -> None:
    edit(tmp_path, shop, "src/b.py")
    with gate.passed(gate.gate_beside(tmp_path / "loomstack/loom.db")):
        busy = edit(tmp_path, shop, "src/a.py")
    full = f"ulimit -f 64; exec {HOOK} claude PreToolUse"  # as on a disk that is full: what it writes is refused
    payload = json.dumps(claude_edit(shop, str(shop / "src/a.py"), session=A))
    on_full = run(
        ["sh", "-c", full], cwd=shop, env=environment(tmp_path, PYTHONDONTWRITEBYTECODE="1"), given=payload, check=True
    )
    none_yet = held(loom)
    after = edit(tmp_path, shop, "src/a.py")

    assert (busy, on_full.stdout, on_full.stderr, after) == (None, "", "", None)
    assert none_yet == [("src/b.py", "claude-aaaaaaaa")]
    assert [name for name, _ in held(loom)] == ["src/a.py", "src/b.py"]


def test_a_killed_hook_leaves_nothing_behind(tmp_path: Path, shop: Path, loom: Loom) -> None:
    edit(tmp_path, shop, "src/b.py")
    payload = json.dumps(claude_edit(shop, str(shop / "src/a.py"), session=A)).encode()
    store = tmp_path / "loomstack/loom.db"
    with gate.passed(gate.gate_beside(store)):
        hooked = start([HOOK, "claude", "PreToolUse"], env=environment(tmp_path), cwd=shop, stdin=subprocess.PIPE)
        assert hooked.stdin
        hooked.stdin.write(payload)
        hooked.stdin.close()
        wait_until(lambda: _has_open(hooked.pid, gate.gate_beside(store)))
        hooked.kill()
        hooked.wait()

    assert edit(tmp_path, shop, "src/a.py") is None
    assert [name for name, _ in held(loom)] == ["src/a.py", "src/b.py"]
    assert refused(edit(tmp_path, shop, "src/a.py", B))


def _has_open(pid: int, file: Path) -> bool:
    with contextlib.suppress(OSError):
        return any(descriptor.resolve() == file for descriptor in Path(f"/proc/{pid}/fd").iterdir())
    return False
