"""`python -m tests.eval.tampering CLONE…`: how often real commits that touch tests look like tampering."""

import argparse
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from loomstack_mcp.adapters.parse.test_files.read import read_tests
from loomstack_mcp.core.tampering.kinds import Weakening
from loomstack_mcp.core.tampering.tampering import is_test_path, weakenings

_ABSENT = "0" * 40
_FILES_MAX = 400
"""A commit that touches more files is left out: nobody reads those for tests."""


@dataclass
class Touched:
    """One commit and the blobs that it replaces, by path."""

    sha: str
    subject: str
    files: list[tuple[str, str, str]] = field(default_factory=list)
    """Path, old blob, new blob."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.eval.tampering", description=__doc__)
    parser.add_argument("clones", nargs="+", type=Path, metavar="CLONE")
    parser.add_argument("--last", type=int, default=1_000, help="commits that touch tests, of each clone")
    parser.add_argument("--skip", type=int, default=0, help="newest ones of these to leave out")
    parser.add_argument("--verbose", action="store_true", help="list every commit on which the tamper class fires")
    parser.add_argument("--hard", action="store_true", help="list the other hard findings as well")
    options = parser.parse_args()
    for clone in options.clones:
        print(measured(clone, options.last, skip=options.skip, verbose=options.verbose, hard=options.hard), flush=True)


def measured(clone: Path, last: int, *, skip: int = 0, verbose: bool = False, hard: bool = False) -> str:
    """The shares of one clone, as a line."""
    commits = tampered = reduced = 0
    kinds: Counter[str] = Counter()
    times: list[float] = []
    with Blobs(clone) as blobs:
        for commit in islice(touching_tests(clone, skip + last), skip, None):
            found, ms = judged(commit, blobs)
            commits += 1
            times.append(ms)
            strong = [one for one in found if one.tampers or (hard and one.hard)]
            kinds.update({one.kind for one in found if one.tampers})
            tampered += any(one.tampers for one in found)
            reduced += any(one.hard for one in found)
            if verbose and strong:
                print(f"{commit.sha[:10]} {commit.subject}")
                for one in strong[:12]:
                    print(f"    {one.kind}: {one.text}  {one.path}:{one.line}")
    times.sort()
    median, high = (times[int(len(times) * share)] if times else 0.0 for share in (0.5, 0.95))
    return (
        f"{clone.name}: {commits} commits touch tests, tamper {tampered} ({100 * tampered / max(commits, 1):.1f} %), "
        f"tamper or hard {reduced} ({100 * reduced / max(commits, 1):.1f} %), {dict(kinds)}, "
        f"median {median:.0f} ms, p95 {high:.0f} ms"
    )


def judged(commit: Touched, blobs: "Blobs") -> tuple[list[Weakening], float]:
    before = {path: blobs.content(old) for path, old, _ in commit.files if old != _ABSENT}
    after = {path: blobs.content(new) for path, _, new in commit.files if new != _ABSENT}
    started = time.process_time()
    return weakenings(before, after, parse=read_tests), (time.process_time() - started) * 1_000


def touching_tests(clone: Path, last: int) -> Iterator[Touched]:
    """The newest commits with one parent that change a file which existed and is about tests."""
    command = [
        "git",
        "-C",
        str(clone),
        "log",
        "--no-merges",
        "--raw",
        "-z",
        "--no-abbrev",
        "--no-renames",
        "--format=%x01%H %s",
    ]
    output = subprocess.run(command, capture_output=True, check=True).stdout.decode(errors="replace")
    found = 0
    for record in output.split("\x01")[1:]:
        commit = _commit(record)
        if len(commit.files) > _FILES_MAX:
            continue
        if any(is_test_path(path) and old != _ABSENT for path, old, _ in commit.files):
            yield commit
            found += 1
        if found >= last:
            return


def _commit(record: str) -> Touched:
    head, *parts = [part for part in record.split("\0") if part.strip("\n")]
    commit = Touched(*head.strip("\n").partition(" ")[::2])
    for meta, path in zip(parts[::2], parts[1::2], strict=False):
        old_mode, new_mode, old, new, _ = meta.strip("\n").lstrip(":").split(" ")
        if "160000" not in (old_mode, new_mode) and "120000" not in (old_mode, new_mode):
            commit.files.append((path, old, new))
    return commit


class Blobs:
    """Contents by id, from one `git cat-file --batch`."""

    def __init__(self, clone: Path) -> None:
        command = ["git", "-C", str(clone), "cat-file", "--batch"]
        self._git = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self) -> "Blobs":
        return self

    def __exit__(self, *_: object) -> None:
        assert self._git.stdin is not None
        self._git.stdin.close()
        self._git.wait()

    def content(self, sha: str) -> bytes:
        assert self._git.stdin is not None
        assert self._git.stdout is not None
        self._git.stdin.write(sha.encode() + b"\n")
        self._git.stdin.flush()
        size = int(self._git.stdout.readline().split()[-1])
        content = self._git.stdout.read(size)
        self._git.stdout.read(1)
        return content


if __name__ == "__main__":
    main()
