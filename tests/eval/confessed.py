"""`python -m tests.eval confessed FILE…`: how many undos that later commits confess an audit of their time finds.

Each undoing commit is made the tip of a trunk and judged against the window before it, as it would have been had
somebody looked when it was about to land. `--hindsight` asks again with the confession as the tip: what was put back
since counts then.
"""

import argparse
import json
import tempfile
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from loomstack_mcp.adapters.git.audit import audited
from loomstack_mcp.core.changes.verdicts import Reversal
from tests.deltas import opened_repository
from tests.eval import rows
from tests.eval.clones import View, clone_of, git

_MANIFESTS = frozenset(
    ("package.json", "composer.json", "Cargo.toml", "go.mod", "Gemfile", "pyproject.toml", "setup.py", "setup.cfg")
)

_HINDSIGHT_MAX = 4_000
"""Of the commits up to a confession, to find the undoing one among them."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A change, the one that took it back, and the one that says so."""

    repo: str
    earlier: str
    later: str
    confessed_in: str
    age_days: float
    same_author: bool
    half: str = ""
    """`tune` where thresholds may be chosen on it, `report` where not, "" where nobody said."""
    paths: tuple[str, ...] = ()
    """Where, if it is known."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What an audit said of a pair."""

    pair: Pair
    verdict: str
    """Of the undoing commit; `missed` where it was not listed, `no clone` where there was nothing to look at."""
    named: bool
    """Whether the undone commit was among those that it was said to take back."""
    manifests: bool
    """Only manifests: no stop is asked for."""
    by_now: str = ""
    """The verdict when the confession had landed; "" where that was not asked, or too much lies between."""

    @property
    def found(self) -> bool:
        """Said of the right commit: aloud, or, of an author's own change, at all."""
        return self.named and (self.pair.same_author or self.verdict != "clear")


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.eval confessed", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--clones", type=Path, default=Path("clones"), metavar="DIR", help="where the repositories lie")
    parser.add_argument("--half", choices=("tune", "report"), help="only the pairs of this half")
    parser.add_argument("--hindsight", action="store_true", help="judge also with what landed up to the confession")
    parser.add_argument("--verbose", action="store_true", help="name every pair, not only what is missed")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    table = []
    for file in options.files:
        pairs = [pair for pair in read(file) if options.half in (None, pair.half)]
        judged = list(judge(pairs, options.clones, hindsight=options.hindsight))
        table += [figures(f"{file.name}, {who}", some) for who, some in _readers(judged)]
        if not options.json:
            _name(judged, verbose=options.verbose)
    rows.show(table, as_json=options.json)


def read(file: Path) -> list[Pair]:
    """The pairs of a file; keys that are not known are left out."""
    return [_pair(**one) for one in json.loads(file.read_text())["pairs"]]


def judge(pairs: Iterable[Pair], clones: Path, *, hindsight: bool = False) -> Iterator[Judged]:
    """Each pair, repository by repository; an undoing commit is audited once."""
    by_repo: dict[str, dict[str, list[Pair]]] = defaultdict(lambda: defaultdict(list))
    for pair in pairs:
        by_repo[pair.repo][pair.later].append(pair)
    for repo, by_later in sorted(by_repo.items()):
        yield from _judged(by_later, clone_of(repo, clones), hindsight=hindsight)


def figures(name: str, judged: Sequence[Judged]) -> rows.Row:
    """Found pairs and commits; stops are asked for where another author's work goes, and more than manifests."""
    looked = [one for one in judged if one.verdict != "no clone"]
    commits = {one.pair.later for one in looked}
    told = {one.pair.later for one in looked if one.found or one.verdict in ("warn", "stop")}
    weighty = {one.pair.later for one in looked if not one.pair.same_author} - _manifests_only(looked)
    stopped = {one.pair.later for one in looked if one.verdict == "stop"}
    return {
        "pairs": name,
        "found": rows.share(sum(one.found for one in looked), len(looked)),
        "commits": rows.share(len(told), len(commits)),
        "stops": rows.share(len(stopped & weighty), len(weighty)),
        **_by_now(looked, weighty),
        "not_here": len(judged) - len(looked),
        "missed": sorted(f"{one.pair.later} over {one.pair.earlier}" for one in looked if not one.found),
    }


def _by_now(judged: Sequence[Judged], weighty: Collection[str]) -> rows.Row:
    """The stops with hindsight, where it was asked for."""
    stopped = {one.pair.later for one in judged if "stop" in (one.verdict, one.by_now)}
    asked = any(one.by_now for one in judged)
    return {"stops_by_now": rows.share(len(stopped & set(weighty)), len(weighty))} if asked else {}


def _manifests_only(judged: Iterable[Judged]) -> set[str]:
    """The commits of whose pairs each is about manifests."""
    return {one.pair.later for one in judged} - {one.pair.later for one in judged if not one.manifests}


def _pair(*, paths: Sequence[str] = (), **rest: Any) -> Pair:  # Any: a file's JSON enters here
    known = {key: value for key, value in rest.items() if key in Pair.__dataclass_fields__}
    return Pair(paths=tuple(paths), **known)


def _judged(by_later: Mapping[str, Sequence[Pair]], clone: Path | None, *, hindsight: bool) -> Iterator[Judged]:
    with tempfile.TemporaryDirectory() as folder:
        view = View(clone, Path(folder)) if clone else None
        for later, pairs in by_later.items():
            if not view or not view.move(later):
                yield from (Judged(pair=pair, verdict="no clone", named=False, manifests=False) for pair in pairs)
                continue
            said = _said(view.folder, later)
            by_now = _verdict_by_now(view, pairs[0]) if hindsight else ""
            yield from (replace(_compared(pair, said), by_now=by_now) for pair in pairs)


def _said(folder: Path, later: str, *, last: int = 1) -> Reversal | None:
    """What an audit says of one of the newest commits."""
    with opened_repository(folder) as repo:
        found = audited(repo, last=last, progress=lambda *_: None)
    return next((one for one in found.reversals if one.change.sha == later), None)


def _verdict_by_now(view: View, pair: Pair) -> str:
    if not view.move(pair.confessed_in):
        return ""
    newer = git(view.folder, "rev-list", "--date-order", f"--max-count={_HINDSIGHT_MAX}", "main").split()
    said = _said(view.folder, pair.later, last=newer.index(pair.later) + 1) if pair.later in newer else None
    return said.verdict if said else ""


def _compared(pair: Pair, said: Reversal | None) -> Judged:
    only = bool(pair.paths) and all(path.rpartition("/")[2] in _MANIFESTS for path in pair.paths)
    if not said:
        return Judged(pair=pair, verdict="missed", named=False, manifests=only)
    named = any(undone.change.sha == pair.earlier for undone in said.undoes)
    return Judged(pair=pair, verdict=said.verdict, named=named, manifests=only or said.manifests)


def _readers(judged: Sequence[Judged]) -> tuple[tuple[str, list[Judged]], ...]:
    others = [one for one in judged if not one.pair.same_author]
    return ("different authors", others), ("all", list(judged))


def _name(judged: Sequence[Judged], *, verbose: bool) -> None:
    for one in judged:
        if verbose or not one.found:
            what = "found" if one.found else "MISSED" if not one.named else "told as agreed"
            own = ", own" if one.pair.same_author else ""
            print(
                f"  {what}: {one.pair.repo} {one.pair.later[:10]} ({one.verdict}) over {one.pair.earlier[:10]}, "
                f"{one.pair.age_days} days{own}; says {one.pair.confessed_in[:10]}"
            )
