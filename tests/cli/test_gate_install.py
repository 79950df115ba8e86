"""`gate --install`, and the hook line of the handbook: real pushes, under what a git server hands to its hooks."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Run, commit_all, environment, git
from tests.processes import ROOT, SCRIPT
from tests.wire import Server

SIGNED = "Work\n\nLoom-Run: run_ABCDEFGH"
MAIN = "refs/heads/main"
BARE = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
"""All that a git server need have: no HOME, no USER, and no folder of ours on PATH."""


@pytest.fixture
def hub(shop: Path, tmp_path: Path) -> Path:
    """A bare repository whose trunk has the rules that a team begins with; `shop` is a clone of it."""
    shutil.copytree(ROOT / "policies", shop / "policies", ignore=shutil.ignore_patterns("tests"))
    commit_all(shop, "Rules")
    git(tmp_path, "clone", "--quiet", "--bare", str(shop), "hub.git")
    git(shop, "remote", "add", "origin", f"file://{tmp_path}/hub.git")
    return tmp_path / "hub.git"


@pytest.fixture
def guarded(hub: Path, loomstack: Run) -> Path:
    done = loomstack("gate", "--install", str(hub))
    assert done.returncode == 0, done.stdout + done.stderr
    return hub


def pushed(shop: Path, *refspecs: str, **env: str) -> tuple[bool, str]:
    """Whether a push was taken, and what was said."""
    command = ["git", "push", "origin", *refspecs]
    done = subprocess.run(command, cwd=shop, env=BARE | env, capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stderr


def work(shop: Path, path: str, message: str = "Work", *, branch: str = "work") -> None:
    git(shop, "fetch", "--quiet", "origin")
    git(shop, "checkout", "--quiet", "-B", branch, "origin/main")
    (shop / path).parent.mkdir(parents=True, exist_ok=True)
    (shop / path).write_text("x = 1\n")
    commit_all(shop, message)


def test_a_person_s_push_is_judged_by_the_trunk_s_rules_without_a_store(guarded: Path, shop: Path) -> None:
    work(shop, "src/fine.py")
    fine = pushed(shop, f"HEAD:{MAIN}")
    git(shop, "checkout", "--quiet", "-B", "out")
    (shop / "out").symlink_to("/etc/passwd")
    commit_all(shop)
    leads_out = pushed(shop, f"HEAD:{MAIN}")

    assert fine[0], fine[1]
    assert (leads_out[0], "links-stay-inside" in leads_out[1]) == (False, True)


def test_a_loop_s_push_is_judged_by_what_git_tells_and_refused_where_a_rule_asks_the_store(
    guarded: Path, shop: Path
) -> None:
    work(shop, "src/fine.py", SIGNED)
    branch, trunk = pushed(shop, "HEAD:refs/heads/work"), pushed(shop, f"HEAD:{MAIN}")
    work(shop, "services/payments/charge.py", SIGNED)
    protected = pushed(shop, "HEAD:refs/heads/pay")

    assert branch[0], branch[1]
    assert (trunk[0], "store_unavailable: maker-is-not-checker" in trunk[1]) == (False, True)
    assert (protected[0], "protected-services" in protected[1]) == (False, True)


def test_by_git_alone_a_loop_lands_and_reads_what_was_not_asked(hub: Path, shop: Path, loomstack: Run) -> None:
    loomstack("gate", "--install", str(hub), "--git-only")
    work(shop, "src/fine.py", SIGNED)
    fine = pushed(shop, f"HEAD:{MAIN}")
    work(shop, "infra/main.tf", SIGNED)
    protected = pushed(shop, f"HEAD:{MAIN}")

    assert fine[0], fine[1]
    assert "Not judged without the store: not-held-by-another, claim-before-edit, maker-is-not-checker" in fine[1]
    assert (protected[0], "infrastructure" in protected[1]) == (False, True)


def test_with_a_store_a_loop_lands_what_another_checked(
    guarded: Path, shop: Path, serve: Callable[..., Server]
) -> None:
    maker, checker = serve(), serve()
    made = maker.answer("start_run", loop="refactor", goal="fine")["run"]
    git(shop, "checkout", "--quiet", "-b", "work")
    (shop / "fine.py").write_text("x = 1\n")
    commit_all(shop, f"Work\n\nLoom-Run: {made}")
    sha = git(shop, "rev-parse", "HEAD")
    maker.answer("record_outcome", status="passed", summary="made", commits=[sha])
    unchecked = pushed(shop, f"HEAD:{MAIN}")
    checker.answer("start_run", loop="check", goal="check", checks_run=made)
    checker.answer(
        "record_outcome", status="passed", summary="8/8", role="checker", checks={"passed": 8}, commits=[sha]
    )
    checked = pushed(shop, f"HEAD:{MAIN}")
    work(shop, "by_hand.py")
    by_hand = pushed(shop, "HEAD:refs/heads/by-hand")

    assert (unchecked[0], "maker-is-not-checker" in unchecked[1]) == (False, True)
    assert "0 of 1 tests passed on exactly this commit" in unchecked[1]
    assert checked[0], checked[1]
    assert by_hand[0], by_hand[1]


def test_with_a_store_what_a_loop_made_is_a_loop_s_when_a_person_squashes_it(
    guarded: Path, shop: Path, serve: Callable[..., Server]
) -> None:
    maker = serve()
    maker.answer("start_run", loop="refactor", goal="fine")
    git(shop, "checkout", "--quiet", "-b", "work")
    shas = []
    for name in ("one", "two"):
        (shop / f"{name}.py").write_text(f"total_of_{name} = price_of_{name} * amount_of_{name}\n")
        commit_all(shop, name)
        shas.append(git(shop, "rev-parse", "HEAD"))
    maker.answer("record_outcome", status="passed", summary="made", commits=shas)
    git(shop, "checkout", "--quiet", "-b", "landing", "main")
    git(shop, "merge", "--quiet", "--squash", "work")
    commit_all(shop, "One and two (#12)")
    squashed = pushed(shop, f"HEAD:{MAIN}")
    work(shop, "by_hand.py", branch="hand")
    by_hand = pushed(shop, f"HEAD:{MAIN}")

    assert (squashed[0], "maker-is-not-checker" in squashed[1]) == (False, True)
    assert by_hand[0], by_hand[1]


def test_a_store_that_knows_other_repositories_alone_is_none_for_this_one(
    guarded: Path, shop: Path, tmp_path: Path, serve: Callable[..., Server]
) -> None:
    git(tmp_path, "clone", "--quiet", str(shop), "other")
    git(tmp_path / "other", "remote", "set-url", "origin", "https://github.com/acme/other.git")
    serve(cwd=tmp_path / "other").answer("start_run", loop="refactor", goal="x")
    work(shop, "src/fine.py")
    by_hand = pushed(shop, f"HEAD:{MAIN}")
    work(shop, "src/more.py", SIGNED)
    by_loop = pushed(shop, f"HEAD:{MAIN}")

    assert by_hand[0], by_hand[1]
    assert (by_loop[0], "knows no repository root:" in by_loop[1]) == (False, True)


def test_an_alias_is_no_way_past_the_trunk_and_does_not_take_it_along(guarded: Path, shop: Path) -> None:
    git(guarded, "symbolic-ref", "refs/heads/alias", MAIN)
    work(shop, "src/fine.py", SIGNED)

    assert not pushed(shop, "HEAD:refs/heads/alias")[0]
    assert not pushed(shop, ":refs/heads/alias")[0]
    assert git(guarded, "rev-parse", MAIN) == git(shop, "rev-parse", "main")


def test_rules_that_do_not_load_do_not_land_by_a_push_and_a_person_mends_them(guarded: Path, shop: Path) -> None:
    work(shop, "policies/core.yaml")
    refused = pushed(shop, f"HEAD:{MAIN}")
    (guarded / "hooks/pre-receive").rename(guarded / "hooks/away")
    pushed(shop, f"HEAD:{MAIN}")
    (guarded / "hooks/away").rename(guarded / "hooks/pre-receive")
    git(shop, "rm", "--quiet", "policies/core.yaml")
    commit_all(shop)
    mended = pushed(shop, f"HEAD:{MAIN}")

    assert (refused[0], "builtin.rules-load" in refused[1], "policies/core.yaml:1" in refused[1]) == (False, True, True)
    assert mended[0], mended[1]


def test_it_tries_the_hook_and_says_what_came_out_and_what_is_refused_for_want_of_a_store(
    hub: Path, loomstack: Run
) -> None:
    done = loomstack("gate", "--install", str(hub))

    assert done.returncode == 0, done.stderr
    assert "Tried with a push that changes nothing: taken.\n  allow by sha256:" in done.stdout
    assert "is refused: maker-is-not-checker, no-undoing-of-intentional-changes," in done.stdout
    assert "--actor '$VARIABLE'" in done.stdout


def test_it_says_when_the_hook_lets_nothing_through(hub: Path, shop: Path, loomstack: Run) -> None:
    work(shop, "policies/core.yaml")
    pushed(shop, f"HEAD:{MAIN}")
    done = loomstack("gate", "--install", str(hub))

    assert (done.returncode, "Tried with a push that changes nothing: refused, exit 2." in done.stdout) == (1, True)
    assert "policies/core.yaml:1" in done.stdout


def test_an_empty_repository_is_tried_without_a_push(tmp_path: Path, shop: Path, loomstack: Run) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "new.git")
    done = loomstack("gate", "--install", str(tmp_path / "new.git"))
    git(shop, "remote", "add", "origin", f"file://{tmp_path}/new.git")

    assert (done.returncode, "there is no commit yet: it runs" in done.stdout) == (0, True)
    assert pushed(shop, f"HEAD:{MAIN}")[0]


def test_who_pushes_is_read_from_the_server_s_variable(hub: Path, shop: Path, loomstack: Run) -> None:
    loomstack("gate", "--install", str(hub), "--actor", "$GL_USERNAME")
    work(shop, "src/fine.py")

    assert not pushed(shop, f"HEAD:{MAIN}")[0]
    assert pushed(shop, f"HEAD:{MAIN}", GL_USERNAME="dana")[0]


@pytest.mark.parametrize("actor", ["dana", "$(curl evil)", "$A; rm -rf /", '$A" --git-only "'])
def test_who_pushes_is_no_fixed_name_and_no_command(hub: Path, loomstack: Run, actor: str) -> None:
    done = loomstack("gate", "--install", str(hub), "--actor", actor)

    assert (done.returncode, "in single quotes" in done.stderr) == (64, True)
    assert not (hub / "hooks/pre-receive").exists()


def test_a_hook_of_another_stays_and_what_to_add_is_told(hub: Path, shop: Path, loomstack: Run) -> None:
    hook = hub / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\ncat > seen\n")
    hook.chmod(0o755)
    done = loomstack("gate", "--install", str(hub))
    [line] = [line for line in done.stderr.splitlines() if line.startswith("  updates=")]
    kept = hook.read_text()
    hook.write_text(f"#!/bin/sh\n{line}\nprintf '%s\\n' \"$updates\" > seen\n")
    work(shop, "src/fine.py", SIGNED)
    refused = pushed(shop, f"HEAD:{MAIN}")
    work(shop, "src/fine.py")
    taken = pushed(shop, f"HEAD:{MAIN}")

    assert (done.returncode, kept) == (1, "#!/bin/sh\ncat > seen\n")
    assert (refused[0], taken[0], MAIN in (hub / "seen").read_text()) == (False, True, True)


def test_hooks_that_are_not_this_repository_s_alone_are_left(hub: Path, tmp_path: Path, loomstack: Run) -> None:
    git(hub, "config", "core.hooksPath", str(tmp_path / "shared"))
    done = loomstack("gate", "--install", str(hub))

    assert (done.returncode, "for other repositories too" in done.stderr) == (1, True)
    assert not (tmp_path / "shared").exists()


def test_it_is_written_again_over_its_own_and_taken_out(guarded: Path, loomstack: Run) -> None:
    first = (guarded / "hooks/pre-receive").read_text()
    again = loomstack("gate", "--install", str(guarded))
    second = (guarded / "hooks/pre-receive").read_text()
    gone = loomstack("uninstall", "--yes", cwd=guarded)

    assert (again.returncode, gone.returncode, second) == (0, 0, first)
    assert not (guarded / "hooks/pre-receive").exists()


def test_a_repository_with_a_worktree_judges_what_is_pushed_to_it(shop: Path, tmp_path: Path, loomstack: Run) -> None:
    loomstack("gate", "--install", ".")
    git(tmp_path, "clone", "--quiet", str(shop), "clone")
    work(tmp_path / "clone", ".mcp.json", SIGNED)
    refused = pushed(tmp_path / "clone", "HEAD:refs/heads/work")
    gone = loomstack("uninstall", "--yes")

    assert (refused[0], "builtin.policy-guard" in refused[1]) == (False, True)
    assert (gone.returncode, (shop / ".git/hooks/pre-receive").exists()) == (0, False)


@pytest.mark.parametrize("has_store", [False, True])
def test_the_line_of_the_handbook_works_as_it_is_copied(
    hub: Path, shop: Path, tmp_path: Path, serve: Callable[..., Server], has_store: bool
) -> None:
    text = (ROOT / "loomstack_mcp/help/rules.md").read_text("utf-8")
    [line] = re.findall(r"^exec loomstack-mcp gate --pre-receive.*$", text, re.MULTILINE)
    (hub / "hooks/pre-receive").write_text(f"#!/bin/sh\n{line}\n")
    (hub / "hooks/pre-receive").chmod(0o755)
    if has_store:
        serve().answer("start_run", loop="refactor", goal="x")
    server = environment(tmp_path) | {"PATH": f"{Path(SCRIPT).parent}:{BARE['PATH']}"}
    work(shop, "src/fine.py")
    by_hand = pushed(shop, f"HEAD:{MAIN}", **server)
    work(shop, "src/loop.py", SIGNED)
    by_loop = pushed(shop, "HEAD:refs/heads/loop", **server)

    assert by_hand[0], by_hand[1]
    assert by_loop[0], by_loop[1]
