"""`python -m tests.eval histories CLONE…`: what an audit says of clones here, and what it costs, git counted.

Each clone is audited in a process of its own. Stops are held against the committed readings: somebody read both
commits and said whether work was taken back; a stop that nobody read is listed.
"""

import argparse
import json
import resource
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from loomstack_mcp.adapters.git.audit import audited
from tests.deltas import opened_repository
from tests.eval import rows
from tests.eval.clones import git, name_of

_DATA = Path(__file__).with_name("data")
_TRUE = ("accident", "taken_back")
"""The readings of stops whose loss its author would want to hear of."""


@dataclass(frozen=True, kw_only=True)
class Audited:
    """One clone's audit, as far as figures need it."""

    name: str
    commits: int
    verdicts: Mapping[str, str]
    """Of every listed undoing commit."""
    listed: frozenset[tuple[str, str]]
    """Undone and undoing commit, those among one author's own changes included."""
    told: frozenset[tuple[str, str]]
    """Those of them that were warned of or stopped."""
    judged: frozenset[str]
    cpu_ms: float
    peak_mb: float


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.eval histories", description=__doc__)
    parser.add_argument("clones", nargs="+", type=Path, metavar="CLONE")
    parser.add_argument("--last", type=int, default=4_000, help="commits of each clone")
    parser.add_argument("--pairs", type=Path, default=_DATA / "fleet-pairs.json", help="known pairs, to be found again")
    parser.add_argument("--readings", type=Path, default=_DATA / "readings.json", help="what was read of the stops")
    parser.add_argument("--verbose", action="store_true", help="name the stops without a reading, and the missed pairs")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    pairs, readings = known_pairs(options.pairs), read_stops(options.readings)
    table = []
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as alone:
        for clone in options.clones:
            seen = alone.submit(looked_at, clone, options.last).result()
            table.append(figures(seen, pairs, readings))
            if not options.json:
                rows.show(table[-1:], as_json=False)
                _name(table[-1], verbose=options.verbose)
    if options.json:
        rows.show(table, as_json=True)


def looked_at(clone: Path, last: int) -> Audited:
    """Audit the newest commits; time and memory are those of the calling process and of the git that it ran."""
    with opened_repository(clone) as repo:
        found = audited(repo, last=last, progress=lambda *_: None)
    own, of_git = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return Audited(
        name=name_of(clone),
        commits=found.commits,
        verdicts={one.change.sha: one.verdict for one in found.reversals},
        listed=frozenset((undone.change.sha, one.change.sha) for one in found.reversals for undone in one.undoes),
        told=frozenset((undone.change.sha, one.change.sha) for one in found.reversals for undone in one.silent),
        judged=frozenset(git(clone, "rev-list", f"--max-count={last}", "HEAD").split()),
        cpu_ms=1_000 * (own.ru_utime + own.ru_stime + of_git.ru_utime + of_git.ru_stime),
        peak_mb=own.ru_maxrss / 1_024,
    )


def known_pairs(file: Path) -> list[Mapping[str, str]]:
    """Those of the file that were not shown to be none."""
    return [pair for pair in json.loads(file.read_text())["pairs"] if not pair.get("none")]


def read_stops(file: Path) -> dict[str, str]:
    """The verdict of a reader, by the sha of the undoing commit."""
    return {one["sha"]: one["verdict"] for one in json.loads(file.read_text())["readings"]}


def figures(seen: Audited, pairs: Sequence[Mapping[str, str]], readings: Mapping[str, str]) -> rows.Row:
    """One line about a clone."""
    stops = sorted(sha for sha, verdict in seen.verdicts.items() if verdict == "stop")
    read = Counter(readings[sha] for sha in stops if sha in readings)
    known = _those_of(seen.name, pairs, seen.judged)
    return {
        "history": seen.name,
        "commits": seen.commits,
        "stops": len(stops),
        "stops_per_1000": _rate(len(stops), seen.commits),
        "warnings_per_1000": _rate(list(seen.verdicts.values()).count("warn"), seen.commits),
        "stops_true": rows.share(sum(read[verdict] for verdict in _TRUE), read.total()),
        "known_pairs": rows.share(len(known & seen.listed), len(known)),
        "told_of": len(known & seen.told),
        "cpu_ms_per_commit": round(seen.cpu_ms / max(1, seen.commits), 2),
        "peak_mb": round(seen.peak_mb),
        "readings": dict(read),
        "unread": [sha for sha in stops if sha not in readings],
        "missed": sorted(f"{later} over {earlier}" for earlier, later in known - seen.listed),
    }


def _those_of(name: str, pairs: Sequence[Mapping[str, str]], judged: Collection[str]) -> frozenset[tuple[str, str]]:
    """The pairs of a repository, whoever owns this clone of it, that the audit could have found."""
    short = name.rpartition("/")[2]
    ours = (pair for pair in pairs if pair["repo"].rpartition("/")[2] == short)
    return frozenset((pair["earlier"], pair["later"]) for pair in ours if pair["later"] in judged)


def _rate(part: int, whole: int) -> float:
    return round(1_000 * part / max(1, whole), 2)


def _name(row: rows.Row, *, verbose: bool) -> None:
    for title in ("unread", "missed"):
        listed = row[title]
        assert isinstance(listed, list)
        if listed:
            print(f"  {title}: {len(listed)}" + (" " + ", ".join(listed) if verbose else ""))
