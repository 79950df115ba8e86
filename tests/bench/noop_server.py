"""The least that the SDK can do: a server with one tool that answers at once. What our figures are held against."""

import socket
import sys

from mcp.server import MCPServer

server = MCPServer("noop")


@server.tool()
async def noop(text: str) -> dict[str, str]:
    """Answer at once."""
    return {"text": text}


def serve_http() -> None:
    """In the mode that ours is in."""
    import anyio
    import uvicorn  # the no-op on stdio must not wait for it

    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/mcp", file=sys.stderr, flush=True)
    app = server.streamable_http_app(stateless_http=True)
    config = uvicorn.Config(app, log_level="warning", access_log=False, http="h11")
    anyio.run(lambda: uvicorn.Server(config).serve(sockets=[listener]))


if __name__ == "__main__":
    if "--http" in sys.argv:
        serve_http()
    else:
        server.run()
