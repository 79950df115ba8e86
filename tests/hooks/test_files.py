"""The file is judged, wherever the session stands: by its own repository, under each of its names, to the letter."""

import contextlib
import json
import os
import shlex
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import commit_all, environment, git
from tests.hooks.support import claude_edit, codex_patch, hook, made_store, refused
from tests.hooks.test_guarding import call, line, said
from tests.house.started import started
from tests.processes import HOOK
from tests.wire import Server

LETTERS = ["[id]/x.tsx", "{-$lang}/index.tsx", "[a.py", "a*b", "back\\slash", "!x", " x ", "a\nb.py", "x\x7f", "~/y"]


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """Another repository."""
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    return other


def test_where_the_session_stands_does_not_matter(tmp_path: Path, shop: Path, held: str, elsewhere: Path) -> None:
    nested, beside = shop / ".claude/worktrees/feat", tmp_path / "beside"
    git(shop, "worktree", "add", "--quiet", "-b", "feat", str(nested))
    git(shop, "worktree", "add", "--quiet", "-b", "beside", str(beside))
    folders = [shop, nested, beside, tmp_path, elsewhere, tmp_path / "gone"]
    tops = [shop, nested, beside]

    asked = [(cwd, top, name) for cwd in folders for top in tops for name in ("src/a.py", "src/new/deep/x.py")]
    let_through = [
        (cwd, top, name)
        for cwd, top, name in asked
        if not refused(hook(tmp_path, "claude", claude_edit(cwd, str(top / name))))
    ]

    assert let_through == []
    assert hook(tmp_path, "claude", claude_edit(elsewhere, str(nested / "README.md"))) is None


def test_all_that_is_written_of_a_folder_is_judged_wherever_the_session_stands(
    tmp_path: Path, shop: Path, elsewhere: Path
) -> None:
    made_store(tmp_path)
    (shop / "lib/deep").mkdir(parents=True)
    (shop / "free").mkdir()
    assert hook(tmp_path, "claude", claude_edit(shop, str(shop / "lib/deep/a.py"), session="s-2")) is None
    lines = [
        *(
            (shop, "rm -rf lib"),
            (shop, "rm -r lib/*"),
            (elsewhere, f"rm -rf {shop}/lib"),
            (tmp_path, "rm -rf shop/lib"),
        ),
        *((tmp_path, "rm shop/lib/deep/a.py"), (tmp_path, "cd shop && git checkout ."), (tmp_path, "rm -r sh*")),
        *((elsewhere, f"git -C {shop} reset --hard"), (elsewhere, f"cd {shop}/free && git stash")),
    ]
    calls = [
        *((shop, "mcp__fs__delete_directory", {"path": "lib"}), (shop, "mcp__fs__delete_directory", {"path": "."})),
        (elsewhere, "mcp__fs__move_file", {"source": f"{shop}/lib", "destination": f"{elsewhere}/lib"}),
    ]
    told = {text: said(hook(tmp_path, "claude", line(cwd, text))) for cwd, text in lines}
    told |= {f"{cwd} {sent}": said(hook(tmp_path, "claude", call(cwd, tool, sent))) for cwd, tool, sent in calls}

    assert [text for text, words in told.items() if "lib/deep/a.py is being edited by" not in words] == []
    for cwd, text in ((shop, "rm -r free"), (elsewhere, f"rm -r {shop}/free"), (elsewhere, "git stash")):
        assert hook(tmp_path, "claude", line(cwd, text)) is None
    assert hook(tmp_path, "claude", call(shop, "mcp__fs__delete_directory", {"path": "free"})) is None


def test_one_patch_may_write_to_several_repositories(tmp_path: Path, shop: Path, held: str, elsewhere: Path) -> None:
    free = f"*** Begin Patch\n*** Add File: x.py\n+x\n*** Update File: {shop}/README.md\n"
    assert hook(tmp_path, "codex", codex_patch(elsewhere, free)) is None
    assert refused(hook(tmp_path, "codex", codex_patch(elsewhere, f"{free}*** Move to: {shop}/src/x.md\n")))


def test_a_relative_path_from_a_folder_that_is_gone_is_said_and_an_absolute_one_judged(
    tmp_path: Path, shop: Path, held: str
) -> None:
    gone = tmp_path / "gone"
    relative = hook(tmp_path, "codex", codex_patch(gone, "*** Begin Patch\n*** Delete File: src/a.py\n"))
    both = f"*** Begin Patch\n*** Delete File: x.py\n*** Delete File: {shop}/src/a.py\n"

    assert relative
    assert f"{gone} is gone" in relative["systemMessage"]
    assert refused(hook(tmp_path, "codex", codex_patch(gone, both)))


