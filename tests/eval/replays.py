"""Real work landed anew: windows of a clone's history as branches, and what becomes of those on a trunk that moved."""

import os
import random
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.conftest import IDENTITY

_COMMITS = 4_000
"""So far back are windows looked for."""
_BRANCH_MAX = 5
_MOVES_MAX = 6


def windows(folder: Path, most: int, chance: random.Random) -> Iterator[tuple[str, list[str], list[str]]]:
    """Where a window starts, the commits of the branch, and those that move the trunk; no commit is in two."""
    listed = git(folder, "rev-list", "--topo-order", "--parents", f"--max-count={_COMMITS}", "HEAD").splitlines()
    parents = {sha: above for sha, *above in map(str.split, reversed(listed))}
    chain: list[str] = []
    found = []
    wanted = chance.randint(1, _BRANCH_MAX), chance.randint(1, _MOVES_MAX)
    for sha, above in parents.items():
        chain = [*chain, sha] if len(above) == 1 and (not chain or above[0] == chain[-1]) else []
        if len(chain) == sum(wanted):
            found.append((parents[chain[0]][0], chain[: wanted[0]], chain[wanted[0] :]))
            chain, wanted = [], (chance.randint(1, _BRANCH_MAX), chance.randint(1, _MOVES_MAX))
    yield from found[-most:]


def moved(folder: Path, base: str, moves: Sequence[str]) -> str:
    """The trunk with the commits that came after the branch, without that; "" where they do not go without it."""
    tip = base
    for sha in moves:
        tip = picked(folder, f"{sha}^", tip, sha)
        if not tip:
            return ""
    return tip


def picked(folder: Path, above: str, tip: str, sha: str) -> str:
    """A commit with what lies between two, on top of a third; "" where that conflicts."""
    # An old git merges on the base that two commits have: they are given one.
    sides = [git(folder, "commit-tree", "-p", above, "-m", "side", f"{one}^{{tree}}") for one in (tip, sha)]
    merged = git_run(folder, "merge-tree", "--write-tree", *sides)
    if merged.returncode:
        return ""
    return git(folder, "commit-tree", "-p", tip, "-m", "landed", merged.stdout.split("\n", 1)[0])


def edited(folder: Path, trunk: str, landed: str, chance: random.Random, *, is_added: bool) -> str:
    """The tree that landed with one new line in other words, or a line more behind it; "" where there is none."""
    places = []
    path = ""
    for line in git(folder, "diff", "-U0", "--no-renames", trunk, landed).splitlines():
        if line.startswith("+++ "):
            path, number = line.removeprefix("+++ b/"), 0
        elif line.startswith("@@"):
            number = int(line.split("+", 1)[1].split(" ", 1)[0].split(",")[0]) - 1
        elif line.startswith("+"):
            number += 1
            if len(line.strip()) > 12:
                places.append((path, number))
    if not places:
        return ""
    path, number = chance.choice(places)
    content = _file(folder, landed, path).split(b"\n")
    edit = b"edited_by_a_person(before, the, merge)"
    content[number - 1 : number] = [content[number - 1], edit] if is_added else [content[number - 1] + b" " + edit]
    return with_file(folder, landed, path, b"\n".join(content))


def renamed(folder: Path, trunk: str, landed: str, chance: random.Random) -> str:
    """The tree that landed with one of its files under another name; "" where it changed none that is there."""
    paths = _changed(folder, trunk, landed)
    if not paths:
        return ""
    path = chance.choice(paths)
    name = f"{path}_anew" if "." not in path.rpartition("/")[2] else "_anew.".join(path.rsplit(".", 1))
    text = _file(folder, landed, path)
    tree = with_file(folder, landed, name, text)
    return without_file(folder, tree, path) if tree else ""


def reformatted(folder: Path, trunk: str, landed: str) -> str:
    """The tree that landed, with every file that it changed indented anew, quoted in another way and wrapped."""
    tree = landed
    for path in _changed(folder, trunk, landed):
        text = _file(folder, landed, path).replace(b"'", b'"')
        wrapped = _wrapped if path.endswith((".py", ".js", ".ts")) else bytes
        lines = [wrapped(b"    " + line) if line.strip() else line for line in text.split(b"\n")]
        tree = with_file(folder, tree, path, b"\n".join(lines)) or tree
    return tree if tree != landed else ""


def _wrapped(line: bytes) -> bytes:
    """A very long line, broken behind its first argument."""
    cut = line.find(b", ", 50)
    return line if len(line) <= 92 or cut < 0 else line[: cut + 1] + b"\n        " + line[cut + 2 :]


def _changed(folder: Path, trunk: str, landed: str) -> list[str]:
    """The text files that it changed and that are there."""
    told = git(folder, "diff", "--numstat", "--no-renames", "--diff-filter=AM", trunk, landed)
    rows = [line.split("\t") for line in told.splitlines()]
    return [path for added, _, path in rows if added not in ("-", "0") and not path.startswith('"')]


def _file(folder: Path, commit: str, path: str) -> bytes:
    return subprocess.run(["git", "cat-file", "blob", f"{commit}:{path}"], cwd=folder, capture_output=True).stdout


def without_file(folder: Path, tree: str, path: str) -> str:
    """The tree without a file."""
    with tempfile.TemporaryDirectory() as scratch:
        index = {"GIT_INDEX_FILE": f"{scratch}/index"}
        git_run(folder, "read-tree", tree, env=index)
        git_run(folder, "update-index", "--force-remove", path, env=index)
        return git_run(folder, "write-tree", env=index).stdout.strip()


def with_file(folder: Path, commit: str, path: str, content: bytes) -> str:
    with tempfile.TemporaryDirectory() as scratch:
        index = {"GIT_INDEX_FILE": f"{scratch}/index"}
        blob = git_run(folder, "hash-object", "-w", "--stdin", stdin=content).stdout.strip()
        git_run(folder, "read-tree", commit, env=index)
        if git_run(folder, "update-index", "--cacheinfo", f"100644,{blob},{path}", env=index).returncode:
            return ""
        return git_run(folder, "write-tree", env=index).stdout.strip()


def git(folder: Path, *arguments: str) -> str:
    ran = git_run(folder, *arguments)
    ran.check_returncode()
    return ran.stdout.strip()


def git_run(
    folder: Path, *arguments: str, stdin: bytes = b"", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    ran = subprocess.run(
        ["git", *IDENTITY, *arguments], cwd=folder, input=stdin, capture_output=True, env={**os.environ, **(env or {})}
    )
    return subprocess.CompletedProcess(ran.args, ran.returncode, ran.stdout.decode("utf-8", "replace"), "")
