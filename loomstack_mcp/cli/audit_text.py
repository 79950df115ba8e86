"""The words of an audit, the same in the terminal and on the page."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from loomstack_mcp.adapters.git.audit import Audit
from loomstack_mcp.cli import output
from loomstack_mcp.cli.audit_cases import signed_name
from loomstack_mcp.core.changes.undone import Undone
from loomstack_mcp.core.changes.verdicts import Reversal
from loomstack_mcp.core.changes.words import is_followed, missing_words, repairs_words, share_words
from loomstack_mcp.core.limits import SECOND_MS
from loomstack_mcp.core.phrases import age, counted

_REPAIRS_SHOWN = 3


def undone_phrase(one: Reversal, undone: Undone) -> str:
    """What happened to one landed change, in a phrase; its title stands last, for that gives way first."""
    hunks = counted(undone.hunks, "hunk")
    stood = age(max(0, one.change.at_ms - undone.change.at_ms))
    openly = ", and says so" if undone.named else ""
    author, title = signed_name(undone.change.author), output.harmless(undone.change.title)
    share = share_words(undone.share)
    return f"{undone.change.sha[:10]} of {author}, after {stood}, {hunks} ({share} of it{openly}): “{title}”"


def fate_phrase(one: Reversal) -> str:
    """What has become of what was taken back, in a phrase; "" where nothing is known of it."""
    repairs = repairs_words(one)
    more = (f"and {len(repairs) - _REPAIRS_SHOWN} more repairs",) if len(repairs) > _REPAIRS_SHOWN else ()
    told = (missing_words(one), *repairs[:_REPAIRS_SHOWN], *more)
    return output.harmless("; ".join(part for part in told if part))


def shortened(text: str, room: int) -> str:
    """A text of at most so many characters; 0 is any number."""
    return f"{text[: room - 1]}…" if 0 < room < len(text) else text


def span_phrase(found: Audit) -> str:
    """What was judged."""
    if not found.commits:
        return "nothing was judged: no commit here is from that time"
    return f"{counted(found.commits, 'commit')} from {day(found.first_ms)} to {day(found.last_ms)}"


def agreed_phrase(found: Audit) -> str:
    """How many were agreed, and how many put back what had been lost, and took no more than that."""
    clear = [one for one in found.reversals if one.verdict == "clear"]
    repairs = sum(bool(one.silent) for one in clear)
    more = f"; {repairs} put back what had been lost" if repairs else ""
    return f"{len(clear) - repairs} were agreed: an author's own, or of one branch{more}"


def loss_lines(stops: Sequence[Reversal]) -> Iterator[str]:
    """How much the stops took, and how much of that is still missing; nothing where that was not counted."""
    followed = [one for one in stops if is_followed(one)]
    lost, missing = sum(one.lost for one in followed), sum(one.missing for one in followed)
    if lost:
        restored = sum(one.state == "restored" for one in followed)
        back = f"; {counted(restored, 'stop')} put back since" if restored else ""
        yield f"Of {counted(lost, 'line')} that the stops took, {missing:,} are still missing{back}."


def day(at_ms: int) -> str:
    """The date in UTC, as ISO 8601 has it."""
    return datetime.fromtimestamp(at_ms / SECOND_MS, UTC).strftime("%Y-%m-%d")


def plain(text: str) -> str:
    """Text that any encoder takes: bytes that were no UTF-8 become �."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def shown_line(text: str) -> str:
    """A line of a file on one line of a report."""
    return output.harmless(plain(text.expandtabs(4))).strip()
