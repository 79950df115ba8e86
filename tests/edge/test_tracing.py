"""What a name stands for in a clone: commits, lines, pull requests; and a clear answer where it stands for nothing."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from loomstack_mcp.core.authorship import SCHEMA
from loomstack_mcp.core.errors import Invalid, LoomError, NotFound
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.core.tokens import Principal
from loomstack_mcp.core.traces import Trace
from loomstack_mcp.edge.here import Here
from loomstack_mcp.edge.tracing import traced
from loomstack_mcp.loom import Loom, open_loom
from loomstack_mcp.server.principals import acting_principal, loom_as_opened
from tests.adapters.git.support import commit, write
from tests.conftest import Run, commit_all, git
from tests.edge.support import here
from tests.services.support import recorded

ANA = Caller(principal="ana", session="s-ana")
BEA = Caller(principal="bea", session="s-bea")
PRICES = "".join(f"price_{at} = net({at}) + tax({at})\n" for at in range(9))


@pytest.fixture
def loom(tmp_path: Path) -> Iterator[Loom]:
    (tmp_path / "home").mkdir()
    with open_loom(tmp_path / "home" / "loom.db") as opened:
        yield opened


@pytest.fixture
def stand(shop: Path, tmp_path: Path) -> Here:
    return here(shop, tmp_path / "home")


def made(loom: Loom, stand: Here, *, message: str = "Gross (#7)") -> tuple[str, str]:
    """Ana's run made a commit, signed with its trailer: the run and the commit."""
    run = loom.runs.start(ANA, stand.checkout(), loop="prices", goal="gross", budget_tokens=800).run
    write(stand.root, {"src/a.py": PRICES})
    commit_all(stand.root, f"{message}\n\nLoom-Run: {run.id}")
    sha = git(stand.root, "rev-parse", "HEAD")
    loom.commits.bind_commit(ANA, stand.checkout(), sha, named=(run.id,), paths=())
    return run.id, sha


def told(found: Trace) -> tuple[list[str], list[str]]:
    return [one.run.id for one in found.runs], [one.commit.sha for one in found.commits]


def test_every_way_of_naming_a_change_leads_to_its_run(loom: Loom, stand: Here) -> None:
    run, sha = made(loom, stand)
    git(stand.root, "branch", "1234567")  # of digits alone, as a pull request is, but too many
    git(stand.root, "notes", "--ref=ai", "add", "-m", f'src/a.py\n  s_1 1-9\n---\n{{"schema_version": "{SCHEMA}", '
        '"sessions": {"s_1": {"agent_id": {"tool": "claude", "id": "9b4e", "model": "opus"}}}}', sha)  # fmt: skip
    commit(stand.root, {"src/b.py": "later = 1\n"})
    git(stand.root, "update-ref", f"refs/heads/{sha}", "HEAD")  # which somebody may push
    below = Here(stand.root / "src", stand.flags, elsewhere="")

    for ref in (sha, sha[:8], "HEAD~1", "1234567", "#7", "7", "PR #7", "src/a.py:3", "./src/a.py:3", "src/a.py#L3"):
        assert told(traced(stand, loom, ref)) == ([run], [sha]), ref
    for ref in ("a.py:3", "src/a.py:3", "a.py:3:7"):
        assert told(traced(below, loom, ref)) == ([run], [sha]), ref
    [found] = traced(stand, loom, sha).commits
    assert [(one.tool, one.session, one.lines) for one in found.sessions] == [("claude", "9b4e", 9)]
    assert traced(stand, loom, "src/b.py:1").is_unattributed


def called_by_digits(stand: Here) -> str:
    """A commit whose id begins as a pull request's number may be written: one in seven does, so it is soon found."""
    for at in range(500):
        sha = git(stand.root, "commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", f"try {at}")
        if sha[:4].isdecimal() and not sha.startswith("0"):
            git(stand.root, "reset", "--quiet", "--hard", sha)
            return sha
    raise AssertionError("none")


