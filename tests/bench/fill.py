"""Stores as large teams would have them, filled in bulk with the statements that the services use."""

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.loom import open_loom
from loomstack_mcp.services import path_index
from loomstack_mcp.services.blockers import CLAIMS
from loomstack_mcp.services.note_index import NOTES
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Tx
from tests.factories import make_claim, make_note

_BATCH = 20_000
_DAY_MS = 24 * 60 * 60_000
_HOLDERS = Caller(principal="holder", session="holder")
_WORDS = ("the", "parser", "keeps", "comments", "because", "users", "diff", "them", "in", "every", "dialect")


def claims(path: Path, checkout: Checkout, count: int) -> None:
    """`count` exclusive claims, each on one file, spread over folders."""
    patterns = (f"area{number % 1000}/part{number // 1000}/file.py" for number in range(count))

    def add(tx: Tx, run_id: str, repo_id: str, number: int) -> None:
        pattern = next(patterns)
        made = make_claim(id=f"claim_{number:08d}", run_id=run_id, repo_id=repo_id, patterns=(pattern,),
                          fence=tx.next_seq(repo_id), ttl_ms=_DAY_MS, granted_at_ms=tx.now_ms)  # fmt: skip
        columns = rows.row(made)
        tx.run(CLAIMS["insert"], **{name: columns[name] for name in _CLAIM_COLUMNS})
        path_index.index_paths(tx, repo_id, "claim", made.id, made.patterns)

    _add(path, checkout, count, add)


def notes(path: Path, checkout: Checkout, count: int) -> None:
    """`count` live notes by loops, each on one folder."""

    def add(tx: Tx, run_id: str, repo_id: str, number: int) -> None:
        text = " ".join(_WORDS[(number * step) % len(_WORDS)] for step in range(3, 15))
        made = make_note(id=f"note_{number:08d}", run_id=run_id, repo_id=repo_id, text=text,
                         seq=tx.next_seq(repo_id), kind=("intent", "decision", "fact", "warning")[number % 4],
                         paths=(f"area{number % 500}/part{number % 7}/",), shared_at_ms=tx.now_ms)  # fmt: skip
        tx.run(NOTES["insert"], **rows.row(made))
        path_index.index_paths(tx, repo_id, "note", made.id, made.paths)

    _add(path, checkout, count, add)


def _add(path: Path, checkout: Checkout, count: int, add: Callable[[Tx, str, str, int], None]) -> None:
    with open_loom(path) as loom:
        run = loom.runs.start(_HOLDERS, checkout, loop="refactor", goal="hold", budget_tokens=100).run
        loom.claims.claim_paths(
            _HOLDERS, run.id, patterns=("held.py",), intent="hold", mode="exclusive", ttl_ms=_DAY_MS
        )
        for batch in _batches(count):
            with loom.store.append() as tx:
                for number in batch:
                    add(tx, run.id, run.repo_id, number)


def _batches(count: int) -> Iterator[list[int]]:
    numbers = iter(range(count))
    while batch := list(islice(numbers, _BATCH)):
        yield batch


_CLAIM_COLUMNS = ("id", "repo_id", "run_id", "fence", "mode", "intent", "patterns", "ttl_ms", "granted_at_ms")
