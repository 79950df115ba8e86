"""What decides is the target's, as it was: nothing that a branch, a clone or a person brings makes an undo clear."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.test_conflicts import AFTER, BEFORE, conflicts, worktree
from tests.conftest import Run, commit_all, git
from tests.processes import SCRIPT, run

pytestmark = pytest.mark.sqlite("about git, whatever the store is")

CONFIG = ".loomstack/config.yaml"
ATTRIBUTES = (
    "*.py -diff",
    "*.py binary",
    "* linguist-generated",
    "*.py -text -diff",
    "*.py diff=odd",
    "[attr]x -diff\n*.py x",
)
SETTINGS = ('generated: ["**"]\n', "generated: src/a.py\n")
FILES = [
    *((".gitattributes", line) for line in ATTRIBUTES),
    ("src/.gitattributes", "a.py binary"),
    *((CONFIG, text) for text in SETTINGS),
    (".mailmap", "Bea <bea@shop> <cleo@shop>"),
    *((".git-blame-ignore-revs", text) for text in ("{undone}",)),
]


@pytest.fixture
def landed(shop: Path) -> Path:
    """A trunk on which Bea changed a line that was there before."""
    (shop / "src/a.py").write_text(BEFORE)
    commit_all(shop, "Prices")
    return land(shop, AFTER, "bea")


def land(folder: Path, text: str, who: str) -> Path:
    (folder / "src/a.py").write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--author", f"{who} <{who}@shop>", "-m", f"Prices of {who}")
    return folder


def undoing(landed: Path, name: str, text: str, *, committed: bool) -> Path:
    """A branch that takes Bea's line back, and brings a file that would hide it."""
    branch = worktree(landed, "cleo")
    (branch / name).parent.mkdir(exist_ok=True)
    (branch / name).write_text(text.replace("{undone}", git(landed, "rev-parse", "main")) + "\n")
    git(branch, "config", "user.name", "cleo")
    git(branch, "config", "user.email", "cleo@shop")
    if committed:
        return land(branch, BEFORE, "cleo")
    (branch / "src/a.py").write_text(BEFORE)
    return branch


def kinds(folder: Path, home: Path, *options: str) -> list[str]:
    return [one["kind"] for one in conflicts(folder, home, *options)[1]["conflicts"]]


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize(("name", "text"), FILES)
def test_a_branch_brings_nothing_that_hides_what_it_undoes(
    landed: Path, tmp_path: Path, name: str, text: str, committed: bool
) -> None:
    branch = undoing(landed, name, text, committed=committed)

    assert kinds(branch, tmp_path) == ["undo"]


@pytest.mark.parametrize(("name", "text"), FILES)
def test_nor_does_a_target_that_somebody_chose(landed: Path, tmp_path: Path, name: str, text: str) -> None:
    branch = undoing(landed, name, text, committed=False)
    (branch / "src/a.py").write_text(AFTER)
    land(branch, AFTER, "cleo")
    git(branch, "checkout", "--quiet", "-b", "above")
    (branch / "src/a.py").write_text(BEFORE)

    assert kinds(branch, tmp_path, "--base", "cleo") == ["undo"]


@pytest.mark.parametrize("line", ATTRIBUTES)
def test_nor_does_a_clone_or_a_person(landed: Path, tmp_path: Path, line: str) -> None:
    branch = undoing(landed, "more", "more", committed=True)
    (landed / ".git/info/attributes").write_text(f"{line}\n")
    of_the_clone = kinds(branch, tmp_path)
    (landed / ".git/info/attributes").unlink()
    (tmp_path / "mine").write_text(f"{line}\n")
    (tmp_path / ".gitconfig").write_text(
        f"[core]\n\tattributesFile = {tmp_path}/mine\n[mailmap]\n\tfile = {tmp_path}/map\n"
    )
    (tmp_path / "map").write_text("Bea <bea@shop> <cleo@shop>\n")

    assert of_the_clone == kinds(branch, tmp_path) == ["undo"]


@pytest.mark.parametrize(("name", "text"), FILES)
def test_what_is_kept_of_the_trunk_s_history_is_not_what_a_branch_makes_of_it(
    landed: Path, tmp_path: Path, name: str, text: str
) -> None:
    """The first to look fills the ledger for all that look after it."""
    branch = undoing(landed, name, text, committed=True)
    (branch / "src/a.py").write_text(AFTER)
    kinds(branch, tmp_path)
    other = worktree(landed, "dora")
    (other / "src/a.py").write_text(BEFORE)

    assert kinds(other, tmp_path) == ["undo"]


