"""The least that the SDK can do: a server with one tool that answers at once. What our figures are held against."""

from mcp.server import MCPServer

server = MCPServer("noop")


@server.tool()
async def noop(text: str) -> dict[str, str]:
    """Answer at once."""
    return {"text": text}


if __name__ == "__main__":
    server.run()
