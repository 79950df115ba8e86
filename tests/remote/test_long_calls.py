"""Calls that may take long: what ends them between here and the hub says nothing of the hub to others."""

from dataclasses import replace
from pathlib import Path

import pytest

from loomstack_mcp.core.errors import StoreUnavailable
from loomstack_mcp.remote import line
from tests.remote.hubs import a_hub, answering, joined
from tests.remote.test_remote import opened


@pytest.mark.parametrize("raw", [b"HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n", b""])
def test_a_proxy_that_waits_for_no_long_answer_makes_no_hub_away_for_hooks(
    tmp_path: Path, raw: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "_REACH_S", 0.5)
    home = tmp_path / "home"
    with (
        a_hub(tmp_path) as hub,
        answering(raw, after_s=0.6) as url,
        opened(joined(home, replace(hub, url=url))) as edge,
    ):
        with pytest.raises(StoreUnavailable, match="away"):
            edge.events.moved("host/shop", seen=0, wait_ms=20_000)
        marked = [file.name for file in home.glob("hub-away")]
        with pytest.raises(StoreUnavailable, match="away"):
            edge.events.cursor("host/shop")

    assert (marked, [file.name for file in home.glob("hub-away")]) == ([], ["hub-away"])
