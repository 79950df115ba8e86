"""Open questions: whether a repo has moved, asked by edges and answered once it has, or once their time is over.

None of them has a thread while it waits, nor a place among the calls of its token.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Hashable, Iterator

import anyio

from loomstack_mcp.core.errors import LoomError
from loomstack_mcp.core.limits import OPEN_QUESTION_MS_MAX, SECOND_MS
from loomstack_mcp.core.records import record
from loomstack_mcp.server.hub.replies import Receive
from loomstack_mcp.server.waits import Waits

QUESTIONS_MAX, TOKEN_QUESTIONS_MAX = 1_000, 50
"""That are open at once, and of one token; whoever asks one more is answered at once, and asks again as seldom."""
_APART_S = 0.2
"""Who waits in a busy repo is told so seldom, and asks again: each wake costs two calls of its token."""


@record
class OpenQuestion:
    """What an edge wants to be told of, as its token opens it."""

    repo_id: str
    seen: int
    wait_ms: int
    cursor: int
    """Where the repo is."""


class OpenQuestions:
    """All that are open in this process."""

    def __init__(self, waits: Waits) -> None:
        self._waits = waits
        self._wakes: set[anyio.Event] = set()
        self._of_token: defaultdict[Hashable, int] = defaultdict(int)
        self._is_ending = False

    async def moved(self, asked: OpenQuestion, key: Hashable, receive: Receive) -> int | LoomError:
        """Where the repo is once it has moved on, the time is over, whoever asks is gone, or none is left open."""
        is_full = len(self._wakes) >= QUESTIONS_MAX or self._of_token.get(key, 0) >= TOKEN_QUESTIONS_MAX
        wait_s = min(asked.wait_ms, OPEN_QUESTION_MS_MAX) / SECOND_MS
        if asked.cursor != asked.seen or is_full or self._is_ending or wait_s <= 0:
            return asked.cursor
        loop, woken = asyncio.get_running_loop(), anyio.Event()
        heard: list[int | LoomError] = []

        def wake(found: int | LoomError | None) -> None:
            heard.append(asked.cursor if found is None else found)
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(woken.set)

        with self._counted(key, woken), self._waits.watched(asked.repo_id, asked.seen, wake=wake):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_until_gone, receive, woken)
                with anyio.move_on_after(wait_s):
                    began_s = loop.time()
                    await woken.wait()
                    if not self._is_ending:
                        await anyio.sleep(max(0, began_s + _APART_S - loop.time()))
                tasks.cancel_scope.cancel()
        return heard[-1] if heard else asked.cursor

    def end(self) -> None:
        """Each is answered now, and none is left open any more."""
        self._is_ending = True
        for woken in self._wakes:
            woken.set()

    @contextlib.contextmanager
    def _counted(self, key: Hashable, woken: anyio.Event) -> Iterator[None]:
        self._wakes.add(woken)
        self._of_token[key] += 1
        try:
            yield
        finally:
            self._wakes.remove(woken)
            self._of_token[key] -= 1
            if not self._of_token[key]:
                del self._of_token[key]


async def _until_gone(receive: Receive, woken: anyio.Event) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    woken.set()