def test_digits_alone_are_a_pull_request_or_else_a_commit(loom: Loom, stand: Here) -> None:
    sha = called_by_digits(stand)
    repo_id = loom.repos.id_of(stand.checkout())

    assert traced(stand, loom, sha[:4]).kind == "commit"
    assert loom.traces.kept_trace(repo_id, sha[:4]).commits[0].commit.sha == sha
    with pytest.raises(NotFound, match=rf"pull request #{sha[:4]}.*; and .*commit {sha[:4]}"):
        loom.traces.kept_trace("root:ffffffffffffffff", sha[:4])
    with pytest.raises(NotFound, match=r"^0404 is no commit"):  # no number of a pull request begins so
        traced(stand, loom, "0404")
    write(stand.root, {"src/a.py": PRICES})
    commit_all(stand.root, f"Gross (#{sha[:4]})")
    assert told(traced(stand, loom, sha[:4]))[1] == [git(stand.root, "rev-parse", "HEAD")]


@pytest.mark.parametrize(
    ("ref", "says"),
    [
        ("f" * 40, "fetch"),
        ("no-such-branch", "no commit"),
        ("src/none.py:1", r"none\.py"),
        ("src/a.py", r"is a path: name a line of a file, src/a\.py:1"),
        ("src/a.py:99", "line"),
        ("src/a.py:0", "first line"),
        ("src/a.py:3-5", "src/a.py:3, say"),
        ("src/a.py#L3-L5", "one line"),
        ("#404", "#404"),
        ("https://github.com/other/shop/pull/7", "another repository"),
        ("deploy:404", "deploy list"),
        ("run_00000000", "no run"),
        ("../elsewhere.py:1", "outside of this repository"),
    ],
)
def test_what_is_not_here_says_what_to_do(loom: Loom, stand: Here, ref: str, says: str) -> None:
    with pytest.raises(LoomError, match=says):
        traced(stand, loom, ref)


def test_a_shallow_clone_says_what_it_cannot_tell(loom: Loom, stand: Here, tmp_path: Path) -> None:
    _, sha = made(loom, stand)
    commit(stand.root, {"src/b.py": "later = 1\n"})
    git(tmp_path, "clone", "--quiet", "--depth=1", stand.root.as_uri(), "shallow")
    shallow = here(tmp_path / "shallow", tmp_path / "home")

    with pytest.raises((NotFound, Invalid), match="fetch"):
        traced(shallow, loom, "src/a.py:3")
    found = traced(shallow, loom, sha)  # its run recorded it
    assert len(found.runs) == 1
    assert "git fetch --unshallow" in found.unchecked[-1]
    with pytest.raises(NotFound, match="fetch"):
        traced(shallow, loom, sha[:6])


def test_a_commit_that_was_rewritten_is_known_again(loom: Loom, stand: Here) -> None:
    run, sha = made(loom, stand, message="wip")
    with stand.repository() as repo:
        stand.imprint(repo, loom.ledger, stand.checkout())
    git(stand.root, "commit", "--quiet", "--amend", "-m", "Gross prices")
    new = git(stand.root, "rev-parse", "HEAD")

    assert told(traced(stand, loom, new)) == ([run], [new])
    assert told(traced(stand, loom, sha)) == ([run], [sha])  # still here, beside the branch
    other = made(loom, stand, message="wip")
    git(stand.root, "reset", "--hard", "--quiet", new)
    git(stand.root, "reflog", "expire", "--expire=now", "--all")
    git(stand.root, "gc", "--quiet", "--prune=now")
    gone = traced(stand, loom, sha)
    assert (told(gone), len(gone.unchecked)) == (([run], [sha]), 1)
    assert f"{sha[:12]}, which is not in this clone; git fetch" in gone.unchecked[0]
    recorded_alone = traced(stand, loom, other[1][:9])
    assert told(recorded_alone) == ([other[0]], [])
    assert "may be rewritten" in recorded_alone.unchecked[0]


