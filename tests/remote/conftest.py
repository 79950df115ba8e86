"""A hub that answers on loopback, and a machine that joined it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from loomstack_mcp.loom import Loom
from tests.remote.hubs import Hub, a_hub, joined, opened


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with a_hub(tmp_path) as found:
        yield found


@pytest.fixture
def edge(tmp_path: Path, hub: Hub) -> Iterator[Loom]:
    with opened(joined(tmp_path / "home", hub)) as loom:
        yield loom