def test_a_process_whose_own_folder_is_gone_judges_an_absolute_path(tmp_path: Path, shop: Path, held: str) -> None:
    gone = tmp_path / "own"
    gone.mkdir()
    payload = claude_edit("", str(shop / "src/a.py"))
    script = f"rmdir {shlex.quote(str(gone))} && exec {shlex.quote(HOOK)} claude PreToolUse"

    done = subprocess.run(
        ["sh", "-c", script], cwd=gone, env=environment(tmp_path), input=json.dumps(payload).encode(),
        capture_output=True, check=True,
    )  # fmt: skip

    assert refused(json.loads(done.stdout))


@pytest.mark.parametrize("name", LETTERS)
def test_a_path_is_meant_to_the_letter_there_or_not(tmp_path: Path, shop: Path, held: str, name: str) -> None:
    absent = hook(tmp_path, "claude", claude_edit(shop, str(shop / "src" / name)))
    free = hook(tmp_path, "claude", claude_edit(shop, str(shop / "app" / name)))

    assert refused(absent)
    assert free is None


def test_one_literal_name_does_not_stand_for_another(tmp_path: Path, shop: Path, serve: Callable[..., Server]) -> None:
    other = serve(CLAUDE_CODE_SESSION_ID="s-other")
    other.answer("start_run", loop="pages", goal="x")
    other.answer("claim_paths", paths=["app/[id]/page.tsx", "app/i/x.tsx", "lib/ab.py"], intent="mine")

    assert refused(hook(tmp_path, "claude", claude_edit(shop, str(shop / "app/[id]/page.tsx"))))
    assert hook(tmp_path, "claude", claude_edit(shop, str(shop / "app/[id]/x.tsx"))) is None
    assert hook(tmp_path, "claude", claude_edit(shop, str(shop / "lib/a*b.py"))) is None


@pytest.mark.parametrize("name", ["x" * 300, "é" * 700, "x\0y", "deep/" * 2000 + "x"])
def test_a_name_that_no_file_can_have_is_refused_or_said(tmp_path: Path, shop: Path, held: str, name: str) -> None:
    reply = hook(tmp_path, "claude", claude_edit(shop, str(shop / "src" / name)))

    assert reply
    assert refused(reply) or "did not check" in reply["systemMessage"]
    assert "internal" not in str(reply)


def test_a_link_counts_at_both_ends(tmp_path: Path, shop: Path, serve: Callable[..., Server], elsewhere: Path) -> None:
    other = serve(CLAUDE_CODE_SESSION_ID="s-other")
    other.answer("start_run", loop="refactor", goal="x")
    other.answer("claim_paths", paths=["src/a.py", "link.py", "through", "way"], intent="mine")
    for link, target in {
        "link.py": "README.md", "to_held.py": "src/a.py", "way": "to_held.py", "through": str(elsewhere),
        "folder": "src", "chain.py": "to_link.py", "to_link.py": "link.py", "loop": "loop",
    }.items():  # fmt: skip
        (shop / link).symlink_to(target)
    (elsewhere / "into").symlink_to(shop / "src")

    held = ["link.py", "to_held.py", "through/x.py", "folder/a.py", "chain.py", "to_link.py", "folder/../src/a.py"]
    assert [name for name in held if not refused(hook(tmp_path, "claude", claude_edit(shop, str(shop / name))))] == []
    assert refused(hook(tmp_path, "claude", claude_edit(elsewhere, str(elsewhere / "into/a.py"))))
    assert [hook(tmp_path, "claude", claude_edit(shop, str(shop / name))) for name in ("folder/b.py", "loop")] == [
        None, None,
    ]  # fmt: skip


def test_a_file_of_a_submodule_belongs_to_both_repositories(
    tmp_path: Path, shop: Path, serve: Callable[..., Server], elsewhere: Path
) -> None:
    (elsewhere / "core.py").write_text("x\n")
    commit_all(elsewhere)
    git(shop, "-c", "protocol.file.allow=always", "submodule", "add", "--quiet", str(elsewhere), "vendor/lib")
    git(shop, "clone", "--quiet", str(elsewhere), "vendor/own")
    above, below = (serve(CLAUDE_CODE_SESSION_ID="s-other", cwd=cwd) for cwd in (shop, shop / "vendor/lib"))
    above.answer("start_run", loop="vendor", goal="x")
    above.answer("claim_paths", paths=["vendor/lib/core*", "vendor/own"], intent="mine")
    below.answer("start_run", loop="lib", goal="x")
    below.answer("claim_paths", paths=["api"], intent="mine")

    replies = {
        name: refused(hook(tmp_path, "claude", claude_edit(shop, str(shop / "vendor" / name))))
        for name in ("lib/core.py", "lib/api/new.py", "lib/free.py", "own/core.py")
    }
    assert replies == {"lib/core.py": True, "lib/api/new.py": True, "lib/free.py": False, "own/core.py": False}


