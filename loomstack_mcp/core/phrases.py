"""How records are put into words: ages, and bodies without what is empty."""

from collections.abc import Mapping

from loomstack_mcp.core.limits import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

Body = Mapping[str, object]


def lean(body: Body, /) -> Body:
    """Without what is empty: every field is paid for by every reader. Zero is not empty."""
    return {name: value for name, value in body.items() if value not in ("", None, (), [], {})}


def age(ms: int, /) -> str:
    """A duration in the largest unit that fits: `40 s`, `5 min`, `20 h`, `3 d`."""
    for unit_ms, unit in ((DAY_MS, "d"), (HOUR_MS, "h"), (MINUTE_MS, "min")):
        if ms >= unit_ms:
            return f"{ms // unit_ms} {unit}"
    return f"{max(0, ms) // SECOND_MS} s"


def ahead(ms: int, /) -> str:
    """The time until then, to the nearest of the largest unit of which there are two: `90 d`, `36 h`, `40 s`."""
    for unit_ms, unit in ((DAY_MS, "d"), (HOUR_MS, "h"), (MINUTE_MS, "min")):
        if ms >= 2 * unit_ms:
            return f"{(ms + unit_ms // 2) // unit_ms} {unit}"
    return f"{max(0, ms) // SECOND_MS} s"


def counted(number: int, noun: str, /) -> str:
    """How many of them, in words that agree: `1 commit`, `2 commits`, `12,000 commits`."""
    return f"1 {noun}" if number == 1 else f"{number:,} {noun}s"
