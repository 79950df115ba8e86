"""`python -m tests.eval made`: how well reversals are found in made histories, in which each is known."""

import argparse
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from loomstack_mcp.adapters.git.audit import audited
from tests.deltas import opened_repository
from tests.eval import alike, rows, undone
from tests.eval.history import History, written

Scene = Callable[[History], None]

_TUNED = range(20)
"""Seeds that the thresholds were chosen on; the report is on others."""
_REPORTED = range(1_000, 1_020)
_SCENES_EACH = 4


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.eval made", description=__doc__)
    parser.add_argument("--tuned", action="store_true", help="the histories that the thresholds were chosen on")
    parser.add_argument("--verbose", action="store_true", help="name every miss and every false alarm")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    rows.show([made(_TUNED if options.tuned else _REPORTED, verbose=options.verbose)], as_json=options.json)


def made(seeds: Sequence[int], *, verbose: bool = False) -> rows.Row:
    """Precision and recall over pairs of an undoing and an undone commit, and by scene."""
    hits = misses = alarms = commits = 0
    seconds = 0.0
    missed: Counter[str] = Counter()
    false: Counter[str] = Counter()
    for seed in seeds:
        for batch in _batches(random.Random(seed)):
            history, scene_of = _played(seed, batch)
            with tempfile.TemporaryDirectory() as folder:
                shas = written(history, Path(folder) / "made")
                with opened_repository(Path(folder) / "made") as repo:
                    found = audited(repo, last=100_000, progress=lambda *_: None)
            truth = {(shas[one.mark], shas[mark]) for one in history.commits for mark in one.undoes}
            told = {
                (one.change.sha, undone.change.sha)
                for one in found.reversals
                if one.verdict != "clear"
                for undone in one.silent
            }
            hits, misses, alarms = hits + len(truth & told), misses + len(truth - told), alarms + len(told - truth)
            commits, seconds = commits + found.commits, seconds + found.seconds
            marks = {sha: mark for mark, sha in shas.items()}
            missed.update(scene_of[marks[undoing]] for undoing, _ in truth - told)
            false.update(scene_of[marks[undoing]] for undoing, _ in told - truth)
    if verbose:
        print("missed", dict(missed), "false", dict(false))
    return {
        "histories": "made",
        "commits": commits,
        "reversals": hits + misses,
        "recall": round(hits / max(1, hits + misses), 4),
        "precision": round(hits / max(1, hits + alarms), 4),
        "ms_per_commit": round(1_000 * seconds / max(1, commits), 2),
    }


def _batches(chance: random.Random) -> list[list[Scene]]:
    """Every scene once, in any order, a few to a history."""
    scenes: list[Scene] = [*undone.SCENES, *alike.SCENES]
    chance.shuffle(scenes)
    return [scenes[at : at + _SCENES_EACH] for at in range(0, len(scenes), _SCENES_EACH)]


def _played(seed: int, scenes: Sequence[Scene]) -> tuple[History, dict[int, str]]:
    history = History(random.Random(f"{seed} {[scene.__name__ for scene in scenes]}"))
    history.start()
    scene_of = {commit.mark: "start" for commit in history.commits}
    for scene in scenes:
        missing = {"shop/cart.py", "shop/tax.py", "web/basket.ts"} - history.files.keys()
        for path in sorted(missing):  # an earlier scene moved or deleted it
            history.files[path] = [history.block(path) for _ in range(10)]
        if missing:
            history.commit("root", "More of a shop")
        scene(history)
        history.noise(2)
        scene_of |= {commit.mark: scene.__name__ for commit in history.commits if commit.mark not in scene_of}
    return history, scene_of