def test_what_cannot_be_judged_is_said(tmp_path: Path, shop: Path, held: str) -> None:
    broken = tmp_path / "broken"
    git(shop, "worktree", "add", "--quiet", "-b", "broken", str(broken))
    (broken / ".git").write_text("gitdir: /nowhere\n")
    reply = hook(tmp_path, "claude", claude_edit(shop, str(broken / "src/a.py")))
    without_git = hook(tmp_path, "claude", claude_edit(shop, str(shop / "src/a.py")), PATH=str(tmp_path / "nothing"))

    assert reply
    assert "not a git repository: /nowhere" in reply["systemMessage"]
    assert without_git
    assert "no git on PATH" in without_git["systemMessage"]


def test_a_patch_of_many_files_asks_no_repository_twice(tmp_path: Path, shop: Path, held: str, elsewhere: Path) -> None:
    (elsewhere / "core.py").write_text("x\n")
    commit_all(elsewhere)
    git(shop, "-c", "protocol.file.allow=always", "submodule", "add", "--quiet", str(elsewhere), "lib")

    def asked(count: int) -> int:
        files = "".join(f"*** Add File: {shop}/lib/new{number % 7}/{number}.py\n+x\n" for number in range(count))
        payload = codex_patch(shop, f"*** Begin Patch\n{files}*** End Patch\n")
        found = started(
            [HOOK, "codex", "PreToolUse"], cwd=shop, environment=environment(tmp_path), stdin=json.dumps(payload)
        )
        assert (found.status, found.printed, found.said) == (0, "", "")
        return len(found.git)

    asked(1)  # what git says of a clone is kept

    assert asked(60) == asked(1)


def test_a_repository_above_that_cannot_be_read_hides_no_claim_below(tmp_path: Path, shop: Path, held: str) -> None:
    (tmp_path / ".git").write_text("gitdir: /nowhere\n")
    free = hook(tmp_path, "claude", claude_edit(shop, str(shop / "README.md")))

    assert refused(hook(tmp_path, "claude", claude_edit(shop, str(shop / "src/a.py"))))
    assert free
    assert "/nowhere" in free["systemMessage"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_repository_of_somebody_else_is_said(tmp_path: Path, shop: Path, held: str) -> None:
    git(tmp_path, "clone", "--quiet", str(shop), "foreign")
    os.chown(tmp_path / "foreign", 12345, 12345)
    reply = hook(tmp_path, "claude", claude_edit(shop, str(tmp_path / "foreign/src/a.py")))

    assert reply
    assert "dubious ownership" in reply["systemMessage"]


def test_one_file_that_cannot_be_judged_hides_no_other(tmp_path: Path, shop: Path, held: str) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / ".git").write_text("gitdir: /nowhere\n")
    patch = f"*** Begin Patch\n*** Delete File: {broken}/x\n*** Delete File: {shop}/src/a.py\n"

    assert refused(hook(tmp_path, "codex", codex_patch(shop, patch)))


def test_a_file_in_no_repository_is_nobodys_and_a_machine_without_a_store_silent(tmp_path: Path, shop: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / ".git").write_text("gitdir: /nowhere\n")
    assert hook(tmp_path, "claude", claude_edit(shop, str(broken / "x"))) is None
    assert hook(tmp_path, "codex", codex_patch(tmp_path / "gone", "*** Begin Patch\n*** Add File: x\n")) is None


def test_a_file_in_no_repository_needs_no_git(tmp_path: Path, held: str) -> None:
    (tmp_path / "left/.git").mkdir(parents=True)  # as a sandbox leaves it behind
    for path in (tmp_path / "x", tmp_path / "left/x"):
        assert hook(tmp_path, "claude", claude_edit(tmp_path, str(path)), PATH=str(tmp_path / "nothing")) is None


def test_an_edit_elsewhere_is_seen_once_and_a_refused_one_is_not(tmp_path: Path, shop: Path, held: str) -> None:
    other = tmp_path / "other"
    git(shop, "worktree", "add", "--quiet", "-b", "other", str(other))
    for path in (other / "README.md", other / "x.py", shop / "src/a.py", tmp_path / "nowhere.py"):
        hook(tmp_path, "claude", claude_edit(shop, str(path), agent_id="a1"))
    with contextlib.closing(sqlite3.connect(tmp_path / "loomstack/loom.db")) as store:
        seen = store.execute("SELECT session, tool_use, agent, folder FROM sighting").fetchall()

    assert seen == [("claude:s-1", "", "a1", str(other))]
