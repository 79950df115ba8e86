"""What a call costs over a network: round trips, and those among them for which it keeps others out of its repo."""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from loomstack_mcp.loom import Loom
from loomstack_mcp.store import queries
from loomstack_mcp.store.postgres.line import DatabaseLine, Sent
from loomstack_mcp.store.postgres.migrate import postgres_store
from tests.databases import PostgresServer, fresh_database
from tests.factories import ANA, SHOP
from tests.hubs import ADMIN
from tests.services.support import CHEN, claimed, recorded, started

NOTES = queries.statements("notes")
Trips = Callable[[Callable[[], object]], tuple[int, int]]


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> Trips:
    """How many round trips a call makes, and how many of them from the lock of its repo to the end."""
    seen: list[list[str]] = []
    sent = DatabaseLine.sent

    def noted(line: DatabaseLine, statements: Sequence[Sent]) -> list[Any]:
        if threading.current_thread() is threading.main_thread():  # another tells the news
            seen.append([text for text, _ in statements])
        return sent(line, statements)

    def count(call: Callable[[], object]) -> tuple[int, int]:
        seen.clear()
        call()
        locks = [at for at, texts in enumerate(seen) if any("FOR NO KEY UPDATE" in text for text in texts)]
        ends = [at for at, texts in enumerate(seen) if "COMMIT" in texts and locks and at > locks[0]]
        return len(seen), ends[0] - locks[0] + 1 if locks else 0

    monkeypatch.setattr(DatabaseLine, "sent", noted)
    return count


@pytest.fixture
def shop(postgres_server: PostgresServer) -> Iterator[Loom]:
    with Loom(postgres_store(fresh_database(postgres_server)), rework_max=3) as loom:
        started(loom, ANA)
        started(loom, CHEN)
        claimed(loom, ANA, "src/held.py")
        with loom.store.read(), loom.store.read():
            pass  # a line for these calls, and one for the news
        yield loom


def test_a_grant_keeps_others_out_for_two_round_trips(shop: Loom, trips: Trips) -> None:
    run = started(shop, CHEN).id

    assert trips(lambda: claimed(shop, CHEN, "src/a.py", run=run)) == (3, 2)


def test_a_renewal_a_refusal_and_a_release_cost_little_more(shop: Loom, trips: Trips) -> None:
    run = started(shop, ANA).id
    claimed(shop, ANA, "src/b.py", run=run)

    assert trips(lambda: claimed(shop, ANA, "src/b.py", run=run)) == (4, 3)
    assert trips(lambda: shop.claims.release_paths(ANA, run)) == (4, 3)
    claimed(shop, ANA, "src/b.py", run=run)
    assert trips(lambda: claimed(shop, CHEN, "src/b.py")) == (8, 7)
    assert trips(lambda: shop.claims.release_paths(ANA, run)) == (10, 9)


def test_what_is_written_alone_and_what_is_read_once_takes_two(shop: Loom, trips: Trips) -> None:
    assert trips(lambda: shop.repos.ids()) == (2, 0)
    assert trips(lambda: shop.alerts.heard([])) == (0, 0)


def test_the_check_of_a_token_takes_one(shop: Loom, trips: Trips) -> None:
    token = shop.tokens.create(ADMIN, owner="ana", role="developer").text
    shop.tokens.checked(token)
    shop.tokens.settle()

    assert trips(lambda: shop.tokens.checked(token)) == (1, 0)


def test_a_start_an_edit_and_an_outcome(shop: Loom, trips: Trips) -> None:
    shop.edits.hold(ANA, SHOP, ["src/c.py"])

    assert trips(lambda: shop.edits.hold(ANA, SHOP, ["src/d.py"])) == (8, 5)
    assert trips(lambda: recorded(shop, ANA))[1] == 6
    assert trips(lambda: started(shop, CHEN))[1] == 6
