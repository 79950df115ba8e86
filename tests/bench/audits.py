"""`audit` of the last commits of clones: our time, that of git, and memory, each clone in a process of its own."""

import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from loomstack_mcp.adapters.git.audit import audited
from tests.bench.measure import Figure, at_most
from tests.deltas import opened_repository

_LAST = 4_000
_COMMIT_MS = 3
_MEGABYTES = 250


def figures(clones: Sequence[Path]) -> Iterator[Figure]:
    """For each clone CPU per commit, children included, and our own peak."""
    for clone in clones:
        asked = [sys.executable, "-m", "tests.bench.audits", str(clone)]
        done = subprocess.run(asked, capture_output=True, check=True, text=True)
        commits, ours_s, git_s, peak_kb = map(float, done.stdout.split())
        what = f"audit of {commits:,.0f} commits, {clone.parent.name if clone.name == 'repo' else clone.name}"
        ms = (ours_s + git_s) / commits * 1_000
        value = f"{ms:.2f} ms of CPU a commit, {git_s / commits * 1_000:.2f} of them git's"
        yield Figure(what, value, f"≤ {_COMMIT_MS}", ms <= _COMMIT_MS)
        yield at_most("its peak", peak_kb / 1_000, "MB", most=_MEGABYTES)


def main() -> None:
    """Print what one clone cost: commits, our seconds, those of git, and our peak in kB."""
    with opened_repository(Path(sys.argv[1])) as repo:
        found = audited(repo, last=_LAST, progress=lambda *_: None)
    ours, gits = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    print(found.commits, ours.ru_utime + ours.ru_stime, gits.ru_utime + gits.ru_stime, ours.ru_maxrss)


if __name__ == "__main__":
    main()
