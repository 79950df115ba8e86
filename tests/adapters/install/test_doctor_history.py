"""`doctor` says where git needs long for an old line, and the command that it names mends that for good."""

import subprocess
from pathlib import Path

from loomstack_mcp.adapters.git.discovery import place_at
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.install.doctor import Check
from loomstack_mcp.adapters.install.doctor_history import history_checks
from tests.conftest import Run, git

COMMITS = 20_000


def checks(folder: Path) -> list[Check]:
    with Repository(place_at(folder)) as repo:
        return list(history_checks(repo))


def test_a_long_history_wants_its_filters_once(shop: Path, loomstack: Run, tmp_path: Path) -> None:
    empty = "commit refs/heads/main\ncommitter ana <ana@localhost> {} +0000\ndata 1\nx\n"
    first, rest = empty + "from refs/heads/main^0\n", (empty.format(1_700_000_000 + at) for at in range(COMMITS))
    stream = first.format(1_700_000_000) + "".join(rest)
    short = checks(shop)
    subprocess.run(["git", "fast-import", "--quiet"], cwd=shop, input=stream.encode(), check=True)
    told = loomstack("doctor").stdout
    [warned] = checks(shop)
    git(shop, "commit-graph", "write", "--reachable")
    without = checks(shop)
    git(shop, *warned.mend.partition(",")[0].split()[1:])
    mended = checks(shop)
    git(shop, "commit", "--quiet", "--allow-empty", "--message", "more")
    git(shop, "commit-graph", "write", "--reachable", "--split=no-merge")

    assert (short, without, mended, checks(shop)) == ([], [warned], [], [])
    assert "→ git commit-graph write --reachable --changed-paths" in told
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{shop}", "shallow")
    assert checks(tmp_path / "shallow") == []


def test_a_history_that_cannot_be_read_is_none(shop: Path) -> None:
    (shop / ".git" / "objects" / "info" / "commit-graph").write_bytes(b"CGPH")
    (shop / ".git" / "HEAD").write_text("ref: refs/heads/unborn\n")

    assert checks(shop) == []
