"""A session that starts brings the ledger up to the trunk, and passes over it only where all of it is known."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loomstack_mcp.core.outcomes import CheckCounts
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import Loom, open_loom
from loomstack_mcp.server.face import Face
from loomstack_mcp.services import landed
from tests.adapters.git.support import commit
from tests.conftest import git
from tests.factories import ANA, BEA

PRICES = "".join(f"price_{at} = net({at}) + tax({at})\n" for at in range(9))
DAY_S = 86_400


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Loom]:
    with open_loom(tmp_path / "loom.db") as loom:
        yield loom


def session(folder: Path, tmp_path: Path, loom: Loom, **flags: str) -> Face:
    flags = {"home": str(tmp_path / "home"), "repo": "host/shop", **flags}
    return Face(Here(folder, flags, elsewhere=""), loom)


def starts(folder: Path, tmp_path: Path, loom: Loom, **flags: str) -> Face:
    """A session of its own, which has caught up."""
    face = session(folder, tmp_path, loom, **flags)
    face.catch_up()
    while not face._catching_up.acquire(blocking=False):
        time.sleep(0.01)
    face._catching_up.release()
    return face


def known(face: Face, *paths: str) -> set[str]:
    with face.loom.store.read() as tx:
        return set(landed.at_paths(tx, face.loom.repos.id_of(face.checkout()), paths))


def blob_of(folder: Path, name: str) -> Path:
    sha = git(folder, "rev-parse", name)
    return folder / ".git/objects" / sha[:2] / sha[2:]


def aged(folder: Path, monkeypatch: pytest.MonkeyPatch, *, days: int) -> str:
    """The commit that is checked out as it would be had it been made some days ago."""
    with monkeypatch.context() as patch:
        for who in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{who}_DATE", f"{int(time.time()) - days * DAY_S} +0000")
        git(folder, "commit", "--quiet", "--amend", "--reset-author", "--no-edit")
    return git(folder, "rev-parse", "HEAD")


def test_what_could_not_be_read_is_read_by_the_next_session_that_can(shop: Path, tmp_path: Path, opened: Loom) -> None:
    sha = commit(shop, {"src/new.py": PRICES})
    blob = blob_of(shop, "HEAD:src/new.py")
    away = tmp_path / "away"
    blob.rename(away)
    blind = known(starts(shop, tmp_path, opened), "src/new.py")
    away.rename(blob)

    assert blind == set()
    assert known(starts(shop, tmp_path, opened), "src/new.py") == {sha}


def test_what_a_shallow_clone_does_not_see_is_read_from_a_whole_one(shop: Path, tmp_path: Path, opened: Loom) -> None:
    made = [commit(shop, {"src/a.py": PRICES * at}) for at in range(1, 4)]
    git(tmp_path, "clone", "--quiet", "--depth=2", f"file://{shop}", "shallow")
    cut = known(starts(tmp_path / "shallow", tmp_path, opened), "src/a.py")

    assert cut == {made[-1]}
    assert known(starts(shop, tmp_path, opened), "src/a.py") >= set(made)


def test_a_cut_before_the_window_of_the_trunk_s_line_hides_no_branch_that_was_merged_later(
    shop: Path, tmp_path: Path, opened: Loom, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = aged(shop, monkeypatch, days=99)
    git(shop, "checkout", "--quiet", "-b", "side")
    side = [commit(shop, {"src/side.py": PRICES * at}) for at in range(1, 3)]
    git(shop, "checkout", "--quiet", "main")
    git(shop, "merge", "--quiet", "--no-ff", "-m", "merge", "side")
    git(tmp_path, "clone", "--quiet", "--depth=2", f"file://{shop}", "shallow")
    cut = known(starts(tmp_path / "shallow", tmp_path, opened), "src/side.py")

    assert old in (tmp_path / "shallow/.git/shallow").read_text()
    assert not set(side) <= cut
    assert known(starts(shop, tmp_path, opened), "src/side.py") == set(side)


def test_what_another_filled_from_a_branch_meanwhile_counts_as_landed(shop: Path, tmp_path: Path, opened: Loom) -> None:
    made = [commit(shop, {"src/a.py": PRICES * at}) for at in range(1, 4)]
    git(shop, "branch", "--quiet", "feature")
    first = session(shop, tmp_path, opened)
    others: list[int] = []

    def meanwhile(done: int, _: int) -> None:
        if not others:
            others.append(done)
            with first.here.repository() as repo:
                first.here.landing(repo, opened.ledger, first.checkout(), target="feature")

    with first.here.repository() as repo:
        first.here.landing(repo, opened.ledger, first.checkout(), progress=meanwhile)
    starts(shop, tmp_path, opened)
    with opened.store.read() as tx:
        aside = tx.all(landed.CHANGES["aside"], repo_id=opened.repos.id_of(first.checkout()))

    assert others
    assert known(first, "src/a.py") >= set(made)
    assert aside == []


def test_what_a_narrower_window_forgot_is_read_again_by_a_wider_one(
    shop: Path, tmp_path: Path, opened: Loom, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = aged(shop, monkeypatch, days=20)
    wide = known(starts(shop, tmp_path, opened), "src/a.py")
    git(shop, "checkout", "--quiet", "-b", "feature")
    commit(shop, {"src/b.py": PRICES})
    narrow = session(shop, tmp_path, opened, window_days="7")
    with narrow.here.repository() as repo:
        narrow.here.landing(repo, opened.ledger, narrow.checkout(), target="feature")
    forgotten = known(narrow, "src/a.py")

    assert (wide, forgotten) == ({old}, set())
    assert known(starts(shop, tmp_path, opened), "src/a.py") == {old}


def test_what_was_recorded_where_no_clone_is_seen_is_known_again_where_one_is(
    shop: Path, tmp_path: Path, opened: Loom
) -> None:
    face = session(shop, tmp_path, opened)
    opened.runs.start(BEA, face.checkout(), loop="prices", goal="gross", budget_tokens=800)
    opened.claims.claim_paths(BEA, "", patterns=["src/"], intent="gross prices", mode="exclusive", ttl_ms=60_000)
    git(shop, "checkout", "--quiet", "-b", "work")
    made = commit(shop, {"src/new.py": PRICES})
    git(shop, "checkout", "--quiet", "main")
    git(shop, "merge", "--quiet", "--squash", "work")
    git(shop, "commit", "--quiet", "-m", "Gross prices")
    starts(shop, tmp_path, opened)
    opened.outcomes.record(BEA, "", status="done", summary="gross", role="maker", checks=CheckCounts(), commits=[made])
    starts(shop, tmp_path, opened)
    opened.runs.start(ANA, face.checkout(), loop="triage", goal="green", budget_tokens=800)
    held = opened.claims.claim_paths(ANA, "", patterns=["src/new.py"], intent="net", mode="exclusive", ttl_ms=60_000)

    assert [one.text for one in held.warnings] == ["gross prices"]


def test_a_ledger_that_is_filled_is_passed_over(
    shop: Path, tmp_path: Path, opened: Loom, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(shop, {"src/new.py": PRICES})
    starts(shop, tmp_path, opened)
    compared: list[Any] = []
    monkeypatch.setattr(Here, "landing", lambda *given, **named: compared.append(given))
    starts(shop, tmp_path, opened)
    again = len(compared)
    commit(shop, {"src/more.py": PRICES})
    starts(shop, tmp_path, opened)

    assert (again, len(compared)) == (0, 1)
