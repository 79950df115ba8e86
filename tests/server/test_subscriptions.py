"""Listeners hear of what changed and of nothing else: the watcher's looks, one by one, over a real store."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from mcp.server.subscriptions import ResourceUpdated, ServerEvent

from loomstack_mcp.core.errors import StoreUnavailable
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import Loom
from loomstack_mcp.server.face import Face
from loomstack_mcp.server.front import listening as on_stdio
from loomstack_mcp.server.front.wire import Wire
from loomstack_mcp.server.sdk.bus import Bus, ListenerNews
from loomstack_mcp.services.events import EventService
from tests.deadlines import wait_until
from tests.factories import ANA, BEA

LISTS = ["loom://runs", "loom://claims", "loom://activity"]


class Listening:
    """A listener of its own, and the looks of the watcher that it hears of."""

    def __init__(self, face: Face) -> None:
        self.changes = Bus(face)
        self.heard: list[str] = []
        self.looks = ListenerNews(face)
        self.leave = self.changes.subscribe(self._hear)

    def _hear(self, event: ServerEvent) -> None:
        assert isinstance(event, ResourceUpdated)
        self.heard.append(event.uri)

    async def look(self) -> list[str]:
        """What is heard of one look."""
        self.heard.clear()
        await self.changes.look(self.looks)
        return list(self.heard)


@pytest.fixture
def face(loom: Loom, shop: Path) -> Face:
    return Face(Here(shop, {}, elsewhere=""), loom)


def started(face: Face, caller: Caller, *, checks_run: str = "") -> str:
    found = face.loom.runs.start(
        caller, face.looked_at(), loop="loop", goal="goal", patterns=(), beside=(), checks_run=checks_run,
        finding="", key="", rules=(), budget_tokens=1_000,
    )  # fmt: skip
    return found.run.id


def started_in(face: Face, name: str) -> str:
    return face.loom.runs.start(ANA, Checkout(identity=name), loop="loop", goal="goal", budget_tokens=100).run.id


async def test_a_newcomer_hears_of_every_list_once(face: Face) -> None:
    started(face, ANA)
    listening = Listening(face)

    assert await listening.look() == LISTS
    assert await listening.look() == []


async def test_a_run_that_starts_changes_runs_and_activity(face: Face) -> None:
    listening = Listening(face)
    await listening.look()
    run = started(face, ANA)

    assert await listening.look() == ["loom://activity", "loom://runs", f"loom://runs/{run}"]


async def test_a_claim_changes_claims_and_a_refused_one_does_not(face: Face) -> None:
    ana, bea = started(face, ANA), started(face, BEA)
    listening = Listening(face)
    await listening.look()
    asked: dict[str, Any] = {"patterns": ("src/",), "intent": "x", "mode": "exclusive", "ttl_ms": 60_000, "wait_ms": 0}
    face.loom.claims.claim_paths(ANA, ana, **asked)
    granted = await listening.look()
    face.loom.claims.claim_paths(BEA, bea, **asked)
    refused = await listening.look()

    assert granted == ["loom://activity", "loom://claims", f"loom://runs/{ana}"]
    assert refused == ["loom://activity", f"loom://runs/{bea}"]


async def test_a_note_changes_neither_runs_nor_claims(face: Face) -> None:
    run = started(face, ANA)
    listening = Listening(face)
    await listening.look()
    face.loom.notes.share(ANA, run, kind="fact", text="a fact", patterns=(), to="", expires_hours=0, supersedes="")

    assert await listening.look() == ["loom://activity", f"loom://runs/{run}"]


async def test_what_a_checker_records_changes_the_run_that_it_checks(face: Face) -> None:
    from loomstack_mcp.core.outcomes import CheckCounts

    made = started(face, ANA)
    checker = started(face, BEA, checks_run=made)
    listening = Listening(face)
    await listening.look()
    face.loom.outcomes.record(
        BEA, checker, status="passed", summary="8/8", role="checker", checks=CheckCounts(passed=8), tried="",
        finding="", commits=[], links={},
    )  # fmt: skip

    assert set(await listening.look()) >= {f"loom://runs/{made}", f"loom://runs/{checker}"}


async def test_where_nothing_moved_no_repo_is_asked_about(face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    since = EventService.since

    def noted(service: EventService, repo_id: str, **how: Any) -> Any:
        asked.append(repo_id)
        return since(service, repo_id, **how)

    monkeypatch.setattr(EventService, "since", noted)
    started(face, ANA)
    for number in range(3):
        started_in(face, f"acme/other-{number}")
    over_http = Face(Here(None, {}, elsewhere=""), face.loom)
    listening = Listening(over_http)
    await listening.look()
    quiet = [*asked, *await listening.look()]
    face.loom.runs.start(BEA, Checkout(identity="acme/other-1"), loop="loop", goal="goal", budget_tokens=100)
    heard = await listening.look()

    assert (quiet, asked) == ([], ["acme/other-1"])
    assert "loom://runs" in heard


async def test_what_could_not_be_told_of_one_repo_is_told_of_all_the_next_time(
    face: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    over_http, names = Face(Here(None, {}, elsewhere=""), face.loom), ("acme/one", "acme/other")
    since, away = EventService.since, [False]

    def away_at_last(service: EventService, repo_id: str, **how: Any) -> Any:
        if away[0] and repo_id == names[-1]:
            raise StoreUnavailable("away")
        return since(service, repo_id, **how)

    monkeypatch.setattr(EventService, "since", away_at_last)
    [started_in(face, name) for name in names]
    listening = Listening(over_http)
    await listening.look()
    runs = [started_in(face, name) for name in names]
    away[0] = True
    unheard = await listening.look()
    away[0] = False

    assert unheard == []
    assert {f"loom://runs/{run}" for run in runs} <= {*await listening.look()}


async def test_who_comes_during_a_look_hears_of_every_list_at_the_next(
    face: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    listening, later = Listening(face), list[str]()
    await listening.look()
    started(face, ANA)
    since = EventService.since

    def one_more_comes(service: EventService, repo_id: str, **how: Any) -> Any:
        monkeypatch.undo()
        listening.changes.subscribe(lambda event: later.append(event.uri))  # type: ignore[union-attr]
        return since(service, repo_id, **how)

    monkeypatch.setattr(EventService, "since", one_more_comes)
    await listening.look()
    later.clear()
    await listening.look()

    assert later == LISTS


def test_the_lists_are_told_to_a_newcomer_on_stdio_once_the_store_answers(
    face: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, sent, cursor = list[str](), list[dict[str, Any]](), EventService.cursor

    def away_at_first(service: EventService, repo_id: str) -> int:
        asked.append(repo_id)
        if len(asked) == 1:
            raise StoreUnavailable("away")
        return cursor(service, repo_id)

    monkeypatch.setattr(EventService, "cursor", away_at_first)
    monkeypatch.setattr(on_stdio, "_POLL_S", 0.05)
    stdio = on_stdio.Listening(face, cast("Wire", SimpleNamespace(send=sent.append)))
    stdio.begin(1, {}, frozenset(LISTS))
    wait_until(lambda: len(sent) > len(LISTS))
    stdio.cancel(1)
    wait_until(lambda: not stdio._watching)

    assert [one["params"].get("uri") for one in sent] == [None, *LISTS]


async def test_nothing_is_kept_for_those_who_left(face: Face) -> None:
    listening = Listening(face)
    await listening.look()
    listening.leave()
    await listening.look()

    assert (listening.looks._watches, listening.looks._seen) == ({}, {})


async def test_who_left_hears_nothing_more(face: Face) -> None:
    listening = Listening(face)
    listening.leave()
    started(face, ANA)

    assert await listening.look() == []


async def test_each_of_many_changes_is_told_once(face: Face) -> None:
    listening = Listening(face)
    await listening.look()
    runs = [started(face, ANA) for _ in range(3)]

    heard = await listening.look()
    assert sorted(heard) == sorted({"loom://activity", "loom://runs", *(f"loom://runs/{run}" for run in runs)})
