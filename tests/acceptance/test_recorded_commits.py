"""`record_outcome(commits=…)`: whose a commit is, by the word of a run and by what git knows of it."""

import json
import subprocess
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from tests.acceptance.test_conflicts import AFTER, BEFORE, trunk, worktree
from tests.acceptance.test_conflicts_hard import commit_at
from tests.conftest import commit_all, git
from tests.server.test_http import running
from tests.wire import Server

__all__ = ["trunk"]


@pytest.fixture
def bea(trunk: Path, serve: Callable[..., Server]) -> Server:
    """Bea's loop, which has landed nothing yet."""
    server = serve(cwd=worktree(trunk, "bea"))
    server.answer("start_run", loop="refactor", goal="net prices")
    server.answer("claim_paths", paths=["src/a.py"], intent="prices become net")
    return server


def landed(trunk: Path, *arguments: str) -> str:
    """Bea's change, landed; with what git is told besides."""
    branch = trunk.parent / "bea"
    (branch / "src/a.py").write_text(AFTER)
    git(branch, *arguments, "commit", "--quiet", "--all", "-m", "Net prices")
    git(trunk, "merge", "--quiet", "--ff-only", "bea")
    return git(branch, "rev-parse", "HEAD")


def undone_of(trunk: Path, serve: Callable[..., Server]) -> str:
    """Whose change an undo takes back, as another loop is told."""
    branch = worktree(trunk, "ana")
    ana = serve(cwd=branch)
    ana.answer("start_run", loop="triage", goal="green")
    (branch / "src/a.py").write_text(BEFORE)
    [conflict] = ana.answer("check_conflicts")["conflicts"]
    return str(conflict["who"].split("@")[0])


def test_a_commit_that_is_none_is_refused_by_name(bea: Server, trunk: Path) -> None:
    sha = landed(trunk)
    tree = git(trunk, "rev-parse", "HEAD^{tree}")
    refused = [
        bea.error("record_outcome", status="done", summary="net", commits=[sha, name])
        for name in ("f" * 40, "abcdef0", tree)
    ]

    assert [text.split(",")[0] for text in refused] == [
        f"invalid: commits holds {name}" for name in ("f" * 40, "abcdef0", tree)
    ]
    assert all(text.endswith("nothing was recorded") for text in refused)
    assert bea.answer("record_outcome", status="passed", summary="net")["attempt"] == 1


def test_digits_that_fit_several_commits_are_refused(bea: Server, trunk: Path) -> None:
    many = 27_000  # as many as it takes until two of them begin alike
    commits = "".join(
        f"commit refs/heads/many\nmark :{number}\ncommitter x <x@x> {number + 1_000_000} +0000\ndata 0\n"
        for number in range(1, many)
    )
    subprocess.run(["git", "fast-import", "--quiet"], cwd=trunk, input=commits.encode(), check=True)
    shas = sorted(git(trunk, "rev-list", "many").split())
    twice = next(one[:7] for one, other in pairwise(shas) if one[:7] == other[:7])

    assert f"commits holds {twice}, which fits several commits" in bea.error(
        "record_outcome", status="passed", summary="net", commits=[twice]
    )


@pytest.mark.parametrize("digits", [7, 12, 40])
def test_a_commit_is_bound_however_short_it_is_named(
    bea: Server, trunk: Path, serve: Callable[..., Server], digits: int
) -> None:
    sha = landed(trunk)
    answered = bea.answer("record_outcome", status="done", summary="net", commits=[sha[:digits]])

    assert "warnings" not in answered
    assert undone_of(trunk, serve) == "refactor"


def test_what_is_older_than_the_run_is_kept_unbound_and_said(trunk: Path, serve: Callable[..., Server]) -> None:
    branch = worktree(trunk, "bea")
    (branch / "src/a.py").write_text(AFTER)
    git(branch, "add", "--all")
    commit_at(branch, "2026-11-20T00:00:00Z")
    git(trunk, "merge", "--quiet", "--ff-only", "bea")
    sha = git(trunk, "rev-parse", "HEAD")
    bea = serve(cwd=branch)
    run_id = bea.answer("start_run", loop="refactor", goal="mine")["run"]
    answered = bea.answer("record_outcome", status="passed", summary="mine", commits=[sha])

    assert answered["warnings"] == [f"{sha[:12]} is older than the run: kept, but not bound to {run_id}"]
    assert bea.answer("read_shared_context")["changes"][0]["commits"] == [sha[:12]]
    assert undone_of(trunk, serve) == "Cy"


@pytest.mark.parametrize(("committer", "is_bound"), [("Bea", True), ("Dan", False)])
def test_what_another_committed_is_kept_unbound_where_git_knows_the_user(
    bea: Server, trunk: Path, serve: Callable[..., Server], committer: str, is_bound: bool
) -> None:
    git(trunk, "config", "user.name", "Bea")
    git(trunk, "config", "user.email", "bea@shop")
    sha = landed(trunk, "-c", f"user.name={committer}", "-c", f"user.email={committer.lower()}@shop")
    answered = bea.answer("record_outcome", status="done", summary="net", commits=[sha])

    assert ["was committed by Dan" in text for text in answered.get("warnings", [])] == [True] * (not is_bound)
    assert undone_of(trunk, serve) == ("refactor" if is_bound else "Dan")


