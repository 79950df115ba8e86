"""Whoever reads a stream of events, with what it is still to be told: one merged message, however slow it reads."""

import json
from collections.abc import Iterable, Sequence

import anyio

from loomstack_mcp.core.events import Event

_RUNS_MAX = 50
_BEHIND_MAX = 1_000
"""Events; whoever missed more asks for everything anew."""


class PageReader:
    """One open page, in one repo."""

    def __init__(self, repo_id: str) -> None:
        self.repo_id = repo_id
        self.start: int | None = None
        """Where the repo was when it came; None until that is known."""
        self.woken = anyio.Event()
        self.is_over = False
        self._seq = 0
        self._kinds: dict[str, None] = {}
        self._runs: dict[str, None] = {}
        self._is_lost = False

    def tell(self, seq: int, found: Sequence[Event]) -> None:
        """These have happened, and the repo is there now."""
        self._seq = seq
        self._kinds |= dict.fromkeys(one.kind for one in found)
        self._runs |= dict.fromkeys(one.run_id for one in found if one.run_id)
        self._is_lost |= len(self._runs) > _RUNS_MAX
        self.woken.set()

    def lose(self, seq: int) -> None:
        """More has happened than can be told."""
        self._seq, self._is_lost = seq, True
        self.woken.set()

    def end(self) -> None:
        """Nothing more is told."""
        self.is_over = True
        self.woken.set()

    def taken(self) -> bytes:
        """What is to be told now, as a message; b"" for nothing."""
        self.woken = anyio.Event()
        if self.is_over:
            self.woken.set()
        if not (self._seq and (self._kinds or self._is_lost)):
            return b""
        kinds, runs = ([], []) if self._is_lost else (list(self._kinds), list(self._runs))
        body = {"repo": self.repo_id, "seq": self._seq, "kinds": kinds, "runs": runs}
        message = stream_message("reset" if self._is_lost else "change", self._seq, body)
        self._kinds, self._runs, self._is_lost = {}, {}, False
        return message


def stream_message(kind: str, seq: int, body: object, /) -> bytes:
    """One message of an event stream (HTML, §9.2)."""
    return f"event: {kind}\nid: {seq}\ndata: {json.dumps(body)}\n\n".encode()


def is_far_behind(seen: int, cursor: int, /) -> bool:
    """Whether whoever has seen so much, maybe of another store, is told nothing in between."""
    return not 0 <= cursor - seen <= _BEHIND_MAX


def read_repos(readers: Iterable[PageReader], /) -> dict[str, int]:
    """The repos that anybody reads of, each with where it was for who came first."""
    found: dict[str, int] = {}
    for one in readers:
        if one.start is not None:
            found[one.repo_id] = min(one.start, found.get(one.repo_id, one.start))
    return found
