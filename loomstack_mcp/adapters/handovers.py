"""Sessions that the front could not serve to the end, kept for `doctor`: which client asked for what."""

import time
from contextlib import suppress
from dataclasses import asdict

from loomstack_mcp.adapters.beside_store import read_entries, write_entries
from loomstack_mcp.core.limits import DAY_MS, SECOND_MS
from loomstack_mcp.core.records import record

_FILE = "handovers.json"
_KEPT_MAX = 20
_NEWS_MS = 14 * DAY_MS
_CHARS_MAX = 80


@record
class Handover:
    """A session that went on with the SDK's server."""

    client: str
    """Its name and version, as it said."""
    asked: str
    """What was not known."""
    at_ms: int


def note_handover(home: str, client: str, asked: str) -> None:
    """Keep that it happened, once for each client and what it asks. Where that cannot be, nobody is told."""
    new = Handover(client=_printable(client), asked=_printable(asked), at_ms=_now_ms())
    others = [one for one in handovers(home) if (one.client, one.asked) != (new.client, new.asked)]
    with suppress(OSError):
        write_entries(home, _FILE, [asdict(one) for one in (*others, new)[-_KEPT_MAX:]])


def handovers(home: str) -> tuple[Handover, ...]:
    """Those of the last two weeks, the newest last."""
    found = []
    for entry in read_entries(home, _FILE):
        with suppress(TypeError):
            one = Handover(**entry)
            if 0 <= _now_ms() - one.at_ms < _NEWS_MS:
                found.append(one)
    return tuple(found)


def _now_ms() -> int:
    return round(time.time() * SECOND_MS)


def _printable(text: str) -> str:
    return "".join(character for character in text[:_CHARS_MAX] if character.isprintable())
