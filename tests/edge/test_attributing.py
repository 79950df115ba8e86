"""Whose a commit or a line of a real clone is, as `trace` asks, whatever became of what a run had made."""

import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from loomstack_mcp.core.changes.attributions import Attribution
from loomstack_mcp.core.changes.blamed import LineAttribution
from loomstack_mcp.core.errors import Invalid, NotFound
from loomstack_mcp.core.limits import IMPRINT_KEPT_MS
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.edge.attributing import attributed, attributed_line
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import Loom
from loomstack_mcp.services.imprints import forget_imprints
from tests.adapters.git.support import commit, write
from tests.conftest import Clocks, commit_all, git
from tests.edge.support import here
from tests.factories import ANA, BEA
from tests.services.support import recorded

PRICES = "".join(f"    price_{at} = net_price({at}) + value_added_tax({at})\n" for at in range(9))
TAXES = "".join(f"    tax_{at} = rate_of_country({at}) * turnover({at})\n" for at in range(6))


@dataclass
class Clone:
    """A repository on whose branches runs work."""

    root: Path
    here: Here
    loom: Loom

    def work(self, who: Caller, files: dict[str, str], *, branch: str = "", **outcome: object) -> tuple[str, str]:
        """A run writes files, commits and says so; the run, and the commit."""
        if branch:
            git(self.root, "checkout", "--quiet", "-B", branch)
        run = self.loom.runs.start(who, self.here.checkout(), loop="loop", goal="goal", budget_tokens=800).run
        sha = commit(self.root, files)
        self.loom.commits.bind_commit(who, self.here.checkout(), sha, named=(run.id,), paths=())
        recorded(self.loom, who, run.id, **outcome)
        with self.here.repository() as repo:
            self.here.imprint(repo, self.loom.ledger, self.here.checkout())
        return run.id, sha

    def land(self, *arguments: str) -> str:
        """Something is done on the trunk, and committed."""
        git(self.root, *arguments)
        return git(self.root, "rev-parse", "HEAD")

    def whose(self, rev: str = "HEAD") -> Attribution:
        """Asked anew, as each `trace` does."""
        with self.here.repository() as repo:
            return attributed(self.here.checkout(), self.loom, repo, rev)

    def line(self, path: str, line: int, **more: str) -> LineAttribution:
        """The same of a line."""
        with self.here.repository() as repo:
            return attributed_line(self.here.checkout(), self.loom, repo, path, line, **more)

    def fill(self) -> None:
        """The ledger is told what landed, as by any check."""
        with self.here.repository() as repo:
            self.here.landing(repo, self.loom.ledger, self.here.checkout())


@pytest.fixture
def clone(shop: Path, tmp_path: Path, loom: Loom, clocks: Clocks) -> Clone:
    clocks.wall_ms = int(time.time() * 1_000)
    return Clone(root=shop, here=here(shop, tmp_path / "home"), loom=loom)


def test_what_landed_is_found_whatever_became_of_it_and_stays_known(clone: Clone, clocks: Clocks) -> None:
    root = clone.root
    first, _ = clone.work(ANA, {"src/prices.py": f"def prices():\n{PRICES}"}, branch="feat")
    second, made = clone.work(
        BEA, {"src/taxes.py": f"def taxes():\n{TAXES}"}, links={"pr": "https://x.test/shop/pull/7"}
    )
    git(root, "checkout", "--quiet", "main")
    git(root, "merge", "--quiet", "--squash", "feat")
    squash = clone.land("commit", "--quiet", "-m", "Prices and taxes")

    found, line, empty = clone.whose(), clone.line("src/taxes.py", 4), clone.line("src/a.py", 1)
    assert [(one.run_id, one.confidence > 0.3) for one in found.candidates] == [(first, True), (second, True)]
    assert (found.run_id, found.flags, found.landed_at_ms > 0) == (first, ("several_runs",), True)
    assert (line.run_id, line.bound_by, line.commit.sha) == (second, "lines", squash)
    assert (empty.run_id, empty.commit.run_id) == ("", "")

    # A person indents all of it, edits a line and gives the file another name: who wrote the rest is still known.
    text = (
        (root / "src/prices.py").read_text().replace("    ", "        ").replace("net_price(3)", "gross_price(3) or 0")
    )
    git(root, "mv", "src/prices.py", "src/pricing.py")
    by_hand = commit(root, {"src/pricing.py": text})
    assert (clone.whose().run_id, clone.line("src/pricing.py", 3).run_id) == ("", first)
    assert (clone.line("src/pricing.py", 5).run_id, clone.line("src/pricing.py", 5).commit.sha) == ("", by_hand)

    # A revert is nobody's by what it names, a pick of the run's commit is the run's.
    undone = clone.land("revert", "--no-edit", squash)
    reverting = clone.whose()
    picked = clone.land("cherry-pick", "-x", made)
    git(root, "commit", "--quiet", "--amend", "-m", f"As was asked for (#7)\n\nLoom-Run: {first}")
    assert (reverting.run_id, reverting.reverts) == ("", (squash,))
    [reversal] = clone.loom.attributions.reversals_of(clone.loom.repos.id_of(clone.here.checkout()), squash)
    assert reversal.sha == undone
    assert clone.whose(picked).run_id == second
    forged = clone.whose()
    assert (forged.run_id, forged.bound_by, forged.flags) == (second, "pr", ("trailer_mismatch",))

    # It is kept when all that a run made is long forgotten, and where the ledger took it in unasked.
    clone.fill()
    repo_id = clone.loom.repos.id_of(clone.here.checkout())
    clocks.pass_minutes((IMPRINT_KEPT_MS + 1) / 60_000)
    forget_imprints(clone.loom.store, repo_id)
    again = clone.whose(squash)
    assert (again.run_id, again.candidates) == (found.run_id, found.candidates)
    assert clone.line("src/taxes.py", 4, rev=squash).run_id == second
    assert {one.sha for one in clone.loom.attributions.of_run(second)} >= {squash, picked, forged.sha}
    nobodys = [one.sha for one in clone.loom.attributions.unattributed(repo_id)]
    assert undone in nobodys
    assert not {squash, forged.sha} & set(nobodys)
    assert clone.loom.attributions.of_pull(repo_id, 7) == (second,)


