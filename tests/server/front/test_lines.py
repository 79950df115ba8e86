"""The front reads lines as the SDK does: what is a message, what is dropped, what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.server.front.lines import LINES, ping
from tests.server.front.sides import META, Pair, session
from tests.wire import MODERN


def test_each_line_is_answered_alike(tmp_path: Path, shop: Path) -> None:
    with Pair(tmp_path, shop) as pair:
        pair.initialize()
        for line in pair.known_first(LINES):
            pair.line(line)

        assert pair.request("ping")["result"] == {}


def test_a_last_line_needs_no_end_and_half_a_message_is_none(tmp_path: Path, shop: Path) -> None:
    whole = session(tmp_path / "whole", shop, [ping("1"), ping("2").strip()])
    half = session(tmp_path / "half", shop, [ping("1"), ping("2").strip()[:-4]])

    assert [answer["id"] for answer in whole] == [1, 2]
    assert [answer["id"] for answer in half] == [1]


PROBE = b'{"jsonrpc":"2.0","id":1,"method":"server/discover","params":%s}\n'
LISTED = b'{"jsonrpc":"2.0","id":2,"method":"resources/list","params":%s}\n'
OPENED = (
    b'{"jsonrpc":"2.0","id":3,"method":"initialize","params":{"protocolVersion":%s,"capabilities":{},'
    b'"clientInfo":{"name":"t","version":"1"}}}\n'
)
READY = b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n'
NEW = json.dumps({"_meta": META}).encode()
HALF = b'{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}'
OLD = NEW.replace(MODERN.encode(), b"2031-01-01")
PINGED = ping("9")
OLDEST = OPENED % b'"2024-11-05"'
LATEST = OPENED % b'"2025-11-25"'
OPENINGS = {
    "nothing": [],
    "probed, then the older era": [PROBE % NEW, PROBE % b"{}", PROBE % b"null", OLDEST, LISTED % b"{}"],
    "probed with half an envelope": [PROBE % HALF, PROBE % OLD, OLDEST],
    "probed, then the modern era": [PROBE % NEW, LISTED % NEW, PROBE % NEW, PROBE % b"{}"],
    "modern, then initialize": [LISTED % NEW, LATEST, OPENED % b"7"],
    "half an envelope settles the era": [LISTED % HALF, LISTED % NEW, LATEST],
    "an unknown revision settles it too": [LISTED % OLD, LATEST],
    "the older era refuses envelopes": [LATEST, LISTED % NEW, PROBE % NEW, PROBE % b"{}", LISTED % HALF],
    "nothing but a ping before initialize": [PINGED, LISTED % b"{}", PROBE % b"{}", LATEST],
    "ready before initialize": [READY, LISTED % b"{}"],
    "ready, then the modern era": [READY, LISTED % NEW],
    "a ping settles the older era": [PINGED, LISTED % NEW],
    "a ping settles it for a probe, too": [READY, PINGED, PROBE % NEW, LATEST],
    "what is no notification opens nothing": [READY.replace(b"2.0", b"1.0"), LISTED % b"{}"],
    "what looks like a notification opens nothing": [READY[:-2] + b',"params":[]}\n', LISTED % b"{}"],
    "initialized twice": [LATEST, READY, OLDEST, LISTED % b"{}"],
    **{f"revision {version}": [OPENED % version.encode()] for version in (
        '"2024-11-05"', '"2025-03-26"', '"2025-06-18"', '"2025-11-25"', '"2026-07-28"', '"1999-01-01"',
        '""', "null", "7",
    )},
}  # fmt: skip


@pytest.mark.parametrize("name", OPENINGS)
def test_each_opening_settles_the_same_era(tmp_path: Path, shop: Path, name: str) -> None:
    found = session(tmp_path, shop, OPENINGS[name])

    assert len(found) == len([line for line in OPENINGS[name] if b'"id":' in line])


CAPABILITIES: tuple[Any, ...] = (
    *({"roots": {"listChanged": {}}}, {"roots": {"listChanged": 1}}, {"sampling": {"tools": True}}, {"roots": None}),
    *({"elicitation": {"form": True}}, {"experimental": {"a": True}}, {"extensions": {"a": 1}}, {"tasks": {"list": 1}}),
    *({"tasks": {"requests": {"sampling": 7}}}, {"tasks": {"requests": {"sampling": {"createMessage": True}}}}),
    {"roots": {"listChanged": True}, "sampling": {"tools": {}}, "elicitation": {"form": {"x": 1}, "url": {}},
     "tasks": {"list": {}, "requests": {"elicitation": {"create": {}}}}, "extensions": {"a": {"b": [1]}}},
)  # fmt: skip


@pytest.mark.parametrize("modern", [False, True])
@pytest.mark.parametrize("given", CAPABILITIES, ids=json.dumps)
def test_what_a_client_says_it_can_is_read_alike(
    tmp_path: Path, shop: Path, given: dict[str, object], modern: bool
) -> None:
    text = json.dumps(given).encode()
    opening = (
        LISTED % NEW.replace(b"{}", text) if modern else LATEST.replace(b'"capabilities":{}', b'"capabilities":' + text)
    )

    assert text in opening
    assert [answer["id"] for answer in session(tmp_path, shop, [opening])] == [2 if modern else 3]


def test_the_modern_era_reads_lines_alike(tmp_path: Path, shop: Path) -> None:
    with Pair(tmp_path, shop, modern=True) as pair:
        pair.request("resources/list", {"_meta": META})
        for line in pair.known_first(LINES):
            pair.line(line)

        assert pair.request("tools/list", {"_meta": META})["result"]["tools"]
