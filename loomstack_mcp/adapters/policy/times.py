"""The times in policy files: instants, local times and zones, and what is wrong with them."""

from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files

from loomstack_mcp.adapters.policy.messages import Wrong, meant
from loomstack_mcp.adapters.policy.models import Freeze, When
from loomstack_mcp.adapters.policy.strict_yaml import YamlPlace

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant_ms(text: str, /) -> int | None:
    """An ISO 8601 instant with its offset, in milliseconds since the epoch; None for anything else."""
    try:
        found = datetime.fromisoformat(text)
        return None if found.tzinfo is None else (found - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        return None


def wrong_in_times(when: When, /) -> Wrong:
    """The problems of when a rule applies, each with its place in the rule."""
    for number, window in enumerate(when.windows):
        place: YamlPlace = ("when", "windows", number)
        yield from _zone((*place, "tz"), window.tz)
        if window.start is not None and window.start == window.end:
            yield (*place, "to"), f"is {window.end}, as `from` is; leave both out for the whole day"
    for number, freeze in enumerate(when.freezes):
        place = ("when", "freezes", number)
        yield from _zone((*place, "tz"), freeze.tz)
        yield from _span(place, freeze)


def _zone(place: YamlPlace, zone: str) -> Wrong:
    if zone not in _zones():
        yield place, f"there is no time zone {zone!r}{meant(zone, _zones())}"


@cache
def _zones() -> frozenset[str]:
    # Those of the tzdata package, not of this machine, so that a file loads everywhere or nowhere.
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())


def _span(place: YamlPlace, freeze: Freeze) -> Wrong:
    start, end = _local(freeze.start), _local(freeze.end)
    for name, text, found in (("start", freeze.start, start), ("end", freeze.end, end)):
        if found is None:
            yield (*place, name), f"{text!r} is no local time; write it like 2026-12-18T18:00, the zone is in `tz`"
    if start is not None and end is not None and start >= end:
        yield (*place, "end"), f"{freeze.end} is not after the start {freeze.start}"


def _local(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    # The first and the last year have no instant in some zones.
    return found if found.tzinfo is None and 1970 <= found.year < 9999 else None