@pytest.mark.parametrize(
    ("address", "is_its"),
    [("", False), ("work-alias:psf/requests.git", False), ("git@github.com:psf/requests.git", True)],
)
def test_a_pull_request_may_be_any_repositorys_where_the_clone_has_no_address(
    clone: Clone, tmp_path: Path, address: str, is_its: bool
) -> None:
    if address:
        git(clone.root, "remote", "add", "origin", address)
        clone = replace(clone, here=here(clone.root, tmp_path / "home"))
    run = clone.loom.runs.start(ANA, clone.here.checkout(), loop="loop", goal="goal", budget_tokens=800).run
    recorded(clone.loom, ANA, run.id, links={"issue": "https://github.com/psf/requests/pull/12"})

    commit(clone.root, {"src/other.py": PRICES})
    git(clone.root, "commit", "--quiet", "--amend", "-m", "Fix (#12)")
    assert clone.whose().run_id == (run.id if is_its else "")


def test_what_landed_before_its_run_said_so_is_known_from_then_on(clone: Clone) -> None:
    run = clone.loom.runs.start(ANA, clone.here.checkout(), loop="loop", goal="goal", budget_tokens=800).run
    landed = commit(clone.root, {"src/prices.py": PRICES})
    clone.fill()
    repo_id = clone.loom.repos.id_of(clone.here.checkout())
    before = clone.loom.attributions.of_prefix(repo_id, landed[:8])
    recorded(clone.loom, ANA, run.id, commits=[landed])
    [after] = clone.loom.attributions.of_prefix(repo_id, landed[:8])

    assert [one.run_id for one in before] == [""]
    assert (after.run_id, after.bound_by, after.landed_at_ms) == (run.id, "sha", before[0].landed_at_ms)


def test_what_had_landed_before_a_run_began_is_not_its_however_equal_it_is(
    clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody's change is taken out, and made again by a run some minutes later, by clocks that say nothing."""
    root, change = clone.root, {"src/prices.py": f"def prices():\n{PRICES}"}
    monkeypatch.setenv("GIT_COMMITTER_DATE", f"{int(time.time()) + 300} +0000")
    by_hand = commit(root, change)
    git(root, "revert", "--no-edit", by_hand)
    monkeypatch.setenv("GIT_COMMITTER_DATE", f"{int(time.time()) - 100} +0000")
    in_time = commit(root, change)
    git(root, "revert", "--no-edit", in_time)
    monkeypatch.delenv("GIT_COMMITTER_DATE")
    clone.fill()
    first, made = clone.work(ANA, change, branch="again")
    git(root, "checkout", "--quiet", "main")
    git(root, "merge", "--quiet", "--squash", "again")
    squash = clone.land("commit", "--quiet", "-m", "Prices again")
    clone.fill()
    repo_id = clone.loom.repos.id_of(clone.here.checkout())
    [kept] = clone.loom.attributions.of_prefix(repo_id, by_hand)

    assert (kept.run_id, clone.whose(by_hand).run_id, clone.whose(by_hand).candidates) == ("", "", ())
    assert (clone.whose(squash).run_id, clone.whose(made).run_id) == (first, first)

    # The same on the trunk itself, as far as the dates tell.
    git(root, "revert", "--no-edit", squash)
    second, again = clone.work(BEA, change)
    assert [clone.whose(one).run_id for one in (in_time, squash, again)] == ["", first, second]


def test_what_cannot_be_told_is_said_with_what_to_do(clone: Clone, tmp_path: Path) -> None:
    root = clone.root
    old = git(root, "rev-parse", "HEAD")
    write(root, {"src/a.py": "x\nmore_of_this_line\n"})
    commit_all(root)
    git(root, "rm", "--quiet", "src/b.py")
    gone = clone.land("commit", "--quiet", "-m", "gone")
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{root}", "shallow")
    shallow = replace(clone, root=tmp_path / "shallow", here=here(tmp_path / "shallow", tmp_path / "home"))

    for asked, refusal, words in (
        (lambda: clone.whose("nowhere"), NotFound, "nowhere is no commit of this clone; a rewritten one is gone"),
        (lambda: clone.whose("--all"), NotFound, "--all is no commit"),
        (lambda: clone.whose("f" * 40), NotFound, "git fetch --all"),
        (lambda: clone.line("src/b.py", 1), NotFound, f"no file src/b.py in {gone[:12]}: was it renamed, or deleted?"),
        (lambda: clone.line("src", 1), NotFound, "no file src in"),
        (lambda: clone.line("src/a.py", 3), NotFound, "has 2 lines, and no line 3"),
        (lambda: clone.line("src/a.py", 0), Invalid, "the first line of a file is 1"),
        (lambda: shallow.whose(old), NotFound, "which is shallow: git fetch --unshallow"),
        (lambda: shallow.line("src/a.py", 1), NotFound, "older than this shallow clone: git fetch --unshallow"),
    ):
        with pytest.raises(refusal, match=words):
            asked()
    assert shallow.whose().flags == ("unread",)