def test_each_run_of_a_squash_is_told_and_finds_it(loom: Loom, stand: Here) -> None:
    git(stand.root, "checkout", "--quiet", "-b", "both")
    first, _ = made(loom, stand)
    second = loom.runs.start(BEA, stand.checkout(), loop="docs", goal="list", budget_tokens=800).run.id
    listed = commit(stand.root, {"src/list.py": PRICES.replace("price", "listed").replace("net", "listing")})
    loom.commits.bind_commit(BEA, stand.checkout(), listed, named=(second,), paths=())
    with stand.repository() as repo:
        stand.imprint(repo, loom.ledger, stand.checkout())
    git(stand.root, "checkout", "--quiet", "main")
    git(stand.root, "merge", "--quiet", "--squash", "both")
    squashed = commit(stand.root, {"src/more.py": "more = 1\n"})

    found, alone = traced(stand, loom, squashed), traced(stand, loom, second)
    assert ({*told(found)[0]}, alone.runs[0].run.id) == ({first, second}, second)
    assert squashed in told(alone)[1]
    assert len(alone.runs) == 1


def test_what_the_trunk_has_no_longer_says_so(loom: Loom, stand: Here, loomstack: Run) -> None:
    base = git(stand.root, "rev-parse", "HEAD")
    run = loom.runs.start(ANA, stand.checkout(), loop="prices", goal="gross", budget_tokens=800).run
    recorded(loom, ANA, run.id, links={"issue": "https://github.com/psf/requests/pull/12"})
    shas = []
    for text in ("first = net(1)\n", "second = net(2)\n"):
        git(stand.root, "reset", "--quiet", "--hard", base)
        shas.append(commit(stand.root, {"src/new.py": text}))
        git(stand.root, "commit", "--quiet", "--amend", "-m", "By hand (#12)")
        shas[-1] = git(stand.root, "rev-parse", "HEAD")
        found, text = traced(stand, loom, "#12"), loomstack("trace", "#12").stdout

    assert {one.commit.sha: one.is_gone for one in found.commits} == {shas[0]: True, shas[1]: False}
    assert found.runs == ()  # it read that page of another repository
    assert text.count("on the trunk of this clone no longer") == 1
    git(stand.root, "remote", "add", "origin", "https://example.com/acme/shop")
    for repo in ((), ("--repo", "git@example.com:acme/shop.git")):
        listed = json.loads(loomstack(*repo, "trace", "--unattributed", "--json").stdout)
        flags = {one["commit"]: one["flags"] for one in listed if one["commit"] in shas}
        assert flags == {shas[0]: ["gone"], shas[1]: []}


def test_the_page_of_a_pull_request_of_this_repository_is_looked_for_as_its_number(loom: Loom, stand: Here) -> None:
    git(stand.root, "remote", "add", "origin", "https://github.com/acme/shop.git")
    run, sha = made(loom, stand)

    assert told(traced(stand, loom, "https://github.com/acme/shop/pull/7/files")) == ([run], [sha])
    with pytest.raises(NotFound, match="another repository"):
        traced(stand, loom, "https://github.com/acme/other/pull/7")


def test_a_token_that_reads_alone_is_told_what_is_kept_and_what_is_not(loom: Loom, stand: Here) -> None:
    run, sha = made(loom, stand)
    traced(stand, loom, sha)  # by somebody who may keep whose it is
    later = commit(stand.root, {"src/b.py": "later = 1\n"})
    reading = acting_principal.set(Principal(name="vic", role="viewer", token="loom_00000001", repos=("**",)))
    try:
        line, unseen = (traced(stand, loom_as_opened(loom), ref) for ref in ("src/a.py:3", later))
    finally:
        acting_principal.reset(reading)

    assert told(line) == ([run], [sha])
    assert told(unseen) == ([], [])
    assert all("reads alone" in " ".join(one.unchecked) for one in (line, unseen))
