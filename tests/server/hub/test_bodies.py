"""Bodies that are too much to read: refused before they are, in no time, whoever reads them."""

import contextlib
import time
from pathlib import Path

import pytest

from loomstack_mcp.core.errors import LimitExceeded
from loomstack_mcp.server.hub.bodies import MCP_VALUES_MAX, VALUES_MAX, refuse_crowded
from tests.deadlines import seconds
from tests.hubs import Hub, made_token

CALL = b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "claim_paths", "arguments": %s}}'


@pytest.mark.parametrize("one", [b"[],", b"{},", b'"a",', b'"\\"",'])
def test_a_crowd_of_values_freezes_nobody(home: Path, hub: Hub, one: bytes) -> None:
    token, crowd = made_token(home, "ana", "agent"), b'{"paths": [' + one * (3_900_000 // len(one)) + b"1]}"
    over_mcp = hub.send("/mcp", CALL % crowd, method="POST", token=token)
    over_api = hub.send("/api/claims/held", crowd * 4, method="POST", token=token)

    assert (over_mcp.status, over_mcp.text[:27]) == (413, '{"error": "limit_exceeded: ')
    assert (over_api.status, over_api.code) == (400, "limit_exceeded")


def test_what_a_text_holds_is_no_value() -> None:
    refuse_crowded(b'{"content": "' + b"f(a, [b], {c}),\\n\\" * 200_000 + b'\\""}', most=MCP_VALUES_MAX)


@pytest.mark.parametrize(
    "body", [b'"' + b'\\"' * 8_000_000, b'"' + b"," * 16_000_000, b"\\" * 9_000_000 + b"," * 600_000]
)
def test_half_a_text_is_looked_at_once(body: bytes) -> None:
    began = time.thread_time()
    with contextlib.suppress(LimitExceeded):
        refuse_crowded(body, most=VALUES_MAX)

    assert time.thread_time() - began < seconds(2)
