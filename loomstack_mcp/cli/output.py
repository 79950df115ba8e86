"""Tables for people, JSON for scripts, and text of others made harmless for a terminal."""

import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

from loomstack_mcp.core.phrases import counted

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Also line ends of Unicode, and halves of pairs: some of these are bytes that no UTF-8 holds, like C1 controls."""
_PATHS = frozenset({"paths", "path", "repo", "outcomes"})
"""What is read to its end."""
_IDS = frozenset(
    {
        "id",
        "run",
        "checks",
        "claim",
        "note",
        "conflict",
        "outcome",
        "decision",
        "commit",
        "about",
        "supersedes",
        "setting",
    }
)
_TEXT_MIN, _PATH_MIN, _ID_MIN = 4, 8, 8
"""A column of text gives way first, one of paths next, one of ids last: half an id is none."""
_PROGRESS_EVERY = 50


def print_rows(found: Iterable[Mapping[str, Any]], *, as_json: bool, empty: str) -> None:
    """Print records: one JSON array, or a table as wide as the terminal; `empty` says what an empty one means."""
    listed = [dict(record) for record in found]
    if as_json:
        click.echo(json.dumps(listed))
    elif not listed:
        click.echo(empty, err=True)
    else:
        click.echo(table(listed, width=shutil.get_terminal_size((200, 24)).columns if sys.stdout.isatty() else 0))


def print_record(found: Mapping[str, Any], *, as_json: bool) -> None:
    """Print one record: one JSON object, or a line for each field that holds anything."""
    if as_json:
        click.echo(json.dumps(dict(found)))
        return
    shown = {name: text for name, value in found.items() if (text := cell(value))}
    indent = max(map(len, shown), default=0)
    for name, text in shown.items():
        click.echo(f"{name:<{indent}}  {text}")


def table(listed: Sequence[Mapping[str, Any]], *, width: int) -> str:
    """Columns that hold anything, under their names; the widest ones shrink until the table fits `width` (0: never).

    Ids and paths stay whole while there is anything else to shrink: somebody copies them.
    """
    names = [name for name in listed[0] if any(cell(record.get(name)) for record in listed)]
    cells = [
        [name.upper() for name in names],
        *([cell(record.get(name)) for name in names] for record in listed),
    ]
    widths = _widths(names, cells, width)
    lines = ["  ".join(_fitted(cell, size) for cell, size in zip(line, widths, strict=True)).rstrip() for line in cells]
    lines[0] = click.style(lines[0], bold=True) if is_styled() else lines[0]
    return "\n".join(lines)


def progress(done: int, of: int) -> None:
    """How many commits were read, on one line of a terminal that is gone when all are."""
    if sys.stderr.isatty() and (done % _PROGRESS_EVERY == 0 or done == of):
        passing("" if done == of else f"… {done:,} of {counted(of, 'commit')}")


def passing(text: str) -> None:
    """A line of a terminal that the next one is written over; "" leaves none. Nothing where nobody looks."""
    if sys.stderr.isatty():
        click.echo(f"\r{text:<40}" + ("" if text else "\r"), err=True, nl=False)


def harmless(text: str) -> str:
    """Text of others, without what could move a terminal's cursor or turn its writing direction."""
    return _CONTROL.sub(" ", text)


def harmless_lines(text: str) -> str:
    """The same for text of several lines."""
    return "\n".join(harmless(line.replace("\t", "  ")) for line in text.split("\n"))


def _widths(names: Sequence[str], cells: Sequence[Sequence[str]], width: int) -> list[int]:
    """As wide as what is in the columns; the widest that has to give way shrinks, letter by letter, till all fit."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    over = sum(widths) + 2 * len(widths) - 2 - width if width else 0
    for group, least in (({*names} - _PATHS - _IDS, _TEXT_MIN), (_PATHS, _PATH_MIN), (_IDS, _ID_MIN)):
        of_group = [at for at, name in enumerate(names) if name in group]
        while over > 0 and of_group and widths[at := max(of_group, key=widths.__getitem__)] > least:
            widths[at] -= 1
            over -= 1
    return widths


def is_styled() -> bool:
    """Whether the terminal shows bold and colours."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def cell(value: Any) -> str:
    """A value on one line."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(cell(part) for part in value)
    if isinstance(value, Mapping):
        return " ".join(f"{name}={cell(part)}" for name, part in value.items() if part not in ("", [], None))
    return harmless(str(value))


def _fitted(cell: str, width: int) -> str:
    return f"{cell[: width - 1]}…" if len(cell) > width else f"{cell:<{width}}"
