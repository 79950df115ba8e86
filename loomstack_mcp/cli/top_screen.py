"""The screen of `top`: drawn anew when the repository has moved on, and each second for the ages."""

import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from threading import Event

from rich.console import Console, Group
from rich.live import Live as Screen
from rich.table import Table
from rich.text import Text

from loomstack_mcp.cli.output import harmless
from loomstack_mcp.cli.top_rows import live_rows, live_word
from loomstack_mcp.core.errors import StoreUnavailable
from loomstack_mcp.core.limits import SECOND_MS
from loomstack_mcp.core.live import Live
from loomstack_mcp.core.phrases import counted
from loomstack_mcp.loom import Loom

_POLL_S, _TOLD_POLL_S = 0.5, 2.0
"""So often one number of the store is read, by which it is known whether anything has happened."""
_AGAIN_S = 30.0
"""Time alone ends leases, too: after this long all is asked again."""
_DRAWN_S = 1.0
_RETRY_S = 2.0
_STYLES = {
    "running": "green",
    "checking": "cyan",
    "waiting": "yellow",
    "lapsed": "magenta",
    "lost": "red",
    "abandoned": "red",
    "stopped": "red",
    "blocked": "red",
}
_WORKING = ("running", "checking", "waiting", "lapsed", "lost")
_LINES_AROUND = 4


def show_live(loom: Loom, repo_id: str, *, window_ms: int) -> None:
    """Show it until the person has seen enough; a store that goes away meanwhile is tried again.

    Raises LoomError where the store cannot be asked at first.
    """
    head = _Head(repo=repo_id)
    live = loom.live.live(repo_id, window_ms=window_ms)
    console = Console(highlight=False)
    with (
        suppress(KeyboardInterrupt),
        loom.listening(repo_id, Event()) as news,
        Screen(console=console, screen=True, auto_refresh=False) as screen,
    ):
        while True:
            try:
                live = loom.live.live(repo_id, window_ms=window_ms)
                head.waiting, head.problem = len(loom.approvals.waiting(repo_id, limit=100)[0]), ""
                _watch(loom, repo_id, live, screen, news, head)
            except StoreUnavailable as error:
                head.problem = str(error)
                screen.update(_drawn(live, screen.console, head), refresh=True)
                time.sleep(_RETRY_S)


@dataclass
class _Head:
    """What stands above the runs."""

    repo: str
    waiting: int = 0
    """Questions that wait for a person."""
    problem: str = ""
    """Why what is shown is no longer news."""


def _watch(loom: Loom, repo_id: str, live: Live, screen: Screen, news: Event, head: _Head) -> None:
    """Draw what is known until there is more to know."""
    began = time.monotonic()
    drawn = 0.0
    poll_s = _TOLD_POLL_S if loom.tells_news else _POLL_S
    while (passed := time.monotonic() - began) < _AGAIN_S:
        if time.monotonic() - drawn >= _DRAWN_S:
            aged = replace(live, now_ms=live.now_ms + int(passed * SECOND_MS))
            screen.update(_drawn(aged, screen.console, head), refresh=True)
            drawn = time.monotonic()
        asked = time.monotonic()
        if loom.is_far:  # the hub answers when something has happened, or when the ages are due
            cursor = loom.events.moved(repo_id, seen=live.cursor, wait_ms=int(_DRAWN_S * SECOND_MS))
        else:
            news.wait(min(poll_s, _DRAWN_S))
            news.clear()
            cursor = loom.cursor(repo_id)
        if cursor != live.cursor:
            return
        time.sleep(max(0.0, _POLL_S - (time.monotonic() - asked)))  # a hub may answer at once


def _drawn(live: Live, console: Console, head: _Head) -> Group:
    rows = list(live_rows(live))
    room = max(1, console.size.height - _LINES_AROUND)
    left_out = max(0, len(rows) - room) + live.more
    parts: list[Text | Table] = [_headline(live, head), _problem(head), _table(rows[:room], width=console.size.width)]
    if not rows:
        parts[-1] = Text("No run is at work here. In a session, start_run begins one.", style="dim")
    if left_out:
        parts.append(Text(f"and {counted(left_out, 'run')} more", style="dim"))
    return Group(*parts)


def _problem(head: _Head) -> Text:
    text = f"not connected, trying again: {harmless(head.problem)}" if head.problem else ""
    return Text(text, style="bold red", no_wrap=True, overflow="ellipsis")


def _headline(live: Live, shown: _Head) -> Text:
    """The repo, how many are how, what waits for a person, and what it costs."""
    runs = [one for lane in live.lanes for one in lane.runs]
    states = Counter(live_word(one) for one in runs)
    head = Text(harmless(shown.repo), style="bold", no_wrap=True, overflow="ellipsis")
    for state in _WORKING:
        if states[state]:
            head.append(f"  {states[state]} {state}", style=_STYLES[state])
    over = sum(one.run.ended_at_ms is not None for one in runs)
    head.append(f"  {over} ended" if over else "", style="dim")
    head.append(_needs(shown.waiting), style="bold yellow")
    costs = [one.usage.cost_usd for one in runs if one.usage and one.usage.cost_usd is not None]
    head.append(f"  ${sum(costs):,.2f}" if costs else "", style="dim")
    return head


def _needs(waiting: int) -> str:
    if not waiting:
        return ""
    return f"  {'1 question waits' if waiting == 1 else f'{waiting} questions wait'}: loomstack-mcp inbox"


def _table(rows: list[dict[str, str]], *, width: int) -> Table:
    table = Table(box=None, expand=True, pad_edge=False, header_style="bold dim", padding=(0, 1, 0, 0))
    for name in ("state", "run", "loop", "who", "goal", "paths", "age", "cost"):
        is_long, is_name = name in ("goal", "paths"), name in ("loop", "who")
        table.add_column(
            name.upper(),
            no_wrap=True,
            overflow="ellipsis",
            justify="right" if name in ("age", "cost") else "left",
            ratio=1 if is_long else None,
            min_width=8 if is_long else None,
            max_width=_name_width(name, width) if is_name else None,
        )
    for row in rows:
        style = _STYLES.get(row["state"], "dim")
        cells = (Text(harmless(value), style=style if name == "state" else "") for name, value in row.items())
        table.add_row(*cells, style="" if row["state"] in _WORKING else "dim")
    return table


def _name_width(name: str, width: int) -> int:
    """Of a loop, or of its owner, so that a goal can be read beside it."""
    return max(10, width // 8) if name == "loop" else max(6, width // 12)
