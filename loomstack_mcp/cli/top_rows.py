"""A run as a row of `top`, for its table and for its screen."""

from collections.abc import Iterator

from loomstack_mcp.cli.output import harmless
from loomstack_mcp.core.claims import few_listed
from loomstack_mcp.core.live import Live, LiveRun
from loomstack_mcp.core.phrases import age

_WORDS_MAX = 200


def live_rows(live: Live, /) -> Iterator[dict[str, str]]:
    """A row for each run: those at work, and then those that ended, each newest first."""
    for lane_loop, one in sorted(_runs(live), key=lambda pair: (_is_over(pair[1]), -pair[1].run.seq)):
        run, cost = one.run, one.usage and one.usage.cost_usd
        yield {
            "state": live_word(one),
            "run": run.id,
            "loop": lane_loop,
            "who": run.principal,
            "goal": harmless(run.goal)[:_WORDS_MAX],
            "paths": harmless(_where(one)),
            "age": age(live.now_ms - run.started_at_ms),
            "cost": "" if cost is None else f"${cost:,.2f}",
        }


def live_word(one: LiveRun, /) -> str:
    """How a run is, in a word: of one that ended, how."""
    if one.state != "ended":
        return one.state
    return harmless(one.run.status).partition(" ")[0] or "ended"


def _runs(live: Live) -> Iterator[tuple[str, LiveRun]]:
    return ((lane.loop, one) for lane in live.lanes for one in lane.runs)


def _is_over(one: LiveRun) -> bool:
    return one.run.ended_at_ms is not None


def _where(one: LiveRun) -> str:
    """What it holds; of one that waits, for what and whom; of one that checks, whom."""
    if one.waits_for:
        first = one.waits_for[0]
        more = f" +{len(one.waits_for) - 1}" if len(one.waits_for) > 1 else ""
        return f"{few_listed(first.paths)} of {first.run}{more}"
    if one.run.checks_run:
        return f"checks {one.run.checks_run}"
    held = [text for claim in one.claims for text in claim.patterns]
    return few_listed(held or one.run.paths)
