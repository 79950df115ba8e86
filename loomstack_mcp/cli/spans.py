"""Spans of time as people type them: `30m`, `12h`, `90d`."""

import re
from typing import Any

import click

from loomstack_mcp.core.limits import DAY_MS, HOUR_MS, MINUTE_MS

_UNITS_MS = {"m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS, "w": 7 * DAY_MS}


class Span(click.ParamType[int]):
    """A time span like `30m`, `12h`, `90d` or `6w`, in milliseconds."""

    name = "SPAN"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The span in milliseconds; click reports another text as wrong usage."""
        if isinstance(value, int):
            return value
        if not (match := re.fullmatch(r"([1-9]\d{0,4})([mhdw])", value)):
            self.fail(f"{value} is no span; write 12h, 90d or 6w", param, ctx)
        return int(match[1]) * _UNITS_MS[match[2]]
