"""MCP over streamable HTTP, as the hub's door has it: one server for many sessions, none of which is kept."""

from typing import Any

from mcp.server import MCPServer
from mcp.server.transport_security import TransportSecuritySettings


def mcp_app(server: MCPServer[Any]) -> Any:
    """The server as an application. Who may come, and under which names, the door has seen to."""
    opened = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    return server.streamable_http_app(stateless_http=True, transport_security=opened)
