"""The hub: the services over HTTP for edges on other machines, and the door before them and before MCP's clients."""
