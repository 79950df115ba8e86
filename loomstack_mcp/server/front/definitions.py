"""What the SDK's server says of itself, as it was recorded: a start builds no schema, and imports nothing to build it.

The file is written by `python -m tests.server.front.definitions`, and held against the SDK's server by a test.
"""

import json
import os

from loomstack_mcp import __version__
from loomstack_mcp.server.front.messages import Json

SERVER_INFO = {"name": "loomstack", "version": __version__}
PREFIX = "io.modelcontextprotocol/"
_FILE = os.path.join(os.path.dirname(__file__), "definitions.json")  # noqa: PTH118, PTH120 pathlib costs a start 3 ms


class Definitions:
    """The recorded results, by method, as both eras of the protocol carry them."""

    def __init__(self) -> None:
        with open(_FILE, encoding="utf-8") as file:  # noqa: PTH123 pathlib costs a start 3 ms
            recorded = json.load(file)
        self.revisions: list[str] = recorded["revisions"]
        """Those that begin with `initialize`."""
        self.modern: str = recorded["modern"]
        """The revision whose requests each bring an envelope."""
        self._results: Json = recorded["results"]
        self._cached: Json = recorded["cached"]
        self._complete: Json = recorded["complete"]
        self.schemas: dict[str, Json] = {
            tool["name"]: tool["inputSchema"] for tool in self._results["tools/list"]["tools"]
        }

    def initialized(self, revision: str) -> Json:
        """The result of `initialize` for a client of that revision."""
        return {**self._results["initialize"], "protocolVersion": revision, "serverInfo": SERVER_INFO}

    def listed(self, method: str, *, modern: bool) -> Json:
        """The result of a method whose answer is always the same."""
        return self.enveloped(self._results[method], modern=modern, cached=True)

    def enveloped(self, result: Json, *, modern: bool, cached: bool = False) -> Json:
        """A result as the era of the connection wants it."""
        if not modern:
            return result
        hints = self._cached if cached else {}
        return {**result, **hints, **self._complete, "_meta": {f"{PREFIX}serverInfo": SERVER_INFO}}
