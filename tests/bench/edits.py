"""Eight sessions that only edit and commit, in one worktree: who is refused, who waits, and what is overwritten.

A turn is one attempt of each session, some half a minute of an agent's. Each works on tasks of one to three commits, of
one to three files each, and then checks its work for a while; what is refused for two minutes it leaves alone. Of the
files few are chosen often, as in histories. Every session writes a file whole, as it last read it, with a line of its
own more.
"""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from loomstack_mcp.adapters.git.worktree import worktree_at
from loomstack_mcp.adapters.settings import load_settings
from loomstack_mcp.loom import Loom, open_loom
from tests.bench.measure import Figure, at_most
from tests.conftest import environment, git
from tests.processes import HOOK, run

SESSIONS, TURNS, FILES = 8, 60, 120
_SKEW = 0.8
"""Zipf's: the first of the files is edited about four times as often as the seventh."""
_CHECK_TURNS = 4
_TURN_S = 30
_PATIENCE_TURNS = 4


class Holding(Protocol):
    """Who may edit what."""

    def may(self, session: str, file: str) -> bool: ...

    def committed(self, session: str, files: Sequence[str]) -> None: ...

    def done(self, session: str) -> None: ...


class Nothing:
    """Everybody edits everything."""

    def may(self, session: str, file: str) -> bool:
        return True

    def committed(self, session: str, files: Sequence[str]) -> None:
        pass

    def done(self, session: str) -> None:
        pass


class Locks(Nothing):
    """A file is locked at its first edit until the task is over."""

    def __init__(self) -> None:
        self._holders: dict[str, str] = {}

    def may(self, session: str, file: str) -> bool:
        return self._holders.setdefault(file, session) == session

    def done(self, session: str) -> None:
        self._holders = {file: holder for file, holder in self._holders.items() if holder != session}


class Hooks(Nothing):
    """The real hook, and commits that take files in."""

    def __init__(self, loom: Loom, shop: Path, env: Mapping[str, str]) -> None:
        worktree = worktree_at(shop)
        assert worktree
        self._loom = loom
        self._shop = shop
        self._env = dict(env)
        self._checkout = worktree.checkout()

    def may(self, session: str, file: str) -> bool:
        asked = {"session_id": session, "cwd": str(self._shop), "tool_name": "Edit"}
        payload = {**asked, "tool_input": {"file_path": str(self._shop / file)}}
        done = run([HOOK, "claude", "PreToolUse"], cwd=self._shop, env=self._env, given=json.dumps(payload), check=True)
        return not done.stdout

    def committed(self, session: str, files: Sequence[str]) -> None:
        if not files:
            return
        git(self._shop, "add", *files)
        git(self._shop, "commit", "--quiet", "--allow-empty", "-m", f"Work of {session}", "--", *files)
        self._loom.edits.settle(None, self._checkout, files)


@dataclass
class Counts:
    attempts: int = 0
    refused: int = 0
    waited: int = 0
    """Turns in which a session was refused all that it had left to do."""
    left: int = 0
    """Files that it gave up at last."""
    commits: int = 0
    written: list[tuple[str, str]] = field(default_factory=list)
    """Each file with the line that a session added."""


class Session:
    """One session's work, a turn at a time."""

    def __init__(self, name: str, folder: Path, counts: Counts) -> None:
        self._name = name
        self._chance = random.Random(name)
        self._folder = folder
        self._counts = counts
        self._commits = self._resting = self._waited = 0
        self._todo: dict[str, int] = {}
        self._read: dict[str, str] = {}
        self._begin_task()

    def turn(self, holding: Holding) -> None:
        if self._resting:
            self._resting -= 1
            if not self._resting:
                holding.done(self._name)
                self._begin_task()
            return
        for refused, file in enumerate(list(self._todo)[:2]):  # the refusal says to work on other paths
            self._counts.attempts += 1
            if holding.may(self._name, file):
                self._write(file, holding)
                return
            self._counts.refused += 1
            self._read.pop(file, None)
            if refused + 1 == len(self._todo):
                self._wait(holding)
                return
        self._todo = dict([*list(self._todo.items())[2:], *list(self._todo.items())[:2]])

    def _wait(self, holding: Holding) -> None:
        """All that is left is somebody else's: what is done is committed, and after a while the rest is left alone."""
        self._counts.waited += 1
        self._waited += 1
        holding.committed(self._name, list(self._read))
        self._read = {}
        if self._waited > _PATIENCE_TURNS:
            self._counts.left += len(self._todo)
            self._end_commit(holding)

    def _write(self, file: str, holding: Holding) -> None:
        path = self._folder / file
        if file not in self._read:
            self._read[file] = path.read_text()
        line = f"{self._name} {len(self._counts.written)}\n"
        self._read[file] += line
        path.write_text(self._read[file])
        self._counts.written.append((file, line))
        self._todo[file] -= 1
        if not self._todo[file]:
            del self._todo[file]
        if not self._todo:
            self._end_commit(holding)

    def _end_commit(self, holding: Holding) -> None:
        holding.committed(self._name, list(self._read))
        self._counts.commits += 1
        self._commits -= 1
        if self._commits:
            self._begin_commit()
        else:
            self._resting = self._chance.randint(1, _CHECK_TURNS)

    def _begin_task(self) -> None:
        self._commits = self._chance.randint(1, 3)
        self._begin_commit()

    def _begin_commit(self) -> None:
        weights = [1 / (rank + 1) ** _SKEW for rank in range(FILES)]
        drawn = self._chance.choices(range(FILES), weights, k=self._chance.randint(1, 3))
        self._todo = {f"f{number}.py": self._chance.randint(1, 4) for number in drawn}
        self._read = {}
        self._waited = 0


def played(folder: Path, holding: Holding) -> Counts:
    """The same sessions, held in this way."""
    counts = Counts()
    for number in range(FILES):
        (folder / f"f{number}.py").write_text("")
    sessions = [Session(f"{number:08d}-s", folder, counts) for number in range(SESSIONS)]
    order = random.Random(1)
    for _ in range(TURNS):
        order.shuffle(sessions)
        for session in sessions:
            session.turn(holding)
    return counts


def figures(home: Path, shop: Path) -> Iterator[Figure]:
    """Shares of refused attempts, waits, and lost updates: with nothing, with locks, with the hook."""
    env = environment(home, LOOMSTACK_STORE=f"sqlite:///{home}/edits.db")
    aside = home / "aside"
    aside.mkdir()
    with open_loom(load_settings({}, environment=env)) as loom:
        loom.repos.listed()  # makes the store
        for what, folder, holding in (
            ("nothing held", aside, Nothing()),
            ("locks until the task's end", aside, Locks()),
            ("held from the first edit", shop, Hooks(loom, shop, env)),
        ):
            counts = played(folder, holding)
            lost = sum(line not in (folder / file).read_text() for file, line in counts.written)
            share = f"{counts.refused / counts.attempts:.0%} of {counts.attempts} attempts refused"
            waits = f"{counts.waited * _TURN_S / 60:.0f} min waited of {SESSIONS * TURNS * _TURN_S // 60}"
            yield Figure(
                what, f"{share}, {waits}, {counts.commits} commits, {lost} of {len(counts.written)} edits lost"
            )
            if folder == shop:
                yield at_most("edits lost where files are held", lost, "edits", most=0)
