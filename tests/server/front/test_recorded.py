"""What real clients and the conformance suite sent, once recorded, through the front and the SDK's server."""

from pathlib import Path

import pytest

from tests.server.front.record import RECORDED
from tests.server.front.sides import Pair

RECORDS = sorted(RECORDED.glob("*.jsonl"))
OLDER = ("codex", "conformance_2025-11-25")


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem)
def test_a_recorded_session_is_answered_alike(tmp_path: Path, shop: Path, record: Path) -> None:
    with Pair(tmp_path, shop, modern=record.stem not in OLDER) as pair:
        lines = pair.known_first(record.read_bytes().splitlines(keepends=True))
        answered = [message for line in lines for message in pair.line(line)]

        assert len(answered) >= 10
        assert pair.request("resources/templates/list", {}) is not None


def test_every_client_is_recorded() -> None:
    assert [record.stem for record in RECORDS] == [
        "claude_code", "codex", "conformance_2025-11-25", "conformance_2026-07-28",
    ]  # fmt: skip
