"""At most once: a call from another machine changes state by its id, and one that is sent again gets the same answer.

Whoever got no answer cannot know whether its call was done. It sends the very same again, by the same id: then it was
not done and is, or it was and the first answer is told once more, or it may have been and that is said.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from loomstack_mcp.core.errors import Invalid, LoomError, StoreUnavailable
from loomstack_mcp.core.limits import DAY_MS
from loomstack_mcp.core.records import record
from loomstack_mcp.store import queries
from loomstack_mcp.store.base import Store, Tx

ONCE = queries.statements("once")

KEPT_MS = DAY_MS
"""So long a call may be sent again."""
_SWEPT = 2
"""Calls that are forgotten with each answer that is kept: twice as many as come."""
_LOOKS, _LOOK_S = 10, 0.05
"""Whoever sends a call again while its answer is on its way finds it within half a second."""
_ANSWER_CHARS_MAX = 100_000
"""Of a longer answer only that the call was done is kept."""


@record
class OnceCall:
    """A call that changes state, as it came: the same call is the same in all of it."""

    id: str
    """Drawn by who calls, for this call alone."""
    principal: str
    method: str
    digest: str
    """Of its arguments."""


@record
class OnceAnswer:
    """What a call is answered, for the first time or once more."""

    text: str
    keep: Callable[[], None] | None = None
    """To be called once it is on its way: whoever waits for it does not wait for that, too."""


def answered_once(store: Store, call: OnceCall, do: Callable[[Store], str]) -> OnceAnswer:
    """The answer of a call, done at most once in a day whatever becomes of this process: `do` is given the store.

    What `do` raises was not kept: where it had written nothing, the call may be sent again. Raises Invalid for an id
    that another call has, StoreUnavailable where the call was begun and its answer is not known.
    """
    once = _Once(store, call)
    try:
        text = do(once)
    except LoomError:
        # What another attempt did may be what this one is refused for: so that is told first.
        if not once.is_begun and (first := _first_answer(store, call)):
            return first
        raise
    if not once.is_begun:
        return _first_answer(store, call) or OnceAnswer(text=text)
    return OnceAnswer(text=text, keep=lambda: _keep(store, call, text))


class _Once:
    """A store for one call: its first transaction that writes has the call's id, or is not done at all."""

    def __init__(self, store: Store, call: OnceCall) -> None:
        self._store = store
        self._call = call
        self.is_begun = False
        """Whether it has changed anything."""
        self.read, self.private = store.read, store.private
        self.listening, self.tells_news = store.listening, store.tells_news

    @contextmanager
    def write(self, repo_id: str | Callable[[Tx], str]) -> Iterator[Tx]:
        """As the store's."""
        with self._store.write(repo_id) as tx:
            self._begin(tx)
            yield tx
        self.is_begun = True

    @contextmanager
    def append(self) -> Iterator[Tx]:
        """As the store's."""
        with self._store.append() as tx:
            self._begin(tx)
            yield tx
        self.is_begun = True

    def close(self) -> None:
        """The store is another's."""

    def _begin(self, tx: Tx) -> None:
        """Nothing is done where another attempt at the call began already."""
        if not self.is_begun:
            told = {"id": self._call.id, **_telling(self._call), "expires_at_ms": tx.now_ms + KEPT_MS}
            tx.later(ONCE["begin"], _unknown(self._call), **told)


def _first_answer(store: Store, call: OnceCall) -> OnceAnswer | None:
    """That of an attempt that was made before, which may be about to keep it; None where there was none."""
    for look in range(_LOOKS):
        time.sleep(_LOOK_S if look else 0)
        with store.read() as tx:
            found = tx.last(ONCE["get"], id=call.id)
        if not found:
            return None
        if any(found[0][name] != value for name, value in _telling(call).items()):
            raise Invalid("this request id was used for another call; draw a new one for each call")
        if found[0]["answer"] is not None:
            return OnceAnswer(text=found[0]["answer"])
    raise _unknown(call)


def _keep(store: Store, call: OnceCall, answer: str) -> None:
    """Whoever sends the call again reads this; where it cannot be kept, that it may have been done."""
    with suppress(StoreUnavailable), store.append() as tx:  # it is done, and whoever called has the answer
        for _ in range(_SWEPT):
            tx.later(ONCE["sweep"], now_ms=tx.now_ms)
        if len(answer) <= _ANSWER_CHARS_MAX:
            tx.later(ONCE["answer"], id=call.id, answer=answer)


def _telling(call: OnceCall) -> dict[str, str]:
    return {"principal": call.principal, "method": call.method, "digest": call.digest}


def _unknown(call: OnceCall) -> StoreUnavailable:
    return StoreUnavailable(
        f"{call.method} was begun with this request id and its answer is not known: it may have been done, or is being "
        "done. Look at loom://claims and loom://runs, or at `loomstack-mcp events`, before you call it anew"
    )