@pytest.mark.parametrize(
    ("name", "address", "user"),
    [
        ("Beatrix", "old@mill", "bea@shop"),
        ("Beatrix", "12345+bea@users.noreply.github.com", "bea@users.noreply.github.com"),
    ],
)
def test_a_person_under_another_name_is_that_person(
    bea: Server, trunk: Path, serve: Callable[..., Server], name: str, address: str, user: str
) -> None:
    (trunk / ".mailmap").write_text("Bea <bea@shop> <old@mill>\n")
    commit_all(trunk, "Who is who")
    git(trunk.parent / "bea", "merge", "--quiet", "--ff-only", "main")
    git(trunk, "config", "user.name", "Bea")
    git(trunk, "config", "user.email", user)
    sha = landed(trunk, "-c", f"user.name={name}", "-c", f"user.email={address}")
    answered = bea.answer("record_outcome", status="done", summary="net", commits=[sha])

    assert "warnings" not in answered
    assert undone_of(trunk, serve) == "refactor"


def test_a_commit_of_another_loop_stays_that_loop_s(bea: Server, trunk: Path, serve: Callable[..., Server]) -> None:
    branch = worktree(trunk, "ana")
    ana = serve(cwd=branch)
    ana.answer("start_run", loop="triage", goal="green")
    sha = landed(trunk)
    bea.answer("record_outcome", status="done", summary="net", commits=[sha])
    answered = ana.answer("record_outcome", status="passed", summary="mine", commits=[sha])
    git(branch, "merge", "--quiet", "--ff-only", "main")
    (branch / "src/a.py").write_text(BEFORE)

    assert "(refactor@" in answered["warnings"][0]
    assert ana.answer("check_conflicts")["verdict"] == "stop"


def test_who_checks_names_the_maker_s_commits(bea: Server, trunk: Path, serve: Callable[..., Server]) -> None:
    git(trunk, "config", "user.name", "Dan")
    git(trunk, "config", "user.email", "dan@shop")
    bea.answer("release_paths")
    run_id = bea.answer("start_run", loop="refactor", goal="net prices")["run"]
    bea.answer("claim_paths", paths=["src/a.py"], intent="prices become net")
    sha = landed(trunk, "-c", "user.name=Bea", "-c", "user.email=bea@shop")
    checker = serve(cwd=trunk)
    checker.answer("start_run", loop="check", goal="check", checks_run=run_id)
    found = checker.answer("record_outcome", status="passed", summary="8/8", role="reviewer", commits=[sha])

    assert [text.partition(":")[0] for text in found["warnings"]] == ["no evidence"]
    assert undone_of(trunk, serve) == "refactor"


def test_what_was_made_during_a_check_is_no_evidence_until_a_maker_has_recorded_it(
    bea: Server, trunk: Path, serve: Callable[..., Server]
) -> None:
    run_id = bea.answer("start_run", loop="refactor", goal="net prices")["run"]
    checker = serve(cwd=trunk)
    checker.answer("start_run", loop="check", goal="check", checks_run=run_id)
    branch = trunk.parent / "bea"
    (branch / "src/a.py").write_text(AFTER)
    git(branch, "add", "--all")
    commit_at(branch, f"@{round(time.time()) + 60} +0000")
    sha = git(branch, "rev-parse", "HEAD")
    said = {"status": "passed", "summary": "8/8", "role": "checker", "checks": {"passed": 8}, "commits": [sha]}
    early = checker.answer("record_outcome", **said)
    bea.answer("record_outcome", status="passed", summary="net", commits=[sha])
    late = checker.answer("record_outcome", **said)

    [content] = bea.request("resources/read", {"uri": f"loom://runs/{run_id}"})["result"]["contents"]
    recorded = json.loads(content["text"])["outcomes"]

    assert early["warnings"] == [
        f"{sha[:12]} was made after this check began, and no maker recorded it (its maker does, then check again): "
        "not kept, no evidence"
    ]
    assert "warnings" not in late
    assert [early["next"]["action"], late["next"]["action"]] == ["check", "land"]
    assert [one.get("commits") for one in recorded] == [None, [sha], [sha]]


@pytest.mark.parametrize("digits", [12, 40])
def test_what_is_recorded_where_no_worktree_is_seen_is_bound_when_the_commit_is(
    trunk: Path, tmp_path: Path, serve: Callable[..., Server], digits: int
) -> None:
    git(trunk, "remote", "add", "origin", "https://github.com/acme/shop.git")
    worktree(trunk, "bea")
    with running(tmp_path, tmp_path) as bea:
        started = bea.call("start_run", loop="refactor", goal="net", repo="github.com/acme/shop")
        run_id = started["structuredContent"]["run"]
        bea.call("claim_paths", run=run_id, paths=["src/a.py"], intent="prices become net")
        sha = landed(trunk)
        done = bea.call("record_outcome", run=run_id, status="done", summary="net", commits=[sha[:digits]])

    assert "warnings" not in done["structuredContent"]
    assert undone_of(trunk, serve) == "refactor"


def test_a_role_that_is_none_is_refused(bea: Server) -> None:
    assert "maker" in bea.error("record_outcome", status="passed", summary="x", role="boss")


def test_a_commit_with_the_trailer_of_another_run_is_that_run_s(trunk: Path, serve: Callable[..., Server]) -> None:
    mine, other = serve(cwd=worktree(trunk, "bea"), CLAUDE_CODE_SESSION_ID="s-1"), serve(cwd=worktree(trunk, "ana"))
    maker = mine.answer("start_run", loop="refactor", goal="net prices")["run"]
    poser = other.answer("start_run", loop="triage", goal="green")["run"]
    (trunk.parent / "bea/src/a.py").write_text(AFTER)
    git(trunk.parent / "bea", "commit", "--quiet", "--all", "-m", f"Net prices\n\nLoom-Run: {maker}")
    sha = git(trunk.parent / "bea", "rev-parse", "HEAD")
    posed = other.answer("record_outcome", status="passed", summary="mine", commits=[sha])

    assert posed["warnings"] == [f"{sha[:12]} carries the trailer of {maker}: kept, but not bound to {poser}"]
    assert "warnings" not in mine.answer("record_outcome", status="passed", summary="net", commits=[sha])
