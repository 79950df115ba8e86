"""A screen as a small SVG, which is text: it can be searched and copied, and brings its own dark background."""

import re
from collections.abc import Iterator
from html import escape
from itertools import groupby, pairwise

from pyte.screens import Char

from tests.clients.screens.screen import Screen
from tests.clients.stories.shop import ROOT

PICTURES = ROOT / "loomstack_mcp" / "help" / "pictures"
_BACK, _FORE = "#1b1d23", "#d7dae0"
_NAMED = {
    "default": "", "black": "#1d1f21", "red": "#cc6666", "green": "#b5bd68", "brown": "#f0c674", "blue": "#81a2be",
    "magenta": "#b294bb", "cyan": "#8abeb7", "white": "#c5c8c6", "brightblack": "#969896", "brightred": "#ff7f7f",
    "brightgreen": "#d0d88a", "brightbrown": "#ffe08a", "brightblue": "#9fc4e7", "brightmagenta": "#d3b3dc",
    "brightcyan": "#a6dcd5", "brightwhite": "#ffffff",
}  # fmt: skip
"""Colours that pyte names; of all others it tells red, green and blue."""
_WIDTH, _HEIGHT, _MARGIN = 8.4, 18, 14
_PARTS = re.compile(r"\S+(?: \S+)*")
"""What stands together: a gap is a place, which no font changes."""
_WELL_KNOWN = str.maketrans({"⎿": "└", "⏵": "▸"})
"""Signs that few fonts have, as others that most have."""
_FONT = "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace"


def svg(screen: Screen, *, title: str) -> str:
    """The rows down to the last that holds something; of several empty ones, one."""
    full = screen.cells[: len(screen.text.splitlines())]
    rows = [row for above, row in pairwise([[], *full]) if not (_is_empty(row) and _is_empty(above))]
    width, height = round(screen.columns * _WIDTH + 2 * _MARGIN), len(rows) * _HEIGHT + 2 * _MARGIN
    lines = "\n".join(line for number, row in enumerate(rows) for line in _row(number, row))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img">\n'
        f"<title>{escape(title)}</title>\n"
        f'<rect width="{width}" height="{height}" rx="8" fill="{_BACK}"/>\n'
        f'<g font-family="{_FONT}" font-size="14" xml:space="preserve" fill="{_FORE}">\n{lines}\n</g>\n</svg>\n'
    )


def _is_empty(row: list[Char]) -> bool:
    return all(cell.data == " " and not _colours(cell)[1] for cell in row)


def _row(number: int, row: list[Char]) -> Iterator[str]:
    """Backgrounds, and then the words, each run of one style at its column."""
    at = 0
    top = _MARGIN + number * _HEIGHT
    words = []
    for style, cells in groupby(row, key=lambda cell: cell._replace(data="")):
        signs = [cell.data for cell in cells]
        text, x = "".join(signs), _MARGIN + at * _WIDTH
        fore, back = _colours(style)
        if back:
            yield f'<rect x="{x:.1f}" y="{top}" width="{len(signs) * _WIDTH:.1f}" height="{_HEIGHT}" fill="{back}"/>'
        words += [_words(part, x, style, fore) for part in _PARTS.finditer(text)]
        at += len(signs)
    if words:
        yield f'<text y="{top + 14}">{"".join(words)}</text>'


def _words(part: re.Match[str], x: float, style: Char, fore: str) -> str:
    marks = f' fill="{fore}"' * bool(fore) + ' font-weight="bold"' * style.bold + ' opacity=".65"' * style.blink
    place = f'x="{x + part.start() * _WIDTH:.1f}" textLength="{len(part[0]) * _WIDTH:.1f}"'
    return f"<tspan {place}{marks}>{escape(part[0].translate(_WELL_KNOWN), quote=False)}</tspan>"


def _colours(style: Char) -> tuple[str, str]:
    fore, back = (_NAMED.get(colour, f"#{colour}") for colour in (style.fg, style.bg))
    return (back or _BACK, fore or _FORE) if style.reverse else (fore, back)
