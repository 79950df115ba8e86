"""What is asked at once is asked once, and nobody hears what was known before they asked, or what is another's."""

import traceback
from collections.abc import Awaitable, Callable

import anyio
import pytest

from loomstack_mcp.core.errors import NotFound
from loomstack_mcp.server.ui.together import AskedTogether

Ask = Callable[[], Awaitable[str]]


class Source:
    """Something that is asked slowly, and changes."""

    def __init__(self) -> None:
        self.state, self.asked = "old", 0
        self.go_on = anyio.Event()

    async def __call__(self) -> str:
        self.asked += 1
        seen = self.state
        await self.go_on.wait()
        return seen


@pytest.mark.anyio
async def test_who_comes_while_one_asks_hears_the_next_answer_which_is_asked_once() -> None:
    together, source = AskedTogether[str](), Source()
    told: dict[str, str] = {}

    async def ask(who: str) -> None:
        told[who] = await together("ana", source)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask, "first")
        await anyio.wait_all_tasks_blocked()
        source.state = "new"
        for number in range(100):
            tasks.start_soon(ask, f"later {number}")
        await anyio.wait_all_tasks_blocked()
        source.go_on.set()

    assert told.pop("first") == "old"
    assert set(told.values()) == {"new"}
    assert (len(told), source.asked) == (100, 2)
    assert (together._locks, together._last) == ({}, {})


@pytest.mark.anyio
async def test_two_who_differ_share_nothing_and_what_is_raised_is_told_to_all_who_share() -> None:
    together, source = AskedTogether[str](), Source()
    told: list[str] = []

    async def refuse() -> str:
        raise NotFound(f"nothing, {await source()}")

    async def ask(who: str, question: Ask) -> None:
        try:
            told.append(f"{who}: {await together(who, question)}")
        except NotFound as error:
            told.append(f"{who}: {error}")

    async with anyio.create_task_group() as tasks:
        for who, question in (("ana", source), ("bea", refuse), ("bea", refuse), ("bea", refuse)):
            tasks.start_soon(ask, who, question)
        await anyio.wait_all_tasks_blocked()
        source.go_on.set()

    assert sorted(told) == ["ana: old", *["bea: nothing, old"] * 3]
    assert source.asked == 3


@pytest.mark.anyio
async def test_a_fault_that_nobody_foresaw_is_waited_for_once_not_by_one_after_another() -> None:
    together, source = AskedTogether[str](), Source()
    frames: list[int] = []

    async def fail() -> str:
        raise ZeroDivisionError(await source())

    async def ask() -> None:
        try:
            await together("ana", fail)
        except ZeroDivisionError as error:
            frames.append(len(traceback.extract_tb(error.__traceback__)))

    async with anyio.create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        source.go_on.set()

    assert (len(frames), source.asked) == (50, 2)
    assert max(frames) < 10, "each tells its own way, not those of all before it"


@pytest.mark.anyio
async def test_who_leaves_takes_no_answer_from_those_who_wait() -> None:
    together, source = AskedTogether[str](), Source()
    told: list[str] = []
    leaving = [anyio.CancelScope() for _ in range(3)]

    async def ask(scope: anyio.CancelScope) -> None:
        with scope:
            told.append(await together("ana", source))

    async with anyio.create_task_group() as tasks:
        for scope in (*leaving, anyio.CancelScope(), anyio.CancelScope()):
            tasks.start_soon(ask, scope)
        await anyio.wait_all_tasks_blocked()
        for scope in leaving:
            scope.cancel()
        source.go_on.set()

    assert told == ["old", "old"]
    assert (together._locks, together._last) == ({}, {})
