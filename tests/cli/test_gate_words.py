"""A conflict at the gate, in the words of `conflicts`: as text, and as GitHub's annotation."""

import re
from collections.abc import Callable
from pathlib import Path

from tests.acceptance.test_conflicts import BEFORE, bea_lands, worktree
from tests.acceptance.test_conflicts import trunk as trunk
from tests.conftest import Run, commit_all
from tests.wire import Server

_AGE = re.compile(r", \d+ s ago")


def test_the_gate_and_its_annotations_say_what_conflicts_says(
    trunk: Path, serve: Callable[..., Server], loomstack: Run, tmp_path: Path
) -> None:
    bea_lands(trunk, serve)
    branch = worktree(trunk, "ana")
    (branch / "src/a.py").write_text(BEFORE)
    commit_all(branch)
    told = loomstack("conflicts", cwd=branch).stdout.splitlines()
    text = loomstack("gate", "--base", "main", cwd=branch).stdout.splitlines()
    summary = tmp_path / "summary"
    github = loomstack("gate", "--base", "main", "--github", cwd=branch, GITHUB_STEP_SUMMARY=str(summary))
    first, *rest = (_AGE.sub(", N s ago", line) for line in [*text, github.stdout])
    words = _AGE.sub(", N s ago", told[0].removeprefix("STOP  This "))

    assert words.startswith("takes back ")
    assert words.endswith(", N s ago: “Net prices”")
    assert [first, rest[0]] == [f"stop  undo  {words}", "    on purpose: prices become net"]
    assert summary.read_text().splitlines()[1:] == text[1:]
    assert (github.returncode, github.stdout.count("\n")) == (2, 1)
    assert rest[-1].startswith(f"::error file=src/a.py,title=stop%3A undo::T{words[1:]}: 1 hunk (100%25 of it) at ")
    assert ". On purpose: prices become net. Keep what " in github.stdout
