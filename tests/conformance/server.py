"""Our server over HTTP, in the mode that `serve --http` uses, with the suite's fixtures and without a token.

With an argument: what it is asked is written down in that file.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import anyio
import uvicorn

from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import open_loom
from loomstack_mcp.server.face import Face
from loomstack_mcp.server.hub.addresses import listening
from loomstack_mcp.server.sdk.app import build_server
from loomstack_mcp.server.sdk.bus import Bus
from tests.conformance import fixtures


def main() -> None:
    """Print the address on stderr and serve until killed: the suite sends no token."""
    with tempfile.TemporaryDirectory() as home, open_loom(Path(home) / "loom.db") as loom:
        face = Face(Here(None, {"home": home}, elsewhere="name one"), loom)
        server = build_server(face, Bus(face))
        fixtures.add(server)
        listener = listening("127.0.0.1", 0)
        print(f"http://localhost:{listener.getsockname()[1]}/mcp", file=sys.stderr, flush=True)
        app: Any = server.streamable_http_app(stateless_http=True)
        if record := sys.argv[1:]:
            app = _recorded(app, Path(record[0]))
        config = uvicorn.Config(app, log_level="warning", access_log=False, http="h11")
        anyio.run(lambda: uvicorn.Server(config).serve(sockets=[listener]))


def _recorded(app: Any, record: Path) -> Any:
    """The application, with each body that it is posted as a line of a file."""

    async def recorded(scope: Any, receive: Any, send: Any) -> None:
        body = b""

        async def received() -> Any:
            nonlocal body
            part = await receive()
            body += part.get("body", b"")
            if body and not part.get("more_body"):
                with record.open("ab") as file:
                    file.write(body.replace(b"\n", b" ") + b"\n")
                body = b""
            return part

        await app(scope, received, send)

    return recorded


if __name__ == "__main__":
    main()
