"""The ledger and its checks: a thousand landed changes, and fifty thousand."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import count, islice
from pathlib import Path

from loomstack_mcp.adapters.git.proposal import Landing
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.worktree import Worktree, worktree_at
from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.edge.filling import fill_ledger
from loomstack_mcp.loom import open_loom
from tests.bench.measure import Figure, at_least, at_most, medians, ratio
from tests.conftest import git
from tests.eval.history import HOUR_S, History, written
from tests.wire import Server

_LANDED = 1_000
_FILES = 80
_MANY = 50_000
_MEGABYTE = 1_000_000


def figures(
    home: Path, calls: int, noop: Server, serving: Callable[[Path, Path], AbstractContextManager[Server]]
) -> Iterator[Figure]:
    trunk = home / "landed"
    history = _history()
    written(history, trunk)
    git(trunk, "reset", "--quiet", "--hard", "main")
    worktree = worktree_at(trunk)
    assert worktree
    checkout = worktree.checkout()
    yield from _filled(home, worktree, checkout)
    git(trunk, "worktree", "add", "--quiet", "-b", "mine", str(home / "mine"), "main")
    for path in history.files:
        file = home / "mine" / path
        file.write_text(f"{file.read_text()}\nmore\n")
    (home / "mine/area0/part.py").write_bytes(history.commits[_LANDED // 2].files["area0/part.py"])
    with serving(home / "landed.db", home / "mine") as server:
        found = server.answer("check_conflicts")
        assert found["verdict"] == "stop"
        cases: dict[str, Callable[[], object]] = {
            "no-op": lambda: noop.call("noop", {"text": "x"}),
            "check": lambda: server.answer("check_conflicts"),
        }
        taken = medians(cases, calls=max(5, calls // 10), warm_up=2)
        yield at_most(f"check_conflicts, {_LANDED:,} landed changes", taken["check"], "ms", most=1_000)
        yield ratio("the same", taken["check"], taken["no-op"])
        alone = sorted(server.answer("check_conflicts")["checked"]["ms"] for _ in range(5))[2]
        yield at_most("the reversal check alone", float(alone), "ms", most=200)


def _filled(home: Path, worktree: Worktree, checkout: Checkout) -> Iterator[Figure]:
    changes: list[Change] = []
    with open_loom(home / "landed.db") as loom:
        landing = Landing(Repository(worktree.place), target="", key=loom.ledger.key(checkout))
        began = time.monotonic()
        came = fill_ledger(loom.ledger, checkout, landing.history, since_ms=0, read=landing.reader(lambda *_: None))
        yield at_least("first fill of the ledger", came / (time.monotonic() - began), "commits/s", least=300)
        changes += landing.reader(lambda *_: None)([change.sha for change in landing.history])
    with open_loom(home / "many.db") as loom:
        numbered = (
            replace(change, sha=f"{number:040x}")
            for number in count()
            for change in changes[number % len(changes) :][:1]
        )
        many = list(islice(numbered, _MANY))
        fill_ledger(loom.ledger, checkout, many, since_ms=0, read=lambda _: many)
    size = sum(file.stat().st_size for file in home.glob("many.db*"))
    yield at_most(f"a ledger of {_MANY:,} commits", size / _MEGABYTE, "MB", most=200)


def _history() -> History:
    """A thousand commits of the last four weeks."""
    history = History(random.Random(1), now_s=round(time.time()) - 28 * 24 * HOUR_S)
    for number in range(_FILES):
        path = f"area{number}/part.py"
        history.files[path] = [history.block(path) for _ in range(12)]
    for number in range(_LANDED):
        history.now_s += 24 * HOUR_S * 27 // _LANDED
        for path in history.random.sample(sorted(history.files), k=2):
            history.change(path, history.random.choice(history.files[path]), lines=2)
        history.commit(f"dev{number % 7}", f"Change {number}", hours=0)
    return history
