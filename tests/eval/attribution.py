"""`python -m tests.eval attribution CLONE…`: whose a commit or a line is, of real work that landed in another form.

Windows of one to five commits of a clone's history are each a run's, which git's hook saw them make; the commits after
them move the trunk, and the branch lands there squashed, rebased, squashed with a file renamed, with its files indented
anew, with a line that a person edited, or put in. Nothing names the run: only the content can tell. All runs of the
clone are candidates, and the trunk's own commits are nobody's. Then each commit of such a window is a run of its own,
and lines of the squash are asked for, whose truth is git's blame of the branch.

All by the real services, a real store and real git: what `trace` asks.
"""

import argparse
import json
import random
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.edge.attributing import attributed, attributed_line
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import Loom, open_loom
from tests.deltas import opened_repository
from tests.eval.replays import edited, git, moved, picked, reformatted, renamed, windows
from tests.factories import ANA

_WINDOWS_MAX = 25
_LINES_MAX = 12
"""Of one squash that are asked for."""
_EDITED_LEAST = 3
"""Of a change of fewer lines nothing is left where a person writes one anew."""
_WAYS = ("squash", "rebase", "renamed", "reformatted", "edited", "added")
_ANSWERS = ("right", "wrong", "none")
_SHOP = Checkout(identity="eval/shop")


@dataclass
class Replay:
    """A clone in which runs work, and what became of each landing."""

    folder: Path
    loom: Loom
    here: Here
    runs: int = 0
    landings: list[tuple[str, str, str]] = field(default_factory=list)
    """How it landed, whose it is ("" for nobody's), and as which commit."""
    squashes: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    """Of several runs: the squash, the same branch rebased, and whose each commit of that is."""

    def work(self, shas: Sequence[str]) -> str:
        """A run has made these commits, as git's hook saw."""
        self.runs += 1
        who = replace(ANA, session=f"s-{self.runs}")
        run = self.loom.runs.start(who, _SHOP, loop=f"loop-{self.runs}", goal="replayed", budget_tokens=800).run
        for sha in shas:
            self.loom.commits.bind_commit(who, _SHOP, sha, named=(run.id,), paths=())
        return run.id

    def imprint(self, trunk: str) -> None:
        """What runs made is read, with the trunk where they left it."""
        git(self.folder, "update-ref", "refs/heads/main", trunk)
        with opened_repository(self.folder) as repo:
            self.here.imprint(repo, self.loom.ledger, _SHOP)


@contextmanager
def replay_of(clone: Path) -> Iterator[Replay]:
    """A copy of a clone, which stays as it is, and a store of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "replay"
        git(Path(scratch), "clone", "--quiet", "--shared", "--bare", str(clone), str(folder))
        git(folder, "update-ref", "refs/heads/main", "HEAD")
        git(folder, "symbolic-ref", "HEAD", "refs/heads/main")
        with open_loom(Path(scratch) / "loom.db") as loom:
            here = Here(folder, {"home": f"{scratch}/home"}, elsewhere="", meant=_SHOP.identity)
            yield Replay(folder=folder, loom=loom, here=here)


def main(argv: Sequence[str]) -> None:
    """Print for each clone, and for all, how often the right run was told, a wrong one, or none."""
    parser = argparse.ArgumentParser(prog="python -m tests.eval attribution", description=__doc__)
    parser.add_argument("clones", nargs="+", type=Path, metavar="CLONE")
    parser.add_argument("--windows", type=int, default=_WINDOWS_MAX, help="of each clone")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--show", action="store_true", help="each answer that is not right")
    options = parser.parse_args(argv)
    table, total = {}, Counter[str]()
    for clone in options.clones:
        name = clone.parent.name if clone.name == "repo" else clone.name
        counts = told_of(clone, windows_max=options.windows, is_shown=options.show)
        table[name] = counts
        total += counts
        print(name, *(f"{what} {value}" for what, value in shares(counts).items()), sep="  ", flush=True)
    if options.json:
        print(json.dumps({name: shares(counts) for name, counts in {**table, "all": total}.items()}, indent=1))
        return
    print("all", *(f"{what} {value}" for what, value in shares(total).items()), sep="  ")


def told_of(clone: Path, *, windows_max: int, lines_max: int = _LINES_MAX, is_shown: bool = False) -> Counter[str]:
    """What was told of the commits of one clone, and of the lines."""
    counts: Counter[str] = Counter()
    with replay_of(clone) as replay:
        whole_windows(replay, windows_max)
        counts += commits_told(replay, is_shown=is_shown)
    with replay_of(clone) as replay:
        shared_windows(replay, windows_max)
        counts += lines_told(replay, lines_max=lines_max, is_shown=is_shown)
    return counts


def shares(counts: Counter[str]) -> dict[str, object]:
    """The counts, with the shares that they stand for."""
    found: dict[str, object] = dict(sorted(counts.items()))
    made = sum(counts[f"{how}:{what}"] for how in _WAYS for what in _ANSWERS)
    if made:
        found["right"] = round(sum(counts[f"{how}:right"] for how in _WAYS) / made, 4)
        wrong = sum(counts[f"{how}:wrong"] for how in (*_WAYS, "nobody"))
        found["wrong"] = round(wrong / (made + counts["nobody:right"] + counts["nobody:wrong"]), 4)
    if lines := sum(counts[f"line:{what}"] for what in _ANSWERS):
        found["lines right"] = round(counts["line:right"] / lines, 4)
        found["lines wrong"] = round(counts["line:wrong"] / lines, 4)
    return found


def whole_windows(replay: Replay, most: int) -> None:
    """Windows of its history, each one run's, landed in all ways on a trunk that has moved."""
    chance, folder = random.Random(11), replay.folder
    for base, branch, moves in windows(folder, most, chance):
        trunk = moved(folder, base, moves)
        landed = picked(folder, base, trunk, branch[-1]) if trunk else ""
        if not landed:
            continue
        run = replay.work(branch)
        replay.imprint(trunk)
        replay.landings.append(("squash", run, landed))
        tip = trunk
        for above, sha in zip([base, *branch], branch, strict=False):
            if not (again := picked(folder, above, tip, sha)):
                break
            replay.landings.append(("rebase", run, again))
            tip = again
        is_long = git(folder, "diff", "-U0", trunk, landed).count("\n+") > _EDITED_LEAST
        trees = {
            "renamed": renamed(folder, trunk, landed, chance),
            "reformatted": reformatted(folder, trunk, landed),
            "edited": edited(folder, trunk, landed, chance, is_added=False) if is_long else "",
            "added": edited(folder, trunk, landed, chance, is_added=True),
        }
        for how, tree in trees.items():
            if tree:
                replay.landings.append((how, run, git(folder, "commit-tree", "-p", trunk, "-m", how, tree)))
        replay.landings += [("nobody", "", sha) for sha in moves]
        replay.landings.append(("window", "", ""))


