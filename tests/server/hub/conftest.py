"""A hub of a module's own, and its way of serving in a thread of this process."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import anyio.from_thread
import pytest

from loomstack_mcp.server.hub.addresses import listening
from loomstack_mcp.server.hub.connections import HubConnections
from loomstack_mcp.server.hub.serving import serve_hub
from loomstack_mcp.server.hub.standing import Standing
from tests.hubs import Hub, running_hub
from tests.server.hub.raw import Served


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hub")


@pytest.fixture(scope="module")
def hub(home: Path) -> Iterator[Hub]:
    with running_hub(home) as started:
        yield started


@pytest.fixture
def served() -> Served:
    """Serve an application in a thread of this process; what it yields is the port."""

    @contextlib.contextmanager
    def serving(app: Any, *, strangers_max: int = 100, most: int = 1_000) -> Iterator[int]:
        connections = HubConnections(most, strangers_max=strangers_max)
        standing = Standing(lambda: None)
        with listening("127.0.0.1", 0) as listener, anyio.from_thread.start_blocking_portal() as portal:

            async def serve() -> None:
                await serve_hub(app, listener, standing, connections, beside=anyio.sleep_forever, on_end=lambda: None)

            under_way = portal.start_task_soon(serve)
            yield int(listener.getsockname()[1])
            under_way.cancel()

    return serving
