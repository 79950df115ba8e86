"""The stories run over both databases: the user's own settings name the one that is no file."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests import databases

Change = Callable[..., None]


@pytest.fixture(autouse=True)
def stored_in(request: pytest.FixtureRequest, database: str, tmp_path: Path) -> str:
    """The store of every process whose home is `tmp_path`: a database's URL, or "" for the usual file."""
    if database == "sqlite":
        return ""
    url = str(request.getfixturevalue("_postgres_url"))
    databases.emptied(url)
    (tmp_path / "loomstack").mkdir()
    (tmp_path / "loomstack/config.yaml").write_text(f"store: {url}\n")
    return url


@pytest.fixture
def change_store(stored_in: str, tmp_path: Path) -> Change:
    """Change what the store keeps, behind the back of everybody: a statement with `?` for its values."""

    def change(text: str, *values: object) -> None:
        if not stored_in:
            with sqlite3.connect(tmp_path / "loomstack/loom.db") as file:
                file.execute(text, values)
            return
        with psycopg.connect(stored_in, options="-c search_path=loom") as database:
            database.execute(text.replace("?", "%s").encode(), values)

    return change
