"""The named statements: each is read, prepared, called by somebody, and finds its rows by an index."""

import re
from pathlib import Path

import pytest

import loomstack_mcp
from loomstack_mcp.store import queries
from loomstack_mcp.store.base import Statement
from loomstack_mcp.store.sqlite.backend import SqliteStore
from loomstack_mcp.store.sqlite.migrate import migrating_store

PACKAGE = Path(loomstack_mcp.__file__).parent
FILES = sorted((PACKAGE / "store" / "sql" / "queries").glob("*.sql"))
STATEMENTS = [statement for file in FILES for statement in queries.statements(file.stem).values()]
OF_SQLITE = [statement for statement in STATEMENTS if not statement.name.startswith("postgres.")]
EVERY_ROW = {
    "hasty_runs.edited": {"repo"},  # nor does a hook of git in a hurry
    "boot.jump": {"repo"},  # one for each repository
    "changes.key": {"line_key"},
    **{f"copying.{noun}_rows": {noun} for noun in ("waiter", "note", "outcome", "notice")},  # moving house
    **{f"erasing.words_of_{noun}": {noun} for noun in ("note", "outcome", "notice")},  # as rarely
    "erasing.live": {"run"},
    **{f"tokens.forget_{what}": {"token"} for what in ("owner", "maker", "revoker")},
    "tokens.forget_subject": {"token_subject"},
    **{f"tokens.forget_{what}": {"power"} for what in ("power", "about")},
    "glance.near": {"repo"},  # a hook does not know yet in which one a file lies
    "notes.search": {"note_fts"},  # as the plan says it of the full-text index
    "notices.unsent": {"notice"},  # a day of what went wrong, for a person who asks
    "repos.cursors": {"repo"},
    "repos.ids": {"repo"},
    "repos.listed": {"repo"},
    "repos.move_waiters": {"waiter"},  # once in the life of a repository
    "repos.move_notes": {"note"},
    "repos.move_outcomes": {"outcome"},
    "repos.move_sightings": {"sighting"},
    "repos.move_notices": {"notice"},
    "repos.forget": {"note", "notice", "outcome", "waiter"},
    "sightings.call_of_tool": {"sighting"},  # of one person, some minutes long
    "tokens.listed": {"token"},  # some for each person, of which each is shown
    "tokens.powers": {"power"},
    "tokens.subjects": {"token_subject"},
}
"""Which statements look at every row of a table, and why they may."""
PRIVATE = "tokens."
"""Those of the database beside the store."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> SqliteStore:
    return migrating_store(tmp_path_factory.mktemp("queries") / "loom.db")


def parameters(statement: Statement) -> dict[str, None]:
    return dict.fromkeys(re.findall(r":(\w+)", re.sub(r"--.*|'[^']*'", "", statement.text)))


def test_no_statement_is_overlooked() -> None:
    headings = [line for file in FILES for line in file.read_text().splitlines() if ":name" in line]
    spellings = [statement for statement in STATEMENTS if statement.postgres]

    assert len(STATEMENTS) + len(spellings) == len(headings) > 70
    assert len({statement.name for statement in STATEMENTS}) == len(STATEMENTS)
    assert [statement.name for statement in STATEMENTS if not re.match(r"-- \S", statement.text)] == []
    assert [statement.name for statement in STATEMENTS if ";" in re.sub(r"--.*", "", statement.text)] == []


@pytest.mark.parametrize("statement", OF_SQLITE, ids=lambda statement: statement.name)
def test_a_statement_prepares_and_looks_at_no_more_than_it_needs(store: SqliteStore, statement: Statement) -> None:
    with (store.private() if statement.name.startswith(PRIVATE) else store).read() as tx:
        plan = tx.all(Statement("test.plan", f"EXPLAIN QUERY PLAN {statement.text}"), **parameters(statement))
        tables = {row["name"] for row in tx.all(Statement("test.tables", "SELECT name FROM sqlite_schema"))}
        aliases = dict(re.findall(r"(?:FROM|JOIN)\s+(\w+) AS (\w+)", statement.text))
    by_alias = {alias: table for table, alias in aliases.items()}
    scanned = {by_alias.get(name, name) for row in plan for name in re.findall(r"^SCAN (\w+)", row["detail"])}

    assert scanned & tables == EVERY_ROW.get(statement.name, set())


def test_each_statement_is_asked_by_somebody() -> None:
    sources = "\n".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    used = set(re.findall(r'\["(\w+)"\]', sources))

    assert [statement.name for statement in STATEMENTS if statement.name.partition(".")[2] not in used] == []
