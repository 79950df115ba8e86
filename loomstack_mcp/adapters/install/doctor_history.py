"""Whether git can tell at once where an old line comes from: what `trace PATH:LINE` asks of it."""

from collections.abc import Iterator
from pathlib import Path

from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.install.doctor import Check
from loomstack_mcp.core.errors import Invalid

_COMMITS = 20_000
"""From where on it shows: of 50,000, blame of the oldest line took 0.36 s of CPU, 0.08 with filters (2026-11-29)."""
_MEND = "git commit-graph write --reachable --changed-paths, once: git gc keeps it up"
_HEADER = 8
_ENTRY = 12
_FILTERS = b"BIDX"
"""gitformat-commit-graph(5)"""


def history_checks(repo: Repository) -> Iterator[Check]:
    """Of a long history without filters of the paths that each commit changed. Git reads none in a shallow clone."""
    if repo.is_shallow or any(_has_filters(file) for file in _graphs(repo.place.common_dir / "objects" / "info")):
        return
    try:
        counted = repo.run("rev-list", "--count", f"--max-count={_COMMITS}", "HEAD").text
    except Invalid:  # on a disk as slow as that
        return
    if counted == str(_COMMITS):
        found = f"{_COMMITS:,} commits or more, without filters of what they changed: an old line is traced slowly"
        yield Check(check="history", status="warn", found=found, mend=_MEND)


def _graphs(folder: Path) -> Iterator[Path]:
    yield folder / "commit-graph"
    yield from sorted((folder / "commit-graphs").glob("graph-*.graph"))


def _has_filters(graph: Path) -> bool:
    try:
        with graph.open("rb") as file:
            header = file.read(_HEADER)
            chunks = file.read(_ENTRY * header[6]) if len(header) == _HEADER else b""
    except OSError:
        return False
    return _FILTERS in (chunks[at : at + 4] for at in range(0, len(chunks), _ENTRY))
