"""`loops` and `decisions`: how the loops of a repository fare, and what the policy answered."""

import shutil
import sys
from typing import Any

import click

from loomstack_mcp.cli import output
from loomstack_mcp.cli.lists import as_json, limit
from loomstack_mcp.cli.people import open_to_all
from loomstack_mcp.core.limits import EXPIRES_DAYS_MAX
from loomstack_mcp.core.loops import LOOP_DAYS
from loomstack_mcp.core.overviews import loop_shown, past_decision_shown
from loomstack_mcp.core.phrases import Body
from loomstack_mcp.core.policy.rules import Answer
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import open_loom

_BARS = "·▁▂▃▄▅▆▇█"
_SPARK_COLUMNS = 150
"""On a narrower terminal the days are left to `--json` and the dashboard."""
_ANSWERS = click.Choice(("allow", "warn", "require_approval", "deny"))


@open_to_all
@click.command()
@click.option(
    "--days", default=LOOP_DAYS, show_default=True, type=click.IntRange(1, EXPIRES_DAYS_MAX), help="Of how many days."
)
@limit
@as_json
@click.pass_obj
def loops(here: Here, days: int, limit: int, as_json: bool) -> None:
    """List how loops fare: runs, success, rework, conflicts and reversals, time and cost; the newest first."""
    with open_loom(here.settings) as loom:
        found = loom.loops.health(loom.repos.id_of(here.checkout()), days=days, limit=limit)
    shown = [loop_shown(one, now_ms=found.now_ms) for one in found.loops]
    is_wide = not sys.stdout.isatty() or shutil.get_terminal_size((200, 24)).columns >= _SPARK_COLUMNS
    rows = shown if as_json else [_in_columns(one, is_wide=is_wide) for one in shown]
    output.print_rows(rows, as_json=as_json, empty=f"no loop ran here in the last {days} days")
    if found.more and not as_json:
        click.echo(f"and {found.more} more; --limit shows them", err=True)


@open_to_all
@click.command()
@click.option("--answer", type=_ANSWERS, help="Only these.")
@click.option("--before", default="", metavar="DECISION", help="Only those before this one, to read on.")
@limit
@as_json
@click.pass_obj
def decisions(here: Here, answer: Answer | None, before: str, limit: int, as_json: bool) -> None:
    """List what the policy answered, newest first; `why DECISION` tells of one."""
    with open_loom(here.settings) as loom:
        repo_id = loom.repos.id_of(here.checkout())
        found, now_ms = loom.decisions.latest(repo_id, limit=limit, before=before, answer=answer)
    shown = [past_decision_shown(one, now_ms=now_ms) for one in found]
    rows = shown if as_json else [_decision_in_columns(one) for one in shown]
    output.print_rows(rows, as_json=as_json, empty="nothing was decided here yet")


def _in_columns(one: Body, *, is_wide: bool) -> dict[str, Any]:
    cost = one["cost_usd"]
    return {
        "loop": one["loop"],
        "who": one["who"],
        "runs": one["runs"],
        "live": one["live"] or "",
        "success": "" if one["success_percent"] is None else f"{one['success_percent']} %",
        "rework": one["rework"] or "",
        "conflicts": _both(one["conflicts_caused"], one["conflicts_suffered"]),
        "reversals": _both(one["reversals_caused"], one["reversals_suffered"]),
        "minutes": one["minutes"],
        "cost": "" if cost is None else f"${cost:,.2f}",
        "last": one["last_age"],
        **({"days": _bars(one["spark"])} if is_wide else {}),
    }


def _both(caused: Any, suffered: Any) -> str:
    """`2 made, 1 met`; nothing where there is neither."""
    parts = ((caused, "made"), (suffered, "met"))
    return ", ".join(f"{number} {word}" for number, word in parts if number)


def _bars(spark: Any) -> str:
    """The last thirty days as bars, the highest as high as one is."""
    days = list(spark)[-LOOP_DAYS:]
    most = max(days, default=0) or 1
    return "".join(_BARS[-(-day * (len(_BARS) - 1) // most)] for day in days)


def _decision_in_columns(one: Body) -> dict[str, Any]:
    names = ("decision", "answer", "point", "actions", "who", "run", "rules", "paths", "age")
    return {name: one[name] for name in names}
