"""When a rule holds: windows that come again, and freezes; by the wall clock of their zone."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from loomstack_mcp.core.policy.rules import Day, Freeze, When, Window

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_MINUTES = 24 * 60


def matched(when: When, now_ms: int, /) -> str:
    """The window or freeze that an instant lies in, in words; "" for none, and "always" where the rule names none."""
    if not when.windows and not when.freezes:
        return "always"
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    for window in when.windows:
        if in_window(window, now):
            return window_text(window)
    for freeze in when.freezes:
        if in_freeze(freeze, now):
            return freeze_text(freeze)
    return ""


def in_window(window: Window, now: datetime, /) -> bool:
    """By the local wall clock, so that both clock changes need no special case.

    The hour that comes twice lies in the window twice; one that is left out is never asked for. What lies
    after midnight in an overnight window belongs to the day before.
    """
    local = now.astimezone(_zone(window.tz))
    minute = local.hour * 60 + local.minute
    if window.start_minute < window.end_minute:
        return window.start_minute <= minute < window.end_minute and _on(window, local)
    if minute >= window.start_minute:
        return _on(window, local)
    return minute < window.end_minute and _on(window, local - timedelta(days=1))


def in_freeze(freeze: Freeze, now: datetime, /) -> bool:
    """From its start until before its end; an edge that the clock change makes unclear makes the freeze longer."""
    zone = _zone(freeze.tz)
    starts = [_instant(freeze.start, zone, fold) for fold in (0, 1)]
    ends = [_instant(freeze.end, zone, fold) for fold in (0, 1)]
    return min(starts) <= now < max(ends)


def is_over(freeze: Freeze, now: datetime, /) -> bool:
    """Whether it has ended for good."""
    zone = _zone(freeze.tz)
    return max(_instant(freeze.end, zone, fold) for fold in (0, 1)) <= now


def freeze_text(freeze: Freeze, /) -> str:
    """`freeze year-end, 2026-12-18T18:00 to 2027-01-04T08:00 Europe/Berlin`."""
    return f"freeze {freeze.name}, {freeze.start} to {freeze.end} {freeze.tz}"


def window_text(window: Window, /) -> str:
    """`mon, tue 09:00 to 17:00 Europe/Berlin`, as a person would say it."""
    days = f"{', '.join(window.days)} " if window.days else ""
    if (window.start_minute, window.end_minute) == (0, _DAY_MINUTES):
        return f"{days or 'every day '}all day {window.tz}"
    return f"{days}{_clock(window.start_minute)} to {_clock(window.end_minute % _DAY_MINUTES)} {window.tz}"


def _zone(name: str) -> "ZoneInfo":
    from zoneinfo import ZoneInfo  # 2 ms, for the few rules that hold at times

    return ZoneInfo(name)


def _instant(text: str, zone: "ZoneInfo", fold: int) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


def _on(window: Window, local: datetime) -> bool:
    return not window.days or _DAYS[local.weekday()] in window.days


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
