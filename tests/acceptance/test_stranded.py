"""Finished work that never reached the trunk: told to its loop once, and never from ignorance."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.test_landed_meanwhile import FIX, OTHER, add, branch, land, squash, trunk
from tests.conftest import Run, commit_all, git
from tests.wire import Server

__all__ = ["branch", "trunk"]

MORE = OTHER.replace("discount", "rebate").replace("years", "orders")


@pytest.fixture
def days_later(change_store: Callable[..., None]) -> Callable[[float], None]:
    """What runs did, and what the ledger has of the trunk, is some days old by now."""

    def pass_days(days: float) -> None:
        age_ms = int(days * 86_400_000)
        change_store("UPDATE run SET started_at_ms = started_at_ms - ?, ended_at_ms = ended_at_ms - ?", age_ms, age_ms)
        change_store("UPDATE landed SET at_ms = at_ms - ?", age_ms)

    return pass_days


def finished(server: Server, *commits: str, status: str = "done", loop: str = "triage") -> str:
    """A run of a loop, from its start to its end."""
    run = server.answer("start_run", loop=loop, goal="round to cents")["run"]
    server.answer("record_outcome", status=status, summary="rounded", commits=list(commits))
    return str(run)


def heard(server: Server, *, loop: str = "triage") -> list[tuple[str, str]]:
    """Of what the next run of a loop hears when it starts."""
    found = server.answer("start_run", loop=loop, goal="the next thing")
    server.answer("record_outcome", status="abandoned", summary="nothing to do")
    return [(one["about"], one["text"]) for one in found.get("alerts", ()) if one["kind"] == "stranded"]


def shown(loomstack: Run) -> dict[str, str]:
    """What `runs` says is stranded, by run."""
    found = json.loads(loomstack("runs", "--json").stdout)
    return {one["run"]: one["stranded"] for one in found if one["stranded"]}


def noticed(trunk: Path, server: Server) -> None:
    """The trunk goes on, and the ledger hears of it."""
    land(trunk, "the_shop_opens_at_nine = True\n", "Opening hours", path="src/b.py")
    server.answer("start_run", loop="other", goal="look")
    server.answer("check_conflicts")
    server.answer("record_outcome", status="abandoned", summary="looked")


def test_the_next_run_of_the_loop_hears_of_it_once(
    trunk: Path, branch: Path, serve: Callable[..., Server], days_later: Callable[[float], None], loomstack: Run
) -> None:
    server = serve(cwd=branch)
    one, two = add(branch, FIX, "Fix rounding"), add(branch, OTHER, "Discounts")
    run = finished(server, one, two)
    days_later(3)
    noticed(trunk, server)

    told = heard(server)

    words = f"2 commits not on the trunk ({one[:10]}, {two[:10]}), 3 d after your run ended: round to cents"
    assert told == [(run, words)]
    assert heard(server) == []
    assert shown(loomstack) == {run: "2 commits not on the trunk"}
    assert "2 commits not on the trunk" in loomstack("runs").stdout


def test_a_run_that_goes_on_hears_of_it_when_it_reads(
    trunk: Path, branch: Path, serve: Callable[..., Server], days_later: Callable[[float], None]
) -> None:
    server = serve(cwd=branch)
    run = finished(server, add(branch, FIX, "Fix rounding"))
    server.answer("start_run", loop="triage", goal="goes on for days")
    days_later(3)
    land(trunk, "the_shop_opens_at_nine = True\n", "Opening hours", path="src/b.py")
    server.answer("check_conflicts")

    assert [one["about"] for one in server.answer("read_shared_context")["alerts"]] == [run]


def test_no_other_loop_hears_of_it(
    trunk: Path, branch: Path, serve: Callable[..., Server], days_later: Callable[[float], None]
) -> None:
    server = serve(cwd=branch)
    finished(server, add(branch, FIX, "Fix rounding"))
    days_later(3)
    noticed(trunk, server)

    assert heard(server, loop="refactor") == []
    assert len(heard(server)) == 1


def test_a_pull_request_may_wait_for_a_day(
    trunk: Path, branch: Path, serve: Callable[..., Server], days_later: Callable[[float], None], loomstack: Run
) -> None:
    server = serve(cwd=branch)
    finished(server, add(branch, FIX, "Fix rounding"))
    days_later(0.9)
    noticed(trunk, server)

    assert (heard(server), shown(loomstack)) == ([], {})


@pytest.mark.parametrize(("fetched_days_ago", "stranded"), [(2.5, 0), (0, 1)])
def test_a_remote_trunk_that_nobody_fetched_since_says_nothing(
    trunk: Path,
    branch: Path,
    serve: Callable[..., Server],
    days_later: Callable[[float], None],
    loomstack: Run,
    fetched_days_ago: float,
    stranded: int,
) -> None:
    git(trunk, "clone", "--quiet", "--bare", ".", str(trunk.parent / "origin.git"))
    git(trunk, "remote", "add", "origin", "../origin.git")
    git(trunk, "fetch", "--quiet", "origin")
    server = serve(cwd=branch)
    finished(server, add(branch, FIX, "Fix rounding"))
    days_later(3)
    then = time.time() - fetched_days_ago * 86_400
    os.utime(trunk / ".git/FETCH_HEAD", (then, then))

    assert (len(heard(server)), len(shown(loomstack))) == (stranded, stranded)


def test_the_own_branch_being_fetched_tells_nothing_of_the_trunk(
    trunk: Path, branch: Path, serve: Callable[..., Server], days_later: Callable[[float], None]
) -> None:
    git(trunk, "branch", "--quiet", "same", "main")
    git(trunk, "clone", "--quiet", "--bare", ".", str(trunk.parent / "origin.git"))
    git(trunk, "remote", "add", "origin", "../origin.git")
    git(trunk, "fetch", "--quiet", "origin")
    server = serve(cwd=branch)
    finished(server, add(branch, FIX, "Fix rounding"))
    days_later(3)
    git(trunk, "fetch", "--quiet", "origin", "same")

    assert heard(server) == []


def test_what_landed_here_alone_tells_nothing_of_the_trunk_of_others(
    trunk: Path, branch: Path, serve: Callable[..., Server], days_later: Callable[[float], None]
) -> None:
    git(trunk, "clone", "--quiet", "--bare", ".", str(trunk.parent / "origin.git"))
    git(trunk, "remote", "add", "origin", "../origin.git")
    git(trunk, "fetch", "--quiet", "origin")
    (trunk / ".git/FETCH_HEAD").unlink()
    server = serve(cwd=branch)
    finished(server, add(branch, FIX, "Fix rounding"))
    days_later(3)
    noticed(trunk, server)
    before = heard(server)
    git(trunk, "push", "--quiet", "origin", "main")

    assert (before, len(heard(server))) == ([], 1)


def test_a_trunk_of_this_clone_alone_is_always_seen(
    branch: Path, serve: Callable[..., Server], days_later: Callable[[float], None], loomstack: Run
) -> None:
    server = serve(cwd=branch)
    run = finished(server, add(branch, FIX, "Fix rounding"))
    days_later(3)

    assert [about for about, _ in heard(server)] == list(shown(loomstack)) == [run]


@pytest.mark.parametrize("status", ["abandoned", "blocked", "failed"])
def test_what_was_not_finished_is_not_stranded(
    trunk: Path, branch: Path, serve: Callable[..., Server], days_later: Callable[[float], None], status: str
) -> None:
    server = serve(cwd=branch)
    finished(server, add(branch, FIX, "Fix rounding"), status=status)
    days_later(3)
    noticed(trunk, server)

    assert heard(server) == []


def test_a_run_that_was_lost_after_it_had_passed_is_told_of_too(
    trunk: Path,
    branch: Path,
    serve: Callable[..., Server],
    days_later: Callable[[float], None],
    change_store: Callable[..., None],
) -> None:
    server = serve(cwd=branch)
    run = finished(server, add(branch, FIX, "Fix rounding"), status="passed")
    change_store("UPDATE run SET state = 'lost', ended_at_ms = seen_at_ms WHERE id = ?", run)
    days_later(3)
    noticed(trunk, server)

    assert [about for about, _ in heard(server)] == [run]


def merged(trunk: Path) -> None:
    git(trunk, "merge", "--quiet", "--ff-only", "ana")


def squashed(trunk: Path) -> None:
    squash(trunk, "ana", "Rounding (#12)")


def squashed_with_more(trunk: Path) -> None:
    """In one commit with much that no run knows of, and a line edited on the way."""
    git(trunk, "merge", "--quiet", "--squash", "ana")
    text = (trunk / "src/tax.py").read_text() + MORE * 5
    (trunk / "src/tax.py").write_text(text.replace("return cents / 100", "return cents / 100.0", 1))
    commit_all(trunk, "Rounding and rebates (#12)")


def rebased(trunk: Path) -> None:
    land(trunk, "the_shop_closes_at_five = True\n", "Closing hours", path="src/b.py")
    git(trunk, "cherry-pick", "ana")


@pytest.mark.parametrize("lands", [merged, squashed, squashed_with_more, rebased])
def test_what_landed_in_whatever_way_is_not_stranded(
    trunk: Path,
    branch: Path,
    serve: Callable[..., Server],
    days_later: Callable[[float], None],
    loomstack: Run,
    lands: Callable[[Path], None],
) -> None:
    server = serve(cwd=branch)
    finished(server, add(branch, FIX, "Fix rounding"))
    lands(trunk)
    days_later(3)
    noticed(trunk, server)

    assert (heard(server), shown(loomstack)) == ([], {})


def test_nothing_is_said_while_the_ledger_has_not_all_of_the_trunk(
    trunk: Path, branch: Path, serve: Callable[..., Server], days_later: Callable[[float], None], loomstack: Run
) -> None:
    server = serve(cwd=branch)
    finished(server, add(branch, FIX, "Fix rounding"))
    days_later(3)
    noticed(trunk, server)
    assert len(shown(loomstack)) == 1

    squashed(trunk)

    assert shown(loomstack) == {}


def test_of_several_commits_those_that_are_missing_are_counted(
    trunk: Path, branch: Path, serve: Callable[..., Server], days_later: Callable[[float], None], loomstack: Run
) -> None:
    server = serve(cwd=branch)
    one, two = add(branch, FIX, "Fix rounding"), add(branch, OTHER, "Discounts")
    run = finished(server, one, two)
    git(trunk, "merge", "--quiet", "--ff-only", one)
    days_later(3)
    noticed(trunk, server)

    assert shown(loomstack) == {run: "1 commit not on the trunk"}


def test_a_commit_that_a_later_attempt_replaced_is_not_missed(
    trunk: Path, branch: Path, serve: Callable[..., Server], days_later: Callable[[float], None], loomstack: Run
) -> None:
    server = serve(cwd=branch)
    server.answer("start_run", loop="triage", goal="round")
    first = add(branch, MORE, "A first try")
    server.answer("record_outcome", status="passed", summary="tried", commits=[first])
    (branch / "src/tax.py").write_text((trunk / "src/tax.py").read_text() + FIX)
    git(branch, "commit", "--quiet", "--all", "--amend", "-m", "Fix rounding")
    server.answer("record_outcome", status="done", summary="done", commits=[git(branch, "rev-parse", "HEAD")])
    merged(trunk)
    days_later(3)
    noticed(trunk, server)

    assert (heard(server), shown(loomstack)) == ([], {})


def test_what_this_clone_cannot_read_is_not_called_stranded(
    trunk: Path, branch: Path, serve: Callable[..., Server], days_later: Callable[[float], None], loomstack: Run
) -> None:
    server = serve(cwd=branch)
    finished(server, add(branch, FIX, "Fix rounding"))
    days_later(3)
    noticed(trunk, server)
    assert len(shown(loomstack)) == 1
    git(trunk, "worktree", "remove", "--force", str(branch))
    git(trunk, "branch", "--quiet", "-D", "ana")
    git(trunk, "reflog", "expire", "--expire=now", "--expire-unreachable=now", "--all")
    git(trunk, "gc", "--quiet", "--prune=now")

    assert shown(loomstack) == {}


def describe(answer: Any) -> str:
    return json.dumps(answer, separators=(",", ":"))


def test_the_word_costs_few_tokens(
    trunk: Path, branch: Path, serve: Callable[..., Server], days_later: Callable[[float], None]
) -> None:
    server = serve(cwd=branch)
    finished(server, *(add(branch, f"{OTHER}{number}\n", "More") for number in range(9)))
    days_later(3)
    noticed(trunk, server)

    [alert] = server.answer("start_run", loop="triage", goal="next")["alerts"]

    assert len(describe(alert)) < 4 * 50
