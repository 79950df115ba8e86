"""The server on the MCP SDK: over HTTP, for whatever the front does not know, and as its reference."""
