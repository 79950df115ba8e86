"""A year of a large team in one store: `python -m tests.bench.year FILE [--runs N] [--repos N] [--days N]`.

By default 200 repositories, of which the first has a tenth of all, 200,000 runs, 1.2 million events, 100,000 notes and
50,000 landed changes of the last thirty days; the last twenty runs are live.
"""

import argparse
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from loomstack_mcp.core.changes.hunks import Hunk
from loomstack_mcp.core.changes.meaning import MEANING
from loomstack_mcp.core.changes.packing import packed
from loomstack_mcp.core.ids import BITS, Noun, spelled_id
from loomstack_mcp.core.patterns.globs import pattern
from loomstack_mcp.loom import open_loom
from loomstack_mcp.services.copied_tables import COPYING, LEDGER, TABLES
from loomstack_mcp.services.repos import REPOS
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Store, Tx
from loomstack_mcp.store.many import write_rows

DAY_MS = 24 * 60 * 60_000
_LEDGER_DAYS = 30
_LIVE = 20
_BATCH = 4_000
_LOOPS = ("triage", "refactor", "review", "docs", "upgrade", "flaky", "release", "security")
_PEOPLE = 60
_WORDS = ("the", "parser", "keeps", "comments", "because", "users", "diff", "them", "in", "every", "dialect", "nobody")
_PUT = {table.noun: table.put for table in (*TABLES, *LEDGER)}
_ORDER = tuple(_PUT)


@dataclass
class Year:
    """How much of it there is."""

    runs: int = 200_000
    repos: int = 200
    days: int = 365
    first_share: float = 0.1
    """Of all runs, how many are in the first repository."""
    random: Random = field(default_factory=lambda: Random(17))


def filled(store: Store, year: Year) -> None:
    """The store is as a year of use left it."""
    with store.append() as tx:
        now_ms, seqs = tx.now_ms, dict.fromkeys((f"example.com/team/repo-{n}" for n in range(year.repos)), 0)
        for name in seqs:
            tx.run(REPOS["insert"], repo_id=name, ignore_case=0, now_ms=now_ms - year.days * DAY_MS)
            tx.run(REPOS["name"], identity=name, repo_id=name)
    for first in range(0, year.runs, _BATCH):
        made: dict[str, list[Mapping[str, Any]]] = {noun: [] for noun in _ORDER}
        for number in range(first, min(first + _BATCH, year.runs)):
            for noun, row in _Story(year, number, now_ms, seqs).rows():
                made[noun].append(row)
        with store.append() as tx:
            _put(tx, made)
            for name, seq in seqs.items():
                tx.run(COPYING["advance"], repo_id=name, seq=seq)


