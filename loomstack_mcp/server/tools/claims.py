"""claim_paths and release_paths."""

from typing import Annotated, Any

import anyio
from mcp.server.mcpserver import Context
from mcp.types import CallToolResult

from loomstack_mcp.core.claims import ClaimResult, Mode, ReleaseResult
from loomstack_mcp.core.limits import MINUTE_MS, SECOND_MS
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.server import results
from loomstack_mcp.server.face import Face

_POLL_FIRST_S = 0.05
_POLL_LAST_S = 0.5


class ClaimTools:
    def __init__(self, face: Face) -> None:
        self._face = face

    async def claim_paths(
        self,
        *,
        run: str = "",
        paths: list[str],
        intent: str,
        mode: Mode = "exclusive",
        minutes: int = 30,
        wait_seconds: int = 0,
        ctx: Context[Any, Any],
    ) -> Annotated[CallToolResult, results.ClaimAnswer]:
        """Claim files, folders or globs before editing them; intent says why, to others. granted=false
        names the holders and what to do instead: do not edit there. wait_seconds ≤ 45 queues.
        Your calls keep the lease alive."""
        until = anyio.current_time() + wait_seconds

        async def attempt() -> ClaimResult:
            # Rounded up, so that the last attempt, at the very end of the wait, still keeps its place.
            left_ms = (
                max(1, round((until - anyio.current_time()) * SECOND_MS))
                if wait_seconds > 0
                else wait_seconds * SECOND_MS
            )
            return await self._face.call(
                ctx,
                lambda caller: self._face.loom.claims.claim_paths(
                    caller,
                    run,
                    patterns=self._face.patterns(paths),
                    intent=intent,
                    mode=mode,
                    ttl_ms=minutes * MINUTE_MS,
                    wait_ms=left_ms,
                ),
            )

        result = await attempt()
        while result.claim is None and anyio.current_time() < until and not self._face.left.is_set():
            await self._change(result, until)
            result = await attempt()
        return results.answer(results.claimed(result))

    async def release_paths(
        self, *, run: str = "", claims: list[str] | None = None, ctx: Context[Any, Any]
    ) -> Annotated[CallToolResult, results.ReleaseAnswer]:
        """Release claims as soon as you are done with them; none named: all of the run's."""

        def release(caller: Caller) -> ReleaseResult:
            return self._face.loom.claims.release_paths(caller, run, claims=claims or [])

        return results.answer(results.released(await self._face.call(ctx, release)))

    async def _change(self, refused: ClaimResult, until: float) -> None:
        """Sleep until something happened in the repo, a blocker's time is up, the client left, or the wait is over."""
        lapse_s = min(blocker.until_ms for blocker in refused.blockers) - refused.now_ms
        until = min(until, anyio.current_time() + lapse_s / SECOND_MS)
        pause_s = _POLL_FIRST_S
        while (left_s := until - anyio.current_time()) > 0:
            with anyio.move_on_after(min(pause_s, left_s)):
                await self._face.left.wait()
                return
            cursor = await self._face.run(lambda: self._face.loom.events.cursor(refused.repo_id))
            if cursor != refused.cursor:
                return
            pause_s = min(pause_s * 2, _POLL_LAST_S)
