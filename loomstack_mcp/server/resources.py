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


def add(server: MCPServer[Any], face: Face) -> None:
    """Register the resources of the repo that the process stands in."""
    loom = face.loom

    def repo_id() -> str:
        return loom.repos.found(face.checkout())

    async def read(uri: str, work: Callable[[], Any]) -> str:
        try:
            return json.dumps(await face.run(work), ensure_ascii=False)
        except ToolError as error:
            if isinstance(error.__context__, NotFound):
                raise ResourceNotFoundError(f"{uri}: {error}") from None
            raise

    @server.resource("loom://runs", mime_type=_JSON, description="The last 100 runs of this repository")
    async def runs() -> str:
        def work() -> list[Any]:
            found, now_ms = loom.runs.latest(repo_id(), limit=_LIMIT)
            return [lean(run_shown(run, now_ms=now_ms)) for run in found]

        return await read("loom://runs", work)

    @server.resource("loom://claims", mime_type=_JSON, description="What is held in this repository now")
    async def claims() -> str:
        def work() -> list[Any]:
            found, now_ms = loom.claims.held(repo_id(), limit=_LIMIT)
            return [lean(claim_shown(claim, now_ms=now_ms)) for claim in found]

        return await read("loom://claims", work)

    @server.resource("loom://activity", mime_type=_JSON, description="The last 100 events of this repository")
    async def activity() -> str:
        def work() -> list[Any]:
            found, now_ms = loom.events.latest(repo_id(), limit=_LIMIT)
            return [lean(event_shown(event, now_ms=now_ms)) for event in found]

        return await read("loom://activity", work)

    @server.resource("loom://runs/{run}", mime_type=_JSON, description="One run: its claims and outcomes")
    async def one_run(run: str) -> str:
        def work() -> dict[str, Any]:
            found = loom.runs.details(run)
            return {
                **lean(run_shown(found.run, now_ms=found.now_ms)),
                "claims": [lean(claim_shown(claim, now_ms=found.now_ms)) for claim in found.claims],
                "outcomes": [outcome_shown(outcome, now_ms=found.now_ms) for outcome in found.outcomes],
            }

        return await read(f"loom://runs/{run}", work)