def _put(tx: Tx, made: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    for noun in _ORDER:
        write_rows(tx, _PUT[noun], made[noun])


class _Story:
    """One run, from its start to its end, and what landed of it."""

    def __init__(self, year: Year, number: int, now_ms: int, seqs: dict[str, int]) -> None:
        self._random, self._seqs, self._number, self._now_ms = year.random, seqs, number, now_ms
        names = tuple(seqs)
        is_first = self._random.random() < year.first_share or len(names) == 1
        self._repo = names[0] if is_first else names[self._random.randrange(1, len(names))]
        left = year.runs - number
        self._is_live = left <= _LIVE
        self._at_ms = now_ms - 60_000 if self._is_live else now_ms - left * (year.days * DAY_MS // year.runs)
        self._id = self._new("run")
        self._loop = self._random.choice(_LOOPS)
        self._who = f"dev{self._random.randrange(_PEOPLE)}"
        self._fence = 0
        area = self._random.randrange(400)
        self._paths = [f"area{area}/part{self._random.randrange(40)}/" for _ in range(2)]
        self._files = [f"{folder}file{self._random.randrange(20)}.py" for folder in self._paths]

    def rows(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Each row with the noun of its table, in the order of the log."""
        start = self._event("run.started", self._id, {"loop": self._loop})
        yield "run", self._run(start)
        yield "event", start
        yield from self._claimed()
        if self._number % 2:
            yield from self._noted()
        if self._number % 2 == 0:
            yield "decision", self._decided()
        if self._is_live:
            return
        commit = f"{self._random.getrandbits(160):040x}"
        has_commit = self._number % 4 == 0
        told = self._event("outcome.recorded", out := self._new("out"), {"status": "done"})
        yield "event", told
        yield "outcome", self._outcome(out, told["seq"], [commit] if has_commit else [])
        yield "event", self._event("claim.released", self._claim_id, {})
        yield "event", self._event("run.ended", self._id, {"status": "done"})
        if has_commit:
            yield from self._landed(commit)
        if self._number % 100 == 0:
            yield from self._conflict(commit)

    def _run(self, start: Mapping[str, Any]) -> Mapping[str, Any]:
        end_ms = None if self._is_live else self._at_ms + 25 * 60_000
        return {
            "id": self._id, "repo_id": self._repo, "parent_id": None, "checks_run": None, "loop": self._loop,
            "goal": self._text(9), "key": "", "finding": "", "branch": f"loop/{self._number}",
            "worktree": f"/home/{self._who}/work/shop", "paths": rows.json_column(self._paths),
            "principal": self._who, "session": f"session-{self._number // 3}", "agent": "",
            "state": "live" if self._is_live else "ended", "status": "" if self._is_live else "done",
            "seq": start["seq"], "ttl_ms": 30 * 60_000, "expires_at_ms": self._at_ms + 30 * 60_000,
            "started_at_ms": self._at_ms, "seen_at_ms": end_ms or self._at_ms, "ended_at_ms": end_ms, "boot_id": "",
            "wall_ahead_ms": 0, "process": "", "origin": "asked" if self._number % 5 else "session",
        }  # fmt: skip

    def _claimed(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        self._claim_id = self._new("claim")
        event = self._event("claim.granted", self._claim_id, {"paths": self._files})
        yield "event", event
        end_ms = None if self._is_live else self._at_ms + 20 * 60_000
        yield "claim", {
            "id": self._claim_id, "repo_id": self._repo, "run_id": self._id, "fence": event["seq"],
            "mode": "exclusive", "intent": self._text(8), "patterns": rows.json_column(self._files),
            "ttl_ms": 30 * 60_000, "granted_at_ms": self._at_ms, "ended_at_ms": end_ms,
            "ended_how": "" if self._is_live else "released", "origin": "asked", "own_until_ms": None, "boot_id": "",
            "wall_ahead_ms": 0, "worktree": "", "ended_why": "",
        }  # fmt: skip
        if self._is_live:
            yield from self._keys("claim", self._claim_id, self._files)
            yield from self._keys("run", self._id, self._paths)

    def _noted(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        note = self._new("note")
        event = self._event("note.shared", note, {"kind": "fact"})
        yield "event", event
        kind = ("intent", "decision", "fact", "warning")[self._number // 2 % 4]
        expires_at_ms = self._at_ms + 7 * DAY_MS if kind == "warning" else None
        yield "note", {
            "id": note, "repo_id": self._repo, "run_id": self._id, "seq": event["seq"], "kind": kind,
            "authority": "loop", "who": self._who, "loop": self._loop, "text": self._text(24),
            "paths": rows.json_column(self._paths), "addressee": "", "supersedes": "", "contradicts": "[]",
            "shared_at_ms": self._at_ms, "expires_at_ms": expires_at_ms, "superseded_by": "",
        }  # fmt: skip
        if expires_at_ms is None or expires_at_ms > self._now_ms:
            yield from self._keys("note", note, self._paths)
            if expires_at_ms:
                yield "note_expiry", {"repo_id": self._repo, "expires_at_ms": expires_at_ms, "id": note}

    def _decided(self) -> Mapping[str, Any]:
        return {
            "id": self._new("dec"), "repo_id": self._repo, "run_id": self._id, "who": f"{self._loop}@{self._who}",
            "point": "tool", "actions": '["commit"]', "subject": rows.json_column({"paths": self._files}),
            "answer": ("allow", "warn", "deny")[self._number % 3], "reasons": "[]", "policy": "f" * 16,
            "decided_at_ms": self._at_ms, "about_run": "", "head": "",
        }  # fmt: skip

    def _outcome(self, out: str, seq: int, commits: Sequence[str]) -> Mapping[str, Any]:
        return {
            "id": out, "repo_id": self._repo, "run_id": self._id, "about_run": self._id, "seq": seq, "role": "maker",
            "status": "done", "summary": self._text(14), "passed": 12, "failed": 0, "failing": "[]", "tried": "",
            "finding": "", "commits": rows.json_column(commits), "links": "{}", "attempt": 1, "rework": 0,
            "next_action": "land", "recorded_at_ms": self._at_ms,
        }  # fmt: skip

    def _landed(self, commit: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        yield "binding", {
            "repo_id": self._repo, "short": commit[:7], "sha": commit, "run_id": self._id, "bound_by": "outcome",
            "imprinted": 0, "seen": 1, "made_at_ms": self._at_ms,
        }  # fmt: skip
        # Twelve changes each of the runs of the last month, whose own is one: 50,000 of a year's 200,000 runs.
        if self._at_ms < self._now_ms - _LEDGER_DAYS * DAY_MS:
            return
        for sha in (commit, *(f"{self._random.getrandbits(160):040x}" for _ in range(11))):
            run_id = self._id if sha == commit else ""
            yield "landed", {
                "repo_id": self._repo, "sha": sha, "at_ms": self._at_ms, "made_at_ms": self._at_ms,
                "author": self._who, "account": f"{self._who}@example.com", "title": self._text(7), "run_id": run_id,
                "said": 0, "whole": 1, "is_trunk": 1, "meaning": MEANING, "bound_by": "sha" if run_id else "",
                "hints": "[]",
            }  # fmt: skip
            for path in {*self._files, f"area{self._random.randrange(400)}/other.py"}:
                yield "landed_file", {
                    "sha": sha, "repo_id": self._repo, "path": path, "old_path": path, "before": sha[:20],
                    "after": sha[20:], "hunks": packed([self._hunk()]),
                }  # fmt: skip
            if run_id:
                yield from self._keys("change", sha, self._files)
        yield "imprint", {"repo_id": self._repo, "run_id": self._id, "meaning": MEANING, "seen_at_ms": self._at_ms,
                          "made_at_ms": self._at_ms, "lines": 40, "older": "[]"}  # fmt: skip
        for _ in range(40):
            mark = self._random.getrandbits(62)
            yield "imprint_mark", {"run_id": self._id, "meaning": MEANING, "mark": mark}

    def _hunk(self) -> Hunk:
        line = self._random.getrandbits
        removed, added = tuple(line(63) for _ in range(6)), tuple(line(63) for _ in range(8))
        return Hunk(before=10, before_lines=6, after=10, after_lines=8, takes=1, gives=2, kept_percent=0,
                    removed=removed, added=added)  # fmt: skip

    def _conflict(self, sha: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        conflict = self._new("conf")
        event = self._event("conflict.found", conflict, {"kind": "undo"})
        yield "event", event
        yield "conflict", {
            "id": conflict, "repo_id": self._repo, "run_id": self._id, "seq": event["seq"], "kind": "undo",
            "verdict": "warn", "sha": sha, "title": self._text(7), "who": "triage@dev1", "with_run": "",
            "paths": rows.json_column(self._files), "intent": "", "evidence": "[]", "landed_at_ms": self._at_ms,
            "found_at_ms": self._at_ms, "state": "void", "how": "the run ended (done)", "ended_at_ms": self._at_ms,
            "marks": "[]", "own_marks": "[]", "holder": "", "signer": "", "account": "", "agreed_by": "",
        }  # fmt: skip

    def _keys(self, noun: str, id: str, patterns: Sequence[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:  # noqa: A002
        for text, way in {(one, way) for one in patterns for way in pattern(one).ways}:
            yield "path_key", {"repo_id": self._repo, "noun": noun, "key": way.key.casefold(),
                               "extension": way.extension, "id": id, "pattern": text}  # fmt: skip

    def _event(self, kind: str, about: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        self._seqs[self._repo] += 1
        seq = self._seqs[self._repo]
        return {"repo_id": self._repo, "seq": seq, "at_ms": self._at_ms, "kind": kind, "run_id": self._id,
                "about": about, "payload": rows.json_column(payload)}  # fmt: skip

    def _new(self, noun: Noun) -> str:
        return spelled_id(noun, self._random.getrandbits(BITS))

    def _text(self, words: int) -> str:
        return " ".join(self._random.choices(_WORDS, k=words))


def _main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("file", type=Path)
    for name, count in (("runs", 200_000), ("repos", 200), ("days", 365)):
        asked.add_argument(f"--{name}", type=int, default=count)
    told = asked.parse_args()
    began_s = time.process_time()
    with open_loom(told.file) as loom:
        filled(loom.store, Year(runs=told.runs, repos=told.repos, days=told.days))
    size = sum(file.stat().st_size for file in told.file.parent.glob(f"{told.file.name}*"))
    print(f"{told.file}: {size / 1e6:,.0f} MB in {time.process_time() - began_s:.0f} s of CPU")


if __name__ == "__main__":
    _main()
