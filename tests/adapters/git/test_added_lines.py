"""Which lines a commit added, whatever its files are called and hold."""

from pathlib import Path

from loomstack_mcp.adapters.git.added_lines import ranges_added
from loomstack_mcp.adapters.git.discovery import place_at
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.core.exports import AddedLines
from tests.adapters.git.support import commit
from tests.conftest import git

LINES = "".join(f"line {at} of this file\n" for at in range(1, 10))


def added(shop: Path, rev: str = "HEAD") -> dict[str, tuple[tuple[int, int], ...]]:
    with Repository(place_at(shop)) as repo:
        found: tuple[AddedLines, ...] = ranges_added(repo, repo.commit(rev))
    return {one.path: one.ranges for one in found}


def test_the_lines_that_a_commit_added_are_told_by_file(shop: Path) -> None:
    commit(shop, {"src/a.py": LINES, "src/b.py": LINES, "with space.md": "x\n", 'odd"name': "x\n"})
    first = added(shop)
    git(shop, "mv", "src/b.py", "src/c.py")
    changed = LINES.replace("line 2 ", "line two ").replace("line 9 of", "+++ b/evil.py\n@@ -1 +1,99 @@ of")
    commit(shop, {"src/a.py": changed + "diff --git a/x b/x\n", "README.md": ""})

    assert first == {"src/a.py": ((1, 9),), "src/b.py": ((1, 9),), "with space.md": ((1, 1),)}
    assert added(shop) == {"src/a.py": ((2, 2), (9, 11))}
    assert "src/a.py" in added(shop, "HEAD~2")  # the root