def test_a_target_that_has_the_change_already_is_never_clear(landed: Path, tmp_path: Path) -> None:
    branch = undoing(landed, "more", "more", committed=True)
    found = [conflicts(branch, tmp_path, "--base", base)[1] for base in ("cleo", "HEAD", "main")]

    assert [one["verdict"] for one in found] == ["warn", "warn", "warn"]
    assert ["has all commits of this branch already" in str(one["unchecked"]) for one in found] == [True, True, False]


def test_a_local_branch_that_was_left_behind_is_no_trunk(landed: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", str(landed), "clone")
    clone = tmp_path / "clone"
    git(clone, "checkout", "--quiet", "-b", "work", "main~")
    git(clone, "branch", "--quiet", "--force", "main", "main~")
    (clone / "src/b.py").write_text("mine\n")
    behind, trunk = (conflicts(clone, tmp_path, *options)[1] for options in (["--base", "main"], []))

    assert (behind["verdict"], trunk["verdict"]) == ("warn", "clear")
    assert behind["unchecked"][0].startswith("main is not origin/main, where changes land")


def test_what_the_trunk_calls_generated_is(landed: Path, tmp_path: Path) -> None:
    by_attributes = worktree(landed, "one")
    (by_attributes / "src/a.py").write_text(BEFORE)
    (landed / "src/.gitattributes").write_text("a.py linguist-generated\n")
    commit_all(landed, "Generated")
    found = kinds(by_attributes, tmp_path)
    git(landed, "rm", "--quiet", "src/.gitattributes")
    (landed / ".loomstack").mkdir()
    (landed / CONFIG).write_text("generated: [src/a.py]\n")
    commit_all(landed, "By a setting")

    assert (found, kinds(by_attributes, tmp_path)) == ([], [])


@pytest.mark.parametrize(("name", "text"), FILES[:-2])
def test_a_gate_and_an_audit_are_not_deceived(landed: Path, loomstack: Run, name: str, text: str) -> None:
    branch = undoing(landed, name, text, committed=True)
    loomstack("conflicts", cwd=landed)
    gate = loomstack("gate", "--base", "main", "--head", "cleo", "--json", cwd=branch)
    audit = loomstack("audit", "--json", cwd=branch)

    assert [one["kind"] for one in json.loads(gate.stdout)["conflicts"]] == ["undo"]
    assert [one["verdict"] for one in json.loads(audit.stdout)["reversals"]] == ["warn"]


@pytest.fixture
def ci(tmp_path: Path, landed: Path) -> Callable[[str], Path]:
    """A clone as a CI makes it: of a pull request, and of one branch of the remote by its name."""

    def made(trunk: str) -> Path:
        undoing(landed, CONFIG, 'generated: ["**"]\nrepo: mine\n', committed=True)
        git(landed, "branch", "--quiet", "--move", "main", trunk)
        folder = tmp_path / "ci"
        git(tmp_path, "init", "--quiet", "ci")
        git(folder, "remote", "add", "origin", str(landed))
        refs = (f"+refs/heads/{trunk}:refs/remotes/origin/{trunk}", "+refs/heads/cleo:refs/remotes/pull/1/head")
        git(folder, "fetch", "--quiet", "origin", *refs)
        git(folder, "checkout", "--quiet", "--detach", "refs/remotes/pull/1/head")
        return folder

    return made


def test_in_a_clone_of_a_pull_request_the_trunk_is_asked_for(ci: Callable[[str], Path], loomstack: Run) -> None:
    folder = ci("mainline")
    asked = [loomstack(*line, cwd=folder) for line in (["conflicts"], ["gate", "--deploy", "production"])]
    named = loomstack("conflicts", "--base", "origin/mainline", "--json", cwd=folder)
    config = json.loads(loomstack("config", "--json", cwd=folder).stdout)

    assert [(one.returncode, "no trunk can be told" in one.stderr) for one in asked] == [(1, True)] * 2
    assert [one["kind"] for one in json.loads(named.stdout)["conflicts"]] == ["undo"]
    assert {one["setting"]: one["value"] for one in config}["repo"] == ""


def test_what_the_question_names_answers_it(ci: Callable[[str], Path], tmp_path: Path, loomstack: Run) -> None:
    folder = ci("mainline")
    asked = loomstack("conflicts", cwd=folder).stderr
    [commands] = re.findall(r"\((git fetch [^)]*)\)", asked)
    for command in commands.replace("BRANCH", "mainline").split("; "):
        git(folder, *command.split()[1:])

    assert kinds(folder, tmp_path) == ["undo"]


@pytest.mark.parametrize("trunk", ["main", "develop"])
def test_in_one_that_has_a_usual_name_it_is_told(ci: Callable[[str], Path], tmp_path: Path, trunk: str) -> None:
    assert kinds(ci(trunk), tmp_path) == ["undo"]


def test_settings_of_the_trunk_that_do_not_load_are_said_to_be_there(landed: Path, loomstack: Run) -> None:
    (landed / ".loomstack").mkdir()
    (landed / CONFIG).write_text("generated: [\n")
    commit_all(landed, "Broken")
    done = loomstack("runs", cwd=worktree(landed, "work"))

    assert done.returncode == 1
    assert f"{CONFIG}:1 is not valid YAML" in done.stderr
    assert "so it is on the trunk" in done.stderr


def test_a_brand_new_repository_is_of_use(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "LOOMSTACK_HOME": str(tmp_path / "home")}
    (tmp_path / "new").mkdir()
    git(tmp_path / "new", "init", "--quiet", "--initial-branch=dev")
    statuses = [run([SCRIPT, *line], cwd=tmp_path / "new", env=env).returncode for line in (["runs"], ["config"])]
    commit_all(tmp_path / "new")

    assert statuses == [0, 0]
    assert run([SCRIPT, "conflicts"], cwd=tmp_path / "new", env=env).returncode == 0


@pytest.fixture
def clone(landed: Path, tmp_path: Path) -> Path:
    """Cleo's clone, with the trunk checked out."""
    git(tmp_path, "clone", "--quiet", str(landed), "clone")
    git(tmp_path / "clone", "config", "user.name", "cleo")
    git(tmp_path / "clone", "config", "user.email", "cleo@shop")
    return tmp_path / "clone"


@pytest.mark.parametrize(("name", "text"), [("more", "more"), *FILES])
def test_what_is_committed_on_the_trunk_is_judged_until_it_is_pushed(
    clone: Path, tmp_path: Path, name: str, text: str
) -> None:
    (clone / name).parent.mkdir(exist_ok=True)
    (clone / name).write_text(text.replace("{undone}", git(clone, "rev-parse", "main")) + "\n")
    land(clone, BEFORE, "cleo")
    ahead = kinds(clone, tmp_path)
    git(clone, "push", "--quiet", "origin", "main:elsewhere")
    land(clone, AFTER, "cleo")

    assert (ahead, kinds(clone, tmp_path)) == (["undo"], [])


def test_so_is_what_files_take_back_of_what_was_not_pushed(clone: Path, tmp_path: Path) -> None:
    (clone / "src/b.py").write_text(BEFORE)
    land(clone, AFTER, "dora")
    (clone / "src/b.py").write_text(AFTER)
    land(clone, AFTER, "dora")
    (clone / "src/b.py").write_text(BEFORE)

    assert kinds(clone, tmp_path) == ["undo"]


def test_a_branch_that_is_merged_but_not_pushed_is_never_clear(clone: Path, tmp_path: Path) -> None:
    git(clone, "checkout", "--quiet", "-b", "work")
    land(clone, BEFORE, "cleo")
    git(clone, "branch", "--quiet", "--force", "main")
    found = conflicts(clone, tmp_path)[1]

    assert (found["verdict"], found["unchecked"]) == (
        "warn",
        ["main has all commits of this branch: what they take back of origin/main was not looked at"],
    )


def test_a_fork_names_what_only_upstream_has(landed: Path, clone: Path, tmp_path: Path) -> None:
    git(clone, "remote", "add", "upstream", str(landed))
    land(landed, AFTER + "more\n", "bea")
    git(clone, "fetch", "--quiet", "upstream")
    git(clone, "checkout", "--quiet", "-b", "work", "--no-track", "upstream/main")
    git(clone, "push", "--quiet", "--set-upstream", "origin", "work")
    found = conflicts(clone, tmp_path)[1]
    git(clone, "branch", "--quiet", "--set-upstream-to", "upstream/main")

    assert found["unchecked"] == [
        "upstream/main has commits that main has not: not looked at; base=upstream/main does",
    ]
    assert conflicts(clone, tmp_path)[1]["verdict"] == "clear"


def test_a_branch_in_the_place_of_the_trunk_is_never_clear(landed: Path, tmp_path: Path) -> None:
    """As a CI checks out the head of a pull request whose branch is called main."""
    git(tmp_path, "init", "--quiet", "ci")
    git(tmp_path / "ci", "remote", "add", "origin", str(landed))
    git(tmp_path / "ci", "fetch", "--quiet", str(landed), "main")
    git(tmp_path / "ci", "checkout", "--quiet", "-B", "main", "FETCH_HEAD")
    found = conflicts(tmp_path / "ci", tmp_path)[1]

    assert (found["verdict"], found["unchecked"]) == (
        "warn",
        ["main is checked out, and no remote's is here: what its own commits take back was not looked at"],
    )
