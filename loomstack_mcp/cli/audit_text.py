"""The words of an audit, the same in the terminal and on the page."""

from datetime import UTC, datetime

from loomstack_mcp.cli import output
from loomstack_mcp.core.changes.reversals import Undone
from loomstack_mcp.core.changes.verdicts import Reversal
from loomstack_mcp.core.limits import SECOND_MS
from loomstack_mcp.core.phrases import age, counted

KINDS = {"undo": "takes back", "stale_base": "an old copy over", "ping_pong": "bounces back over"}


def undone_phrase(one: Reversal, undone: Undone) -> str:
    """What happened to one landed change, in a phrase."""
    hunks = counted(undone.hunks, "hunk")
    stood = age(max(0, one.change.at_ms - undone.change.at_ms))
    openly = ", and says so" if undone.named else ""
    author, title = output.harmless(undone.change.author), output.harmless(undone.change.title)
    share = "under 1 %" if undone.share < 0.01 else f"{undone.share:.0%}"
    return f"{undone.change.sha[:10]} of {author}, after {stood}: “{title}” ({hunks}, {share} of it{openly})"


def paths_taken_back(one: Reversal) -> tuple[str, ...]:
    """Where it took back what was not agreed."""
    return tuple(sorted({path for undone in one.silent for path in undone.paths}))


def day(at_ms: int) -> str:
    """The date in UTC, as ISO 8601 has it."""
    return datetime.fromtimestamp(at_ms / SECOND_MS, UTC).strftime("%Y-%m-%d")


def plain(text: str) -> str:
    """Text that any encoder takes: bytes that were no UTF-8 become �."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
