"""`python -m tests.eval recognised CLONE…`: whose a landed change is, told of real work that is landed anew.

Windows of one to five commits of a clone's history are each a run's branch; the commits after them move the trunk, and
the branch lands on that by squash merge, by rebase, and by a squash in which somebody edited a line, or put one in.
Nothing of it is named: only the content can tell. All runs are candidates, and the trunk's own commits are nobody's.
"""

import argparse
import json
import os
import random
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from loomstack_mcp.adapters.git import diffs
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.core.changes.imprints import Imprint, KnownRun, imprint, recognised
from loomstack_mcp.core.changes.lines import Lines
from tests.conftest import IDENTITY
from tests.deltas import opened_repository

_COMMITS = 4_000
"""So far back are windows looked for."""
_WINDOWS_MAX = 60
_BRANCH_MAX = 5
_MOVES_MAX = 6


@dataclass
class Replay:
    """The runs of one clone, and what became of each landing."""

    runs: dict[str, set[int]] = field(default_factory=dict)
    landings: list[tuple[str, str, Imprint]] = field(default_factory=list)
    """How it landed, whose it is ("" for nobody's), and what it did."""


def main(argv: Sequence[str]) -> None:
    """Print for each clone, and for all, how many landings were known as the right run's, a wrong one's, nobody's."""
    parser = argparse.ArgumentParser(prog="python -m tests.eval recognised", description=__doc__)
    parser.add_argument("clones", nargs="+", type=Path, metavar="CLONE")
    parser.add_argument("--windows", type=int, default=_WINDOWS_MAX, help="of each clone")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    table = {}
    total: Counter[str] = Counter()
    for clone in options.clones:
        counts = told(replayed(clone, windows_max=options.windows))
        table[clone.parent.name if clone.name == "repo" else clone.name] = counts
        total += counts
    table["all"] = total
    if options.json:
        print(json.dumps({name: shares(counts) for name, counts in table.items()}, indent=1))
        return
    for name, counts in table.items():
        print(name, *(f"{what} {value}" for what, value in shares(counts).items()), sep="  ")


def shares(counts: Counter[str]) -> dict[str, object]:
    """The counts, with the shares that they stand for."""
    found: dict[str, object] = dict(sorted(counts.items()))
    runs = sum(counts[f"{how}:{what}"] for how in _WAYS for what in _ANSWERS)
    if runs:
        found["right"] = round(sum(counts[f"{how}:right"] for how in _WAYS) / runs, 4)
        wrong = sum(counts[f"{how}:wrong"] for how in (*_WAYS, "nobody"))
        found["wrong"] = round(wrong / (runs + counts["nobody:right"] + counts["nobody:wrong"]), 4)
    return found


_WAYS = ("squash", "rebase", "edited", "added")
_ANSWERS = ("right", "wrong", "none")


def told(replay: Replay) -> Counter[str]:
    """What the core says of each landing."""
    counts: Counter[str] = Counter()
    for how, run, landed in replay.landings:
        known = [
            KnownRun(run_id=name, shared=frozenset(landed.marks & marks), size=len(marks))
            for name, marks in replay.runs.items()
            if not landed.marks.isdisjoint(marks)
        ]
        maker = recognised(landed, known)
        if how == "nobody":
            counts["nobody:wrong" if maker else "nobody:right"] += 1
        elif not landed.tells:
            counts["says nothing"] += 1
        else:
            answer = "none" if maker is None else "right" if maker.run_id == run else "wrong"
            counts[f"{how}:{answer}"] += 1
    return counts


def replayed(clone: Path, *, windows_max: int) -> Replay:
    """Windows of its history as runs, each landed in all ways on a trunk that has moved; the clone stays as it is."""
    replay, lines, chance = Replay(), Lines(b"eval"), random.Random(7)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "replay"
        _git(Path(scratch), "clone", "--quiet", "--shared", "--bare", str(clone), str(folder))
        with opened_repository(folder) as repo:
            for base, branch, moves in _windows(folder, windows_max, chance):
                _replay_window(replay, repo, lines, chance, base, branch, moves)
    return replay


def _windows(folder: Path, most: int, chance: random.Random) -> Iterator[tuple[str, list[str], list[str]]]:
    """Where a window starts, the commits of the branch, and those that move the trunk; no commit is in two."""
    listed = _git(folder, "rev-list", "--topo-order", "--parents", f"--max-count={_COMMITS}", "HEAD").splitlines()
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


