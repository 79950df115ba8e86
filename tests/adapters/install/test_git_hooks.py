"""Our hooks of git beside a person's: both run, and what was there comes back byte for byte."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from loomstack_mcp.adapters.git.worktree import Worktree, worktree_at
from loomstack_mcp.adapters.install.doctor_git_hooks import git_hook_checks
from loomstack_mcp.adapters.install.git_hooks import (
    carry_out_git_hooks,
    git_hook_text,
    planned_git_hooks,
    planned_git_hooks_removal,
)
from loomstack_mcp.adapters.install.hooks_folders import GIT_HOOKS, NoHooksFolder, hooks_folder, own_hooks_folders
from loomstack_mcp.core.errors import Invalid
from tests.conftest import git
from tests.hooks.git.clone import BIN, Clone

SAYS = '#!/bin/sh\necho "theirs: $(basename "$0") $*"\n'


@pytest.fixture
def clone(tmp_path: Path, shop: Path) -> Clone:
    return Clone(shop, tmp_path)


def tree(clone: Clone) -> Worktree:
    found = worktree_at(clone.root)
    assert found
    return found


def put(clone: Clone) -> Path:
    folder = hooks_folder(tree(clone))
    carry_out_git_hooks(planned_git_hooks(folder))
    return folder


def take_out(clone: Clone) -> None:
    for folder in own_hooks_folders(tree(clone)):
        carry_out_git_hooks(planned_git_hooks_removal(folder))


def theirs(path: Path, text: str = SAYS) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def files(folder: Path) -> dict[str, tuple[bytes, int] | str]:
    """What lies there: content and mode, or where a link leads."""
    return {
        str(path.relative_to(folder)): str(path.readlink())
        if path.is_symlink()
        else (path.read_bytes(), path.stat().st_mode)
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def checked(clone: Clone) -> tuple[str, str]:
    env = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(clone.home)}
    [check] = git_hook_checks(tree(clone), env, is_set_up=True)
    return check.status, check.found


def test_hooks_of_all_kinds_run_first_and_come_back_as_they_were(clone: Clone) -> None:
    hooks = clone.root / ".git/hooks"
    theirs(hooks / "pre-commit", '#!/bin/sh -e\n. "$(dirname "$0")/words"\necho "theirs: $word $(basename "$0")"\n')
    theirs(hooks / "words", "word=shell\n")
    theirs(hooks / "commit-msg", "#!/usr/bin/env python3\nimport sys\nprint('theirs: python', *sys.argv[1:])\n")
    scripts = theirs(clone.root / "scripts/after", SAYS)
    (hooks / "post-commit").symlink_to("../../scripts/after")
    (hooks / "pre-push").write_text("not executable, so git ignores it\n")
    before, script = files(hooks), scripts.read_bytes()
    put(clone)
    done = clone.commit("-m", "Work")
    said = (done.stdout + done.stderr).splitlines()
    take_out(clone)

    assert [line for line in said if line.startswith("theirs")] == [
        "theirs: shell pre-commit",
        "theirs: python .git/COMMIT_EDITMSG",
        "theirs: post-commit ",
    ]
    assert (files(hooks), scripts.read_bytes()) == (before, script)


def test_their_failure_stands_and_ours_is_not_asked(clone: Clone) -> None:
    theirs(clone.root / ".git/hooks/pre-commit", "#!/bin/sh\necho no >&2\nexit 3\n")
    put(clone)
    before = clone.head
    done = clone.commit(status=1)

    assert (done.stderr, clone.head) == ("no\n", before)


def test_what_git_says_on_stdin_is_heard_by_both(clone: Clone, tmp_path: Path) -> None:
    hooks = clone.root / ".git/hooks"
    git(tmp_path, "init", "--quiet", "--bare", "origin.git")
    theirs(hooks / "pre-push", '#!/bin/sh\ncat >"$0.heard"\necho "$*" >>"$0.heard"\n')
    theirs(hooks / "post-rewrite", '#!/bin/sh\ncat >"$0.heard"\n')
    put(clone)
    program = theirs(tmp_path / "bin/loomstack-hook", '#!/bin/sh\ncat >"$HOME/ours-$2"\n')
    by = clone.by(PATH=f"{program.parent}:{os.environ['PATH']}")
    by.run("push", "--quiet", "../origin.git", "main")
    by.commit("--amend", "--no-edit")

    pushed = (tmp_path / "ours-pre-push").read_text()
    assert pushed.split()[0::2] == ["refs/heads/main"] * 2
    assert (hooks / "pre-push.heard").read_text() == f"{pushed}../origin.git ../origin.git\n"
    assert (hooks / "post-rewrite.heard").read_text() == (tmp_path / "ours-post-rewrite").read_text() != ""


@pytest.mark.parametrize("program", [None, "#!/nowhere/python\n", "#!/bin/sh\nexit 1\n"])
def test_a_program_that_is_gone_or_broken_keeps_nobody_from_committing(
    clone: Clone, tmp_path: Path, program: str | None
) -> None:
    put(clone)
    folder = tmp_path / "bin"
    folder.mkdir()
    for hook in (clone.root / ".git/hooks").glob("*-*[!e]"):  # where it was at init there is nothing either
        hook.write_text(re.sub("^program=.*", "program=/nowhere/loomstack-hook", hook.read_text(), flags=re.M))
    if program:
        theirs(folder / "loomstack-hook", program)
    rest = [one for one in os.environ["PATH"].split(":") if not Path(one, "loomstack-hook").exists()]
    done = clone.by(PATH=":".join([str(folder), *rest])).commit("-m", "Work")

    assert "loomstack" in done.stderr
    assert clone.message == "Work"


def test_husky_s_shims_still_find_what_they_are_to_run(clone: Clone) -> None:
    shims = clone.root / ".husky/_"
    # As husky 9.1.7 writes them.
    shim = '#!/usr/bin/env sh\n. "$(dirname "$0")/h"'
    theirs(shims / "pre-commit", shim)
    theirs(
        shims / "h", 'n=$(basename "$0")\ns=$(dirname "$(dirname "$0")")/$n\n[ ! -f "$s" ] && exit 0\nsh -e "$s" "$@"\n'
    )
    theirs(clone.root / ".husky/pre-commit", "echo husky ran\n")
    git(clone.root, "config", "core.hooksPath", ".husky/_")
    before = files(clone.root / ".husky")
    folder = put(clone)
    done = clone.commit()
    ok = checked(clone)
    theirs(shims / "pre-commit", shim)  # as each `npm install` does
    found = checked(clone)
    put(clone)
    again = clone.commit()
    take_out(clone)

    assert folder == shims
    assert [("husky ran" in one.stdout + one.stderr) for one in (done, again)] == [True, True]
    assert [ok[0], found[0], "pre-commit" in found[1]] == ["ok", "fail", True]
    assert files(clone.root / ".husky") == before


def test_hooks_for_other_repositories_too_are_left_alone_and_named(clone: Clone, tmp_path: Path) -> None:
    theirs(tmp_path / "everywhere/pre-commit")
    (tmp_path / ".gitconfig").write_text(f"[core]\n\thooksPath = {tmp_path}/everywhere\n")
    before = files(tmp_path / "everywhere")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("HOME", str(tmp_path))
        with pytest.raises(Invalid, match=r"core\.hooksPath, global.*loomstack-hook git NAME"):
            put(clone)
        status, found = checked(clone)
        after = files(tmp_path / "everywhere")

        for name in GIT_HOOKS:
            theirs(
                tmp_path / "everywhere" / name, f'#!/bin/sh\nloomstack-hook git {name} "$@"; [ $? -ne 10 ] || exit 1\n'
            )
        by_hand = checked(clone)

    assert (status, "for other repositories too" in found) == ("warn", True)
    assert by_hand == ("ok", "each of the 7 where git looks (core.hooksPath) calls ours; not tried")
    assert after == before


def test_a_linked_worktree_has_the_hooks_of_its_clone(clone: Clone, tmp_path: Path) -> None:
    git(clone.root, "worktree", "add", "--quiet", str(tmp_path / "tree"))
    linked = clone.at(tmp_path / "tree")
    folder = put(linked)

    assert folder == clone.root / ".git/hooks"
    assert (checked(clone)[0], checked(linked)[0]) == ("ok", "ok")


def test_what_pre_commit_or_lefthook_put_in_our_place_is_found_and_chained(clone: Clone) -> None:
    hooks = clone.root / ".git/hooks"
    theirs(hooks / "pre-commit", SAYS)
    put(clone)
    ours = hooks / "pre-commit"
    ours.rename(hooks / "pre-commit.legacy")  # as pre-commit 4 does, and then calls it
    manager = '#!/bin/sh\necho manager\n"$0.legacy" "$@"\n'
    theirs(ours, manager)
    found = checked(clone)
    between = clone.commit()
    put(clone)
    after = clone.commit()
    ok = checked(clone)
    take_out(clone)

    assert (found[0], ok[0]) == ("fail", "ok")
    for done in (between, after):
        said = (done.stdout + done.stderr).splitlines()
        assert [line.split()[0] for line in said] == ["manager", "theirs:"]
    assert files(hooks)["pre-commit"] == (manager.encode(), 0o100755)
    assert files(hooks)["pre-commit.legacy"] == (SAYS.encode(), 0o100755)


def test_pre_commit_s_own_hook_written_anew_takes_the_place_of_its_old_one(clone: Clone) -> None:
    hooks = clone.root / ".git/hooks"
    # As pre-commit 4 does: it calls what it found, and refuses to be called by that.
    text = '#!/bin/sh\n# hook-impl {}\n[ -z "$RUNNING" ] || exit 9\necho {}\nl="$(dirname "$0")/pre-commit.legacy"\n'
    text += '[ ! -x "$l" ] || RUNNING=1 "$l" "$@"\n'
    theirs(hooks / "pre-commit", text.format("old", "old"))
    put(clone)
    (hooks / "pre-commit").rename(hooks / "pre-commit.legacy")
    new = text.format("new", "new")
    theirs(hooks / "pre-commit", new)
    between = clone.commit()
    put(clone)
    after = clone.commit()
    take_out(clone)

    assert [(done.stdout + done.stderr).splitlines() for done in (between, after)] == [["new"], ["new"]]
    found = files(hooks)
    assert found["pre-commit"] == (new.encode(), 0o100755)
    assert "pre-commit.legacy" not in found


def test_a_kill_at_any_step_leaves_hooks_that_run_and_the_next_init_goes_on(clone: Clone) -> None:
    hooks = clone.root / ".git/hooks"
    theirs(hooks / "pre-commit")
    before = files(hooks)
    os.link(hooks / "pre-commit", hooks / "pre-commit.loomstack-kept")  # killed before ours was written
    put(clone)
    (hooks / "commit-msg").unlink()
    first = checked(clone)
    put(clone)
    second = checked(clone)
    take_out(clone)

    assert (first[0], second[0]) == ("fail", "ok")
    assert files(hooks) == before


def test_an_older_hook_of_ours_is_brought_up_to_date(clone: Clone) -> None:
    folder = put(clone)
    (folder / "pre-push").write_text(git_hook_text(folder / "pre-push").replace("hook 1", "hook 0"))
    steps = planned_git_hooks(folder)

    assert [(step.verb, step.name) for step in steps] == [("change", "pre-push")]
    assert checked(clone)[0] == "fail"


def test_a_hooks_path_set_later_is_found(clone: Clone) -> None:
    put(clone)
    git(clone.root, "config", "core.hooksPath", ".githooks")

    assert (checked(clone)[0], "core.hooksPath" in checked(clone)[1]) == ("fail", True)


def test_a_hooks_folder_that_nobody_has_made_is_not_made_by_us(clone: Clone) -> None:
    for path in ("/dev/null", ".husky/_"):  # hooks switched off; ignored by git, and so in no new worktree
        git(clone.root, "config", "core.hooksPath", path)
        with pytest.raises(NoHooksFolder, match=r"which is no folder, so that it runs none; make it"):
            put(clone)

    assert (checked(clone)[0], (clone.root / ".husky").exists()) == ("fail", False)


def test_only_a_hook_that_people_share_names_no_program(tmp_path: Path, shop: Path) -> None:
    private = [tmp_path / "bare/hooks", shop / ".git/hooks", tmp_path / "apart/hooks"]
    git(tmp_path, "init", "--quiet", "--bare", "bare")
    git(tmp_path, "init", "--quiet", "--separate-git-dir", str(tmp_path / "apart"), "work")
    named = [BIN in git_hook_text(folder / "pre-push") for folder in (*private, shop / ".githooks")]

    assert named == [True, True, True, False]


def test_the_hook_is_plain_posix_shell() -> None:
    shell = shutil.which("dash") or "/bin/sh"
    for name in GIT_HOOKS:
        assert subprocess.run([shell, "-n"], input=git_hook_text(Path(name)), text=True, check=False).returncode == 0


def test_a_shell_that_has_another_path_finds_the_program_where_it_was_at_init(clone: Clone) -> None:
    put(clone)
    rest = [one for one in os.environ["PATH"].split(":") if not Path(one, "loomstack-hook").exists()]
    done = clone.by(PATH=":".join(rest)).commit("-m", "Work")

    assert "not on PATH" not in done.stderr
    assert git_hook_text(clone.root / ".husky/_/pre-commit").count("program=\n") == 1
