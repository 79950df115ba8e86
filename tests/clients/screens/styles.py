"""How a character is shown: colours and weights, by the numbers of SGR sequences (ECMA-48, 8.3.117)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

_BASIC = ("#1d1f21", "#cc6666", "#b5bd68", "#f0c674", "#81a2be", "#b294bb", "#8abeb7", "#c5c8c6")
_BRIGHT = ("#969896", "#ff7f7f", "#d0d88a", "#ffe08a", "#9fc4e7", "#d3b3dc", "#a6dcd5", "#ffffff")


@dataclass(frozen=True)
class Style:
    """How a character is shown; a colour is `#rrggbb`, or empty for the terminal's own."""

    fore: str = ""
    back: str = ""
    bold: bool = False
    dim: bool = False
    reverse: bool = False


def styled(style: Style, numbers: Sequence[int]) -> Style:
    """The style after the numbers of one SGR sequence."""
    rest = list(numbers)
    while rest:
        number = rest.pop(0)
        if number in (38, 48):
            colour = _colour(rest)
            style = replace(style, fore=colour) if number == 38 else replace(style, back=colour)
        else:
            style = _simply_styled(style, number)
    return style


def _simply_styled(style: Style, number: int) -> Style:
    if number == 0:
        return Style()
    if number in (1, 2, 22):
        return replace(style, bold=number == 1 or (style.bold and number == 2), dim=number == 2)
    if number in (7, 27):
        return replace(style, reverse=number == 7)
    tens, colour = divmod(number, 10)
    named = "" if colour == 9 else (_BASIC if tens < 9 else _BRIGHT)[min(colour, 7)]
    if tens in (3, 9):
        return replace(style, fore=named)
    return replace(style, back=named) if tens in (4, 10) else style


def _colour(rest: list[int]) -> str:
    """The colour that follows 38 or 48, taken from the numbers."""
    if not rest:
        return ""
    if rest.pop(0) == 2:
        red, green, blue = (rest.pop(0) for _ in range(3))
        return f"#{red:02x}{green:02x}{blue:02x}"
    number = rest.pop(0)
    if number < 16:
        return (*_BASIC, *_BRIGHT)[number]
    if number >= 232:
        return f"#{(number - 232) * 10 + 8:02x}" + f"{(number - 232) * 10 + 8:02x}" * 2
    steps = (0, 95, 135, 175, 215, 255)
    red, green, blue = (steps[(number - 16) // part % 6] for part in (36, 6, 1))
    return f"#{red:02x}{green:02x}{blue:02x}"
