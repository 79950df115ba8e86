"""A repository as a team has it: rules, a trunk that goes on, a loop's branch to judge, refs, a file that is held."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import COMMAND, environment, git
from tests.wire import Server

HELD = "src/held.py"
BRANCH = "feature"
_POLICIES = Path(__file__).parents[2] / "policies"
_POLICY = """\
version: 1
policy: more{number}
rules:
  - id: more{number}-closed
    why: it belongs to another team
    effect: deny
    on: [land]
    where: {{paths: ["/closed{number}/**"]}}
    fix: ask that team
"""
_TRUNK, _LOOP = "Ana <ana@localhost>", "triage <triage@localhost>"
_SIGNED = "\n\nLoom-Run: run_ABCDEFGH"
_REFS = ("heads", "remotes/origin", "tags")
_KINDS = 3
"""Of changed files: a source with an import more, a test with an assertion less, a source with another name."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much there is of what git is asked about."""

    files: int
    """Changed by the branch."""
    commits: int
    """On the branch, and as many on the trunk before it began."""
    refs: int
    policies: int
    """Policy files besides those that a team begins with."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Where entry points are started: in the worktree, on the branch."""

    home: Path
    worktree: Path

    def environment(self) -> dict[str, str]:
        """What a client or a shell hands to a process here."""
        return environment(self.home)


SMALL = Size(files=3, commits=3, refs=3, policies=0)
LARGE = Size(files=60, commits=40, refs=200, policies=20)


def scene(home: Path, size: Size) -> Scene:
    """A scene in which every fact that a rule may ask differs: imports, tests, names, and a landed change undone."""
    found = Scene(home=home, worktree=home / "shop")
    found.worktree.mkdir(parents=True)
    git(found.worktree, "init", "--quiet", "--initial-branch=main")
    _rule(found.worktree, size)
    _land(found.worktree, size)
    _branch_off(found.worktree, size)
    _refer(found.worktree, size)
    _hold(found)
    return found


def _rule(worktree: Path, size: Size) -> None:
    shutil.copytree(_POLICIES, worktree / "policies", ignore=shutil.ignore_patterns("tests"))
    for number in range(size.policies):
        _write(worktree / f"policies/more{number}.yaml", _POLICY.format(number=number))


def _land(worktree: Path, size: Size) -> None:
    _write(worktree / HELD, "held = 1\n")
    for number in range(size.files):
        _write(worktree / _file(number), _text(number))
    _commit(worktree, "Rules and files", author=_TRUNK)
    for number in range(size.commits):
        _write(worktree / f"src/landed{number}.py", f"landed = {number}\n" * 5)
        _commit(worktree, f"Landed {number}", author=_TRUNK)


def _branch_off(worktree: Path, size: Size) -> None:
    git(worktree, "checkout", "--quiet", "-b", BRANCH)
    (worktree / "src/landed0.py").unlink()
    for commit in range(size.commits):
        for number in range(commit, size.files, size.commits):
            _change(worktree, number)
        _commit(worktree, f"Change {commit}{_SIGNED}", author=_LOOP)
    git(worktree, "checkout", "--quiet", "main")
    _write(worktree / "src/later.py", "later = 1\n")
    _commit(worktree, "Later", author=_TRUNK)
    git(worktree, "checkout", "--quiet", BRANCH)


def _refer(worktree: Path, size: Size) -> None:
    """Branches, remote ones and tags, a third of each."""
    for number in range(size.refs):
        git(worktree, "update-ref", f"refs/{_REFS[number % len(_REFS)]}/topic{number}", f"main~{number % size.commits}")


def _hold(found: Scene) -> None:
    """Another session's run holds a file, and goes on doing so when its server has ended."""
    variables = {**found.environment(), "CLAUDE_CODE_SESSION_ID": "s-other"}
    with Server(COMMAND, cwd=found.worktree, env=variables) as server:
        server.initialize()
        server.answer("start_run", loop="refactor", goal="split the module")
        server.answer("claim_paths", paths=[HELD], intent="split it in two")


def _file(number: int) -> str:
    return f"tests/test_part{number}.py" if number % _KINDS == 1 else f"src/part{number}.py"


def _text(number: int) -> str:
    if number % _KINDS == 1:
        return f"def test_part{number}():\n    assert part({number}) == 1\n    assert part({number}, 2) == 2\n"
    return f"import json\n\n\ndef part{number}():\n    return json.dumps({number})\n"


def _change(worktree: Path, number: int) -> None:
    path = worktree / _file(number)
    kind = number % _KINDS
    if kind == 0:
        path.write_text("import requests\n" + path.read_text())
    elif kind == 1:
        path.write_text(path.read_text().rpartition("    assert")[0])
    else:
        path.rename(path.with_name(f"renamed{number}.py"))


def _commit(worktree: Path, message: str, *, author: str) -> None:
    git(worktree, "add", "--all")
    git(worktree, "commit", "--quiet", "--no-verify", "-m", message, f"--author={author}")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