def _replay_window(
    replay: Replay,
    repo: Repository,
    lines: Lines,
    chance: random.Random,
    base: str,
    branch: list[str],
    moves: list[str],
) -> None:
    folder = repo.folder
    trunk = _moved(folder, base, moves)
    landed = _picked(folder, base, trunk, branch[-1]) if trunk else ""
    if not landed:
        return
    run = f"run_{len(replay.runs)}"
    made = [_imprint(repo, lines, one, other) for one, other in zip([base, *branch], branch, strict=False)]
    made.append(_imprint(repo, lines, base, branch[-1]))
    replay.runs[run] = {mark for one in made for mark in one.marks}
    replay.landings.append(("squash", run, _imprint(repo, lines, trunk, landed)))
    tip = trunk
    for above, sha in zip([base, *branch], branch, strict=False):
        picked = _picked(folder, above, tip, sha)
        if not picked:
            break
        replay.landings.append(("rebase", run, _imprint(repo, lines, tip, picked)))
        tip = picked
    for how in ("edited", "added"):
        if tree := _edited(folder, trunk, landed, chance, is_added=how == "added"):
            replay.landings.append((how, run, _imprint(repo, lines, trunk, tree)))
    replay.landings += [
        ("nobody", "", _imprint(repo, lines, one, other))
        for one, other in zip([branch[-1], *moves], moves, strict=False)
    ]


def _imprint(repo: Repository, lines: Lines, before: str, after: str) -> Imprint:
    return imprint(diffs.diff(repo, before, after, lines=lines).files)


def _moved(folder: Path, base: str, moves: Sequence[str]) -> str:
    """The trunk with the commits that came after the branch, without that; "" where they do not go without it."""
    tip = base
    for sha in moves:
        tip = _picked(folder, f"{sha}^", tip, sha)
        if not tip:
            return ""
    return tip


def _picked(folder: Path, above: str, tip: str, sha: str) -> str:
    """A commit with what lies between two, on top of a third; "" where that conflicts."""
    # An old git merges on the base that two commits have: they are given one.
    sides = [_git(folder, "commit-tree", "-p", above, "-m", "side", f"{one}^{{tree}}") for one in (tip, sha)]
    merged = _ran(folder, "merge-tree", "--write-tree", *sides)
    if merged.returncode:
        return ""
    return _git(folder, "commit-tree", "-p", tip, "-m", "landed", merged.stdout.split("\n", 1)[0])


def _edited(folder: Path, trunk: str, landed: str, chance: random.Random, *, is_added: bool) -> str:
    """The tree that landed with one new line in other words, or a line more behind it; "" where there is none."""
    places = []
    path = ""
    for line in _git(folder, "diff", "-U0", "--no-renames", trunk, landed).splitlines():
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
    text = subprocess.run(["git", "cat-file", "blob", f"{landed}:{path}"], cwd=folder, capture_output=True).stdout
    content = text.split(b"\n")
    edit = b"edited_by_a_person(before, the, merge)"
    content[number - 1 : number] = [content[number - 1], edit] if is_added else [content[number - 1] + b" " + edit]
    return _with_file(folder, landed, path, b"\n".join(content))


def _with_file(folder: Path, commit: str, path: str, content: bytes) -> str:
    with tempfile.TemporaryDirectory() as scratch:
        index = {"GIT_INDEX_FILE": f"{scratch}/index"}
        blob = _ran(folder, "hash-object", "-w", "--stdin", stdin=content).stdout.strip()
        _ran(folder, "read-tree", commit, env=index)
        if _ran(folder, "update-index", "--cacheinfo", f"100644,{blob},{path}", env=index).returncode:
            return ""
        return _ran(folder, "write-tree", env=index).stdout.strip()


def _git(folder: Path, *arguments: str) -> str:
    ran = _ran(folder, *arguments)
    ran.check_returncode()
    return ran.stdout.strip()


def _ran(
    folder: Path, *arguments: str, stdin: bytes = b"", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    ran = subprocess.run(
        ["git", *IDENTITY, *arguments], cwd=folder, input=stdin, capture_output=True, env={**os.environ, **(env or {})}
    )
    return subprocess.CompletedProcess(ran.args, ran.returncode, ran.stdout.decode("utf-8", "replace"), "")
