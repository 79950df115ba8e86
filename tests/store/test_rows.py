"""Records go through the database unchanged, whatever their words."""

from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loomstack_mcp.core.changes.conflict_records import Conflict
from loomstack_mcp.core.claims import Claim, Waiter
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.events import Alert, Event
from loomstack_mcp.core.notes import Note
from loomstack_mcp.core.outcomes import Outcome
from loomstack_mcp.core.runs import Run
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Statement, Store
from loomstack_mcp.store.postgres.migrate import postgres_store
from loomstack_mcp.store.sqlite.migrate import migrating_store
from tests.databases import PostgresServer, fresh_database

LEAST, MOST = -(1 << 63), (1 << 63) - 1
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(LEAST, MOST) | st.text(), lambda inner: st.lists(inner), max_leaves=4
)
KINDS = {Alert: "alert", Claim: "claim", Conflict: "conflict", Event: "event", Note: "note", Outcome: "outcome",
         Run: "run", Waiter: "waiter"}  # fmt: skip
OBJECTS = {"payload": st.dictionaries(st.text(), JSON), "links": st.dictionaries(st.text(), st.text())}
JOINED = {"expires_at_ms", "loop", "principal"}
"""What claims and waiters show of their run."""


TEXTS, WHOLES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), st.integers(LEAST, MOST)
TYPES: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXTS,
    int: WHOLES,
    tuple[str, ...]: st.lists(TEXTS).map(tuple),
    tuple[int, ...]: st.lists(WHOLES).map(tuple),
}
"""By the annotation of a field: to register them for all would change what other tests draw."""


def records(kind: type[Any]) -> st.SearchStrategy[Any]:
    hints = get_type_hints(kind)
    needed = [field.name for field in fields(kind) if field.default is MISSING]
    drawn: dict[str, Any] = {name: OBJECTS.get(name, TYPES.get(hints[name], ...)) for name in needed}
    return st.builds(kind, **drawn)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    if request.param == "sqlite":
        opened: Store = migrating_store(Path(tmp_path_factory.mktemp("rows")) / "loom.db")
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        opened = postgres_store(fresh_database(server))
    yield opened
    opened.close()


@pytest.mark.parametrize("kind", KINDS, ids=KINDS.values())
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(given_=st.data())
def test_a_record_comes_back_as_it_went(store: Store, kind: type[Any], given_: st.DataObject) -> None:
    record = given_.draw(records(kind))
    columns = rows.row(record)
    echo = Statement("test.echo", "SELECT " + ", ".join(f':{name} AS "{name}"' for name in columns))
    with store.read() as tx:
        found = rows.as_records(kind, tx.all(echo, **columns))

    assert found == (record,)


@pytest.mark.parametrize("kind", KINDS, ids=KINDS.values())
def test_each_field_has_a_column_of_its_name(store: Store, kind: type[Any]) -> None:
    with store.read() as tx:
        columns = {row["name"] for row in tx.all(columns_of(KINDS[kind]))}

    missing = {field.name for field in fields(kind)} - columns
    assert missing <= (JOINED if kind in (Claim, Waiter) else set())


def columns_of(table: str) -> Statement:
    ours = f"SELECT column_name AS name FROM information_schema.columns WHERE table_name = '{table}'"
    return Statement("test.columns", f"PRAGMA table_info({table})", postgres=ours)


def test_a_text_that_one_of_them_could_not_keep_is_refused_by_both(store: Store) -> None:
    echo = Statement("test.echo", "SELECT :text AS text")
    with pytest.raises(Invalid, match="text holds the character NUL"), store.read() as tx:
        tx.all(echo, text="a\0b")
    with store.read() as tx:
        found = tx.all(echo, text="a\\u0000b\ufffd\U0001f600")

    assert found == [{"text": "a\\u0000b\ufffd\U0001f600"}]
