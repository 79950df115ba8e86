"""`doctor` says which clients' sessions start slowly, because they ask for what the front does not know."""

import json
from collections.abc import Callable
from pathlib import Path

from tests.conftest import Run
from tests.wire import Server


def told(loomstack: Run) -> list[str]:
    checks = json.loads(loomstack("doctor", "--json").stdout)
    return [check["found"] for check in checks if check["check"] == "start"]


def test_a_client_of_a_newer_revision_is_named_once(serve: Callable[..., Server], loomstack: Run) -> None:
    for _ in range(2):
        with serve(initialize=False) as server:
            server.initialize("2099-01-01", client_name="new\x1bclient")

    [found] = told(loomstack)
    assert found.startswith(
        "sessions of newclient 1 load the MCP SDK (it asks for revision 2099-01-01 of the protocol)"
    )


def test_what_is_asked_for_later_is_named(serve: Callable[..., Server], loomstack: Run) -> None:
    server = serve()
    server.request("logging/setLevel", {"level": "info"})

    [found] = told(loomstack)
    assert "sessions of test 1" in found
    assert "it asks for logging/setLevel" in found


def test_nothing_is_said_of_sessions_that_the_front_serves(serve: Callable[..., Server], loomstack: Run) -> None:
    serve().answer("start_run", loop="loop", goal="goal")

    assert told(loomstack) == []


def test_a_file_that_holds_anything_else_says_nothing(tmp_path: Path, loomstack: Run) -> None:
    (tmp_path / "loomstack").mkdir()
    for text in ("", "{", "[1]", '[{"client": 1}]', '[{"client": "c", "asked": "a", "at_ms": 1}]', '{"a": []}'):
        (tmp_path / "loomstack" / "handovers.json").write_text(text, encoding="utf-8")
        assert told(loomstack) == []
