"""Streams of events in this process: who may hear no more is told no more, and who asks for too many waits."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import anyio
import pytest

from loomstack_mcp.loom import Loom
from loomstack_mcp.server.hub.rates import TooMany
from loomstack_mcp.server.ui import streams
from loomstack_mcp.server.ui.streams import EventStreams
from tests.factories import ANA, REPO
from tests.services.support import claimed, started

pytestmark = pytest.mark.sqlite


class Browser:
    """The other end of a stream: what it was sent, until it leaves."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.left = anyio.Event()

    async def receive(self) -> MutableMapping[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        self.got.append(message.get("body", b""))

    @property
    def text(self) -> str:
        return b"".join(self.got).decode()


async def listen(
    open_streams: EventStreams, browser: Browser, *, still: Callable[[], Awaitable[bool]], seat: str = "ana"
) -> None:
    await open_streams.stream(
        REPO, seat=seat, seen=None, opens_still=still, receive=browser.receive, send=browser.send
    )  # fmt: skip


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


@pytest.mark.parametrize(("check_s", "heartbeat_s"), [(0.0, 0.05), (0.05, 60.0)])
async def test_who_opens_the_repo_no_more_is_told_nothing_more_and_cut_off(
    loom: Loom, monkeypatch: pytest.MonkeyPatch, check_s: float, heartbeat_s: float
) -> None:
    monkeypatch.setattr(streams, "_CHECK_S", check_s)
    monkeypatch.setattr(streams, "_HEARTBEAT_S", heartbeat_s)
    started(loom, ANA)
    browser = Browser()
    with anyio.fail_after(20):
        await listen(EventStreams(loom), browser, still=no)

    assert browser.text.count("event:") == 1


async def test_what_happens_between_two_looks_is_heard_once_and_a_page_that_leaves_leaves_nothing(loom: Loom) -> None:
    started(loom, ANA)
    open_streams, browser = EventStreams(loom), Browser()
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(open_streams.watch)
            tasks.start_soon(lambda: listen(open_streams, browser, still=yes))
            while "hello" not in browser.text:
                await anyio.sleep(0.01)
            await anyio.to_thread.run_sync(lambda: [claimed(loom, ANA, f"src/{n}.py") for n in range(3)])
            while "event: change" not in browser.text:
                await anyio.sleep(0.01)
            browser.left.set()
            while open_streams._readers:
                await anyio.sleep(0.01)
            tasks.cancel_scope.cancel()

    assert '"kinds": ["claim.granted"]' in browser.text
    assert dict(open_streams._of_seat) == {}


async def test_one_more_than_a_token_may_have_waits_and_after_the_end_none_begins(
    loom: Loom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "SEAT_STREAMS_MAX", 1)
    started(loom, ANA)
    open_streams, browser = EventStreams(loom), Browser()
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: listen(open_streams, browser, still=yes))
            while not browser.got:
                await anyio.sleep(0.01)
            with pytest.raises(TooMany):
                await listen(open_streams, Browser(), still=yes)
            open_streams.end()
        with pytest.raises(TooMany):
            await listen(open_streams, Browser(), still=yes, seat="bea")

    assert browser.got[-1] == b""
