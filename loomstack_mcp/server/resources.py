"""Resources: the repo's runs, claims and activity, and one run, as JSON."""

import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ResourceNotFoundError, ToolError

from loomstack_mcp.core.errors import NotFound
from loomstack_mcp.core.phrases import Body, lean
from loomstack_mcp.core.views import claim_shown, event_shown, outcome_shown, run_shown
from loomstack_mcp.server.face import Face
from loomstack_mcp.server.tool import error_line

_LIMIT = 100
_JSON = "application/json"

_Record = TypeVar("_Record")


class Resources:
    """What the repo that the process stands in looks like now; over HTTP every repo, each entry with its own."""

    def __init__(self, face: Face) -> None:
        self._face = face
        self._loom = face.loom

    async def runs(self) -> str:
        """The last runs."""
        return await self._listed(lambda repo_id: self._loom.runs.latest(repo_id, limit=_LIMIT), run_shown)

    async def claims(self) -> str:
        """What is held now."""
        return await self._listed(lambda repo_id: self._loom.claims.held(repo_id, limit=_LIMIT), claim_shown)

    async def activity(self) -> str:
        """The last events."""
        return await self._listed(lambda repo_id: self._loom.events.latest(repo_id, limit=_LIMIT), event_shown)

    async def one_run(self, run: str) -> str:
        """A run with its claims and outcomes. Raises ResourceNotFoundError."""

        def work() -> dict[str, Any]:
            found = self._loom.runs.details(run)
            return {
                **lean(run_shown(found.run, now_ms=found.now_ms)),
                "claims": [lean(claim_shown(claim, now_ms=found.now_ms)) for claim in found.claims],
                "outcomes": [outcome_shown(outcome, now_ms=found.now_ms) for outcome in found.outcomes],
            }

        return await self._json(work)

    async def _listed(self, found: Callable[[str], tuple[Iterable[_Record], int]], shown: Callable[..., Body]) -> str:
        def work() -> list[Body]:
            named = self._face.here.clone is None
            listed: list[Body] = []
            for repo_id in self._face.repo_ids():
                records, now_ms = found(repo_id)
                repo = {"repo": repo_id} if named else {}
                listed += [{**repo, **lean(shown(record, now_ms=now_ms))} for record in records]
            return listed

        return await self._json(work)

    async def _json(self, work: Callable[[], Any]) -> str:
        try:
            return json.dumps(await self._face.run(work), ensure_ascii=False)
        except ToolError as error:
            if isinstance(error.__context__, NotFound):
                raise ResourceNotFoundError(error_line(str(error))) from None
            raise


def add_resources(server: MCPServer[Any], face: Face) -> None:
    """Register the resources."""
    found = Resources(face)
    for uri, function, description in (
        ("loom://runs", found.runs, "The last 100 runs of this repository"),
        ("loom://claims", found.claims, "What is held in this repository now"),
        ("loom://activity", found.activity, "The last 100 events of this repository"),
        ("loom://runs/{run}", found.one_run, "One run: its claims and outcomes"),
    ):
        server.resource(uri, mime_type=_JSON, description=description)(function)