def shared_windows(replay: Replay, most: int) -> None:
    """Windows of which each commit is a run's of its own, all squashed into one."""
    folder = replay.folder
    for base, branch, moves in windows(folder, most, random.Random(11)):
        trunk = moved(folder, base, moves) if len(branch) > 1 else ""
        landed = picked(folder, base, trunk, branch[-1]) if trunk else ""
        whose: dict[str, str] = {}
        tip = trunk
        for above, sha in zip([base, *branch], branch, strict=False) if landed else ():
            tip = picked(folder, above, tip, sha)
            if not tip:
                break
            whose[tip] = replay.work([sha])
        if (
            whose
            and tip
            and git(folder, "rev-parse", f"{tip}^{{tree}}") == git(folder, "rev-parse", f"{landed}^{{tree}}")
        ):
            replay.imprint(trunk)
            replay.squashes.append((landed, tip, whose))


def commits_told(replay: Replay, *, is_shown: bool) -> Counter[str]:
    """What is told of each landing."""
    counts: Counter[str] = Counter()
    with opened_repository(replay.folder) as repo:
        for how, run, sha in replay.landings:
            if how == "window":
                counts["windows"] += 1
                continue
            found = attributed(replay.here.checkout(), replay.loom, repo, sha)
            if how == "nobody":
                answer = "wrong" if found.run_id else "right"
            elif says_nothing(replay.folder, sha):
                counts["says nothing"] += 1
                continue
            else:
                answer = "none" if not found.run_id else "right" if found.run_id == run else "wrong"
            counts[f"{how}:{answer}"] += 1
            counts[f"by {found.bound_by or 'nothing'}"] += how != "nobody"
            if is_shown and answer != "right":
                print(
                    " ", how, answer, sha, run, found, git(replay.folder, "show", "--stat", "--format=", sha), sep="\n"
                )
    return counts


def says_nothing(folder: Path, sha: str) -> bool:
    """Whether no line of a commit has a word of three letters, so that nobody could tell it from others."""
    return not re.search(
        r"(?m)^[+-](?![+-]).*\w{3}", git(folder, "show", "--format=", "-U0", "-w", sha, "--", ".", ":(exclude)*.lock")
    )


def lines_told(replay: Replay, *, lines_max: int, is_shown: bool) -> Counter[str]:
    """What is told of lines of squashes of several runs."""
    counts: Counter[str] = Counter()
    chance = random.Random(5)
    with opened_repository(replay.folder) as repo:
        for landed, tip, whose in replay.squashes:
            told = list(_blamed(replay.folder, landed, tip, whose))
            counts["squashes"] += bool(told)
            for path, line, run, text in chance.sample(told, min(lines_max, len(told))):
                found = attributed_line(replay.here.checkout(), replay.loom, repo, path, line, rev=landed)
                answer = "none" if not found.run_id else "right" if found.run_id == run else "wrong"
                counts[f"line:{answer}"] += 1
                if is_shown and answer != "right":
                    print(" ", answer, landed, f"{path}:{line}", text, run, found, sep="\n")
    return counts


def _blamed(folder: Path, landed: str, tip: str, whose: dict[str, str]) -> Iterator[tuple[str, int, str, str]]:
    """The lines of a squash that say something, by file and number, with whose they are by the branch's blame."""
    for path in git(folder, "diff", "--name-only", "--no-renames", "--diff-filter=AM", f"{landed}^", landed).split(
        "\n"
    ):
        if not path or re.search(r"\.(lock|svg|png)$|package-lock", path):
            continue
        blame = git(folder, "blame", "-w", "-M", "-C", "-s", "-l", "--abbrev=40", tip, "--", path)
        for number, line in enumerate(blame.split("\n"), start=1):
            sha, _, text = line.partition(" ")
            text = text.split(") ", 1)[-1]
            if sha in whose and re.search(r"\w.*\w{3}.*\w.*\w", text):
                yield path, number, whose[sha], text
