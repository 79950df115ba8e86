"""`gate` for other programs, with names and rules that are made to break what reads them."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.test_cli import on_terminal
from tests.conftest import Run, commit_all, environment, git
from tests.processes import MODULE, SCRIPT, run

HOSTILE = "src/a\n::error::x%,:\x1b[31m\udcff.py"
RULES = r"""version: 1
policy: core
rules:
  - id: core-closed
    why: "core \e[2J belongs\u202e 50%"
    effect: deny
    on: [land, push]
    where: {paths: ["/src/**"]}
    fix: "one\ntwo"
"""


@pytest.fixture
def ruled(shop: Path) -> Path:
    (shop / "policies").mkdir()
    (shop / "policies/o\x1b[2Jther.yaml").write_text(RULES)
    commit_all(shop, "Rules")
    git(shop, "checkout", "--quiet", "-b", "feature")
    (shop / HOSTILE).write_text("x\n")
    commit_all(shop, "Core")
    return shop


def judged(shop: Path, home: Path, *options: str, stdin: bytes = b"", **env: str) -> subprocess.CompletedProcess[bytes]:
    done: subprocess.CompletedProcess[bytes] = run(
        [*MODULE, "gate", *options], cwd=shop, env=environment(home, **env), given=stdin, text=False
    )
    return done


@pytest.mark.parametrize("options", [(), ("--git-only",)])
def test_a_person_reads_it_without_harm(ruled: Path, tmp_path: Path, options: tuple[str, ...]) -> None:
    status, shown = on_terminal(
        [SCRIPT, "gate", "--base", "main", *options], cwd=ruled, env=environment(tmp_path, NO_COLOR="1", TERM="dumb")
    )

    assert status == 2
    assert r"- path src/a ::error::x%,: [31m\xff.py matches /src/**" in shown
    assert "core  [2J belongs  50%" in shown
    assert "policies/o [2Jther.yaml:4" in shown
    assert "\x1b[2J" not in shown


def test_a_path_of_any_bytes_is_judged_where_there_is_a_store(ruled: Path, tmp_path: Path, loomstack: Run) -> None:
    loomstack("runs")
    done = judged(ruled, tmp_path, "--base", "main", "--json")

    assert (tmp_path / "loomstack/loom.db").exists()
    assert done.returncode == 2, done.stderr
    assert json.loads(done.stdout)["reasons"][0]["matched"] == [
        "path src/a\n::error::x%,:\x1b[31m\\xff.py matches /src/**"
    ]


def test_github_gets_a_line_for_each_violation_and_a_plain_summary(ruled: Path, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    done = judged(ruled, tmp_path, "--base", "main", "--github", GITHUB_STEP_SUMMARY=str(summary))

    assert done.stdout.count(b"\n") == 1
    assert done.stdout.startswith(rb"::error file=src/a%0A%3A%3Aerror%3A%3Ax%25%2C%3A")
    assert "\x1b" not in summary.read_text()
    assert summary.read_text().endswith("…\n")


def test_a_summary_that_cannot_be_written_is_said_in_a_line(ruled: Path, tmp_path: Path) -> None:
    done = judged(ruled, tmp_path, "--base", "main", "--github", GITHUB_STEP_SUMMARY=str(tmp_path / "no/summary"))

    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
    assert b"no/summary" in done.stderr


@pytest.mark.parametrize("form", ["--json", "--sarif"])
def test_a_push_is_a_document_on_a_line_for_each_ref(ruled: Path, tmp_path: Path, form: str) -> None:
    old, new = git(ruled, "rev-parse", "main"), git(ruled, "rev-parse", "feature")
    git(ruled, "checkout", "--quiet", "main")
    updates = "".join(f"{old} {new} refs/heads/{name}\n" for name in ("a", "b", "caf\udce9"))
    done = judged(ruled, tmp_path, "--pre-receive", form, stdin=updates.encode("utf-8", "surrogateescape"))

    assert done.returncode == 2, done.stderr
    assert len([json.loads(line) for line in done.stdout.splitlines()]) == 3


_ID = "1" * 40
_UPDATE = f"{_ID} {_ID} refs/heads/main"


@pytest.mark.parametrize(
    "given",
    ["", "\n", f"{_UPDATE}\n\n", f"\n{_UPDATE}\n", f"{_UPDATE}\r\n", f"{_UPDATE}\0\n", f"{_ID} {_ID} HEAD\n",
     f"{_ID} {_UPDATE}\n", f"{_ID}1 {_UPDATE}\n", f"{'A' * 40} {_ID} refs/heads/main\n", "refs/heads/main\n"],
)  # fmt: skip
def test_what_is_no_push_is_refused_and_what_a_hook_is_given_is_told(ruled: Path, tmp_path: Path, given: str) -> None:
    done = judged(ruled, tmp_path, "--pre-receive", "--json", stdin=given.encode())

    assert (done.returncode, done.stdout) == (64, b"")
    assert b"a line `OLD NEW REF` for each ref" in done.stderr


def test_a_push_to_a_namespace_is_refused_for_its_trunk_is_another(ruled: Path, tmp_path: Path) -> None:
    git(ruled, "checkout", "--quiet", "main")
    old = git(ruled, "rev-parse", "main")
    update = f"{old} {old} refs/heads/main\n".encode()
    done = judged(ruled, tmp_path, "--pre-receive", stdin=update, GIT_NAMESPACE="shop")

    assert judged(ruled, tmp_path, "--pre-receive", stdin=update).returncode == 0
    assert (done.returncode, b"namespace shop" in done.stderr) == (1, True)
