"""What the front says of itself is what the SDK's server says, in every revision that it knows."""

import json

import pytest
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS

from tests.server.front.definitions import FILE, REVISIONS, recorded
from tests.wire import MODERN


@pytest.mark.parametrize("revision", REVISIONS)
def test_the_recorded_answers_are_those_of_the_sdks_server(revision: str) -> None:
    assert json.loads(FILE.read_text(encoding="utf-8")) == recorded(revision)


def test_every_revision_of_the_sdk_is_recorded() -> None:
    assert REVISIONS == HANDSHAKE_PROTOCOL_VERSIONS
    assert (MODERN,) == MODERN_PROTOCOL_VERSIONS
