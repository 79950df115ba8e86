"""Which commits there are, when they landed, who made them."""

import subprocess
from pathlib import Path

import pytest

from loomstack_mcp.adapters.git.history import author_here, base_of, commits, landed, made_since
from loomstack_mcp.core.errors import Invalid, NotFound
from loomstack_mcp.edge.filling import fill_ledger
from loomstack_mcp.loom import Loom
from tests.conftest import commit_all, git
from tests.deltas import opened_repository
from tests.factories import SHOP


def stream(folder: Path, *made: tuple[int, str, tuple[int, ...]]) -> list[str]:
    """Commits of these seconds, messages and parents, numbered from 1; the last one is on `main`."""
    text = ""
    for mark, (at_s, message, parents) in enumerate(made, start=1):
        who = f"ana <ana@shop> {at_s} +0000"
        links = "".join(f"{'merge' if number else 'from'} :{one}\n" for number, one in enumerate(parents))
        data = f"data {len(message.encode())}\n{message}\n"
        text += f"commit refs/heads/made{mark}\nmark :{mark}\nauthor {who}\ncommitter {who}\n{data}{links}\n"
    text += f"reset refs/heads/main\nfrom :{len(made)}\n\n"
    git(folder, "init", "--quiet", "--initial-branch=main")
    asked = ["git", "fast-import", "--quiet", "--export-marks=marks"]
    subprocess.run(asked, cwd=folder, input=text.encode(), check=True)
    marks = dict(line.split() for line in (folder / "marks").read_text().splitlines())
    return [marks[f":{mark}"] for mark in range(1, len(made) + 1)]


def test_what_a_merge_brought_landed_with_it_and_no_clock_goes_back(tmp_path: Path) -> None:
    one, two, side, merge, late = stream(
        tmp_path, (100, "1", ()), (50, "2", (1,)), (70, "side", (1,)), (200, "merge", (2, 3)), (150, "late", (4,))
    )
    with opened_repository(tmp_path) as repo:
        whole = landed(repo, "main", since_ms=0)
        recent = landed(repo, "main", since_ms=150_000)

    assert {change.sha: change.at_ms for change in whole} == {
        one: 100_000, two: 100_000, side: 200_000, merge: 200_000, late: 200_000
    }  # fmt: skip
    assert {change.sha for change in recent} == {side, merge, late}
    assert whole[-1].parents == (merge,)


def test_commits_before_a_time_are_left_out_one_by_one(tmp_path: Path) -> None:
    one, wrong, last = stream(tmp_path, (100, "1", ()), (5, "a wrong clock", (1,)), (200, "last", (2,)))
    with opened_repository(tmp_path) as repo:
        recent = [change.sha for change in commits(repo, "main", since_ms=50_000)]
        newest = [change.sha for change in commits(repo, "main", last=2)]

    assert (recent, newest) == ([one, last], [wrong, last])


def test_a_store_holds_the_time_of_any_commit(tmp_path: Path, loom: Loom) -> None:
    shas = stream(tmp_path, (2**63 - 1, "Much later", ()))
    with opened_repository(tmp_path) as repo:
        history = landed(repo, "main", since_ms=0)

    assert [change.sha for change in history] == shas
    assert fill_ledger(loom.ledger, SHOP, history, since_ms=0, read=lambda _: iter(history)) == 1


def test_those_who_made_it_signed_it(tmp_path: Path) -> None:
    text = "Two\n\nSome\x01thing\n\nLoom-Run: run_A\nLoom-Run: run_B\nSigned-off-by: x\n"
    _, two, three = stream(tmp_path, (1, "One", ()), (2, text, (1,)), (3, "", (2,)))
    with opened_repository(tmp_path) as repo:
        found = made_since(repo, "main~2", "main")
        whole = made_since(repo, "", "main")

    assert [(one.sha, one.author, one.address, one.runs) for one in found] == [
        (three, "ana", "ana@shop", ""),
        (two, "ana", "ana@shop", "run_A,run_B"),
    ]
    assert [one.message for one in whole] == ["", text.strip("\n"), "One"]


def test_a_name_is_what_a_mailmap_makes_of_it_here_as_in_history(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "a n a")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "old@shop")
    (shop / ".mailmap").write_text("Ana <ana@shop> <old@shop>\n")
    git(shop, "add", ".mailmap")
    subprocess.run(
        ["git", "-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", "Mapped"], cwd=shop, check=True
    )
    with opened_repository(shop) as repo:
        made, _ = made_since(repo, "", "main")
        here = author_here(repo)

    assert here == ("Ana", "ana@shop") == (made.author, made.address)


def test_what_has_no_common_ground_has_no_base(shop: Path) -> None:
    git(shop, "checkout", "--quiet", "--orphan", "apart")
    commit_all(shop, "Apart")
    with opened_repository(shop) as repo:
        with pytest.raises(NotFound, match="share no commit"):
            base_of(repo, "main")
        with pytest.raises(NotFound, match="no commit here"):
            base_of(repo, "--all")
        assert base_of(repo, "main", head="main~0") == git(shop, "rev-parse", "main")


def test_a_history_that_cannot_be_followed_says_so(shop: Path) -> None:
    first = git(shop, "rev-parse", "HEAD")
    commit_all(shop)
    (shop / ".git/objects" / first[:2] / first[2:]).unlink()
    with opened_repository(shop) as repo:
        with pytest.raises(Invalid, match="cannot follow the history"):
            landed(repo, "main", since_ms=0)
        with pytest.raises(Invalid, match="cannot tell who made"):
            made_since(repo, "", "main")
