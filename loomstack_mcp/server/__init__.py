"""The MCP face: messages in, one service call, lean answers out."""
