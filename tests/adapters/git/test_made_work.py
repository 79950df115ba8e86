"""What was made in a worktree, told by its own log, and what a branch is in all."""

from pathlib import Path

from loomstack_mcp.adapters.git.made_work import MadeWork
from tests.adapters.git.support import commit, write
from tests.conftest import commit_all, git
from tests.deltas import opened_repository

RUN = "run_00000001"


def signed_in(shop: Path, worktree: Path) -> list[str]:
    with opened_repository(shop) as repo:
        return [one.sha for one in MadeWork(repo, key=b"k").signed_in(str(worktree.resolve()), RUN)]


def signed(root: Path, files: dict[str, str], by: str = RUN) -> str:
    write(root, files)
    commit_all(root, f"One\n\nLoom-Run: {by}")
    return git(root, "rev-parse", "HEAD")


def test_what_names_a_run_and_was_committed_or_picked_in_a_worktree_was_made_there(shop: Path, tmp_path: Path) -> None:
    bea = tmp_path / "bea"
    git(shop, "worktree", "add", "--quiet", "-b", "bea", str(bea))
    commit(bea, {"z": "nobody's\n"})
    signed(bea, {"y": "another's\n"}, by="run_00000002")
    first = signed(bea, {"a": "one\n"})
    git(bea, "commit", "--quiet", "--amend", "-m", f"Two\n\nLoom-Run: {RUN}")
    amended = git(bea, "rev-parse", "HEAD")
    meanwhile = signed(shop, {"b": "two\n"})
    git(bea, "rebase", "--quiet", "main")
    rebased = git(bea, "rev-parse", "HEAD")

    assert signed_in(shop, bea) == [first, amended, rebased]
    assert signed_in(shop, shop) == [meanwhile]


def test_what_was_only_pulled_or_looked_at_was_not_made_there(shop: Path, tmp_path: Path) -> None:
    bea = tmp_path / "bea"
    git(shop, "worktree", "add", "--quiet", "-b", "bea", str(bea))
    signed(shop, {"b": "two\n"})
    git(bea, "merge", "--quiet", "--ff-only", "main")
    git(bea, "checkout", "--quiet", "--detach", "main~1")
    git(bea, "cherry-pick", "--ff", "main")

    assert signed_in(shop, bea) == []
    assert signed_in(shop, tmp_path / "nowhere") == []


def test_a_branch_is_one_piece_where_the_same_hands_made_all_of_it_meanwhile(shop: Path) -> None:
    git(shop, "checkout", "--quiet", "-b", "work")
    shas = [commit(shop, {"a": "one\n"}), commit(shop, {"b": "two\n"})]
    with opened_repository(shop) as repo:
        work = MadeWork(repo, key=b"k")
        last = work.named_changes(shas[1:])
        [branch] = work.branches(last, since_ms=0)
        late = work.branches(last, since_ms=last[0].at_ms + 1)
    git(shop, "commit", "--quiet", "--allow-empty", "--amend", "--author", "Dan <dan@shop>", "-m", "Dan's")
    commit(shop, {"c": "three\n"})
    with opened_repository(shop) as repo:
        work = MadeWork(repo, key=b"k")
        mixed = work.branches(work.named_changes([git(shop, "rev-parse", "HEAD")]), since_ms=0)

    assert (branch.shas, [one.path for one in branch.change.files]) == ((shas[1], shas[0]), ["a", "b"])
    assert (late, mixed) == ((), ())
