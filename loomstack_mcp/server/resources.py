"""Resources: the repo's runs, claims and activity, and one run, as JSON."""

import json
from collections.abc import Callable
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ResourceNotFoundError, ToolError

from loomstack_mcp.core.briefing import lean
from loomstack_mcp.core.errors import NotFound
from loomstack_mcp.core.shown import claim_shown, event_shown, outcome_shown, run_shown
from loomstack_mcp.server.face import Face

_LIMIT = 100
_JSON = "application/json"


class Resources:
    """What the repo that the process stands in looks like now."""

    def __init__(self, face: Face) -> None:
        self._face = face
        self._loom = face.loom

    async def runs(self) -> str:
        def work() -> list[Any]:
            found, now_ms = self._loom.runs.latest(self._repo_id(), limit=_LIMIT)
            return [lean(run_shown(run, now_ms=now_ms)) for run in found]

        return await self._json(work)

    async def claims(self) -> str:
        def work() -> list[Any]:
            found, now_ms = self._loom.claims.held(self._repo_id(), limit=_LIMIT)
            return [lean(claim_shown(claim, now_ms=now_ms)) for claim in found]

        return await self._json(work)

    async def activity(self) -> str:
        def work() -> list[Any]:
            found, now_ms = self._loom.events.latest(self._repo_id(), limit=_LIMIT)
            return [lean(event_shown(event, now_ms=now_ms)) for event in found]

        return await self._json(work)

    async def one_run(self, run: str) -> str:
        def work() -> dict[str, Any]:
            found = self._loom.runs.details(run)
            return {
                **lean(run_shown(found.run, now_ms=found.now_ms)),
                "claims": [lean(claim_shown(claim, now_ms=found.now_ms)) for claim in found.claims],
                "outcomes": [outcome_shown(outcome, now_ms=found.now_ms) for outcome in found.outcomes],
            }

        return await self._json(work)

    def _repo_id(self) -> str:
        return self._loom.repos.found(self._face.here())

    async def _json(self, work: Callable[[], Any]) -> str:
        try:
            return json.dumps(await self._face.run(work), ensure_ascii=False)
        except ToolError as error:
            if isinstance(error.__context__, NotFound):
                raise ResourceNotFoundError(str(error)) from None
            raise


def add(server: MCPServer[Any], face: Face) -> None:
    """Register the resources."""
    found = Resources(face)
    for uri, function, description in (
        ("loom://runs", found.runs, "The last 100 runs of this repository"),
        ("loom://claims", found.claims, "What is held in this repository now"),
        ("loom://activity", found.activity, "The last 100 events of this repository"),
        ("loom://runs/{run}", found.one_run, "One run: its claims and outcomes"),
    ):
        server.resource(uri, mime_type=_JSON, description=description)(function)
