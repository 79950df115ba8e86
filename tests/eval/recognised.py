"""`python -m tests.eval recognised CLONE…`: whose a landed change is, told of real work that is landed anew.

Windows of one to five commits of a clone's history are each a run's branch; the commits after them move the trunk, and
the branch lands on that by squash merge, by rebase, and by a squash in which somebody edited a line, or put one in.
Nothing of it is named: only the content can tell. All runs are candidates, and the trunk's own commits are nobody's.
"""

import argparse
import json
import random
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from loomstack_mcp.adapters.git import diffs
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.core.changes.imprints import Imprint, KnownRun, imprint, recognised
from loomstack_mcp.core.changes.lines import Lines
from tests.deltas import opened_repository
from tests.eval.replays import edited, git, moved, picked, windows

_WINDOWS_MAX = 60


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
        git(Path(scratch), "clone", "--quiet", "--shared", "--bare", str(clone), str(folder))
        with opened_repository(folder) as repo:
            for base, branch, moves in windows(folder, windows_max, chance):
                _replay_window(replay, repo, lines, chance, base, branch, moves)
    return replay


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
    trunk = moved(folder, base, moves)
    landed = picked(folder, base, trunk, branch[-1]) if trunk else ""
    if not landed:
        return
    run = f"run_{len(replay.runs)}"
    made = [_imprint(repo, lines, one, other) for one, other in zip([base, *branch], branch, strict=False)]
    made.append(_imprint(repo, lines, base, branch[-1]))
    replay.runs[run] = {mark for one in made for mark in one.marks}
    replay.landings.append(("squash", run, _imprint(repo, lines, trunk, landed)))
    tip = trunk
    for above, sha in zip([base, *branch], branch, strict=False):
        again = picked(folder, above, tip, sha)
        if not again:
            break
        replay.landings.append(("rebase", run, _imprint(repo, lines, tip, again)))
        tip = again
    for how in ("edited", "added"):
        if tree := edited(folder, trunk, landed, chance, is_added=how == "added"):
            replay.landings.append((how, run, _imprint(repo, lines, trunk, tree)))
    replay.landings += [
        ("nobody", "", _imprint(repo, lines, one, other))
        for one, other in zip([branch[-1], *moves], moves, strict=False)
    ]


def _imprint(repo: Repository, lines: Lines, before: str, after: str) -> Imprint:
    return imprint(diffs.diff(repo, before, after, lines=lines).files)
