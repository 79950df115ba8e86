"""What stands on a terminal's screen after a program has written to it: pyte's, with what the clients need beside."""

import re
from collections.abc import Callable

import pyte
from pyte.screens import Char

_UNKNOWN = re.compile(r"\x1b\[[<=>][0-9;]*[@-~]")
"""Sequences of xterm and kitty. pyte 0.8 takes `CSI > 4 m` for an underline, and prints the end of `CSI < u`."""
_UNFINISHED = re.compile(r"\x1b(?:\[[<=>]?[0-9;]*)?$")
_DIM = {"\x1b[2m": "\x1b[5m", "\x1b[22m": "\x1b[22;25m"}
"""pyte knows no dim text, and the clients let nothing blink: one stands for the other."""


class Screen(pyte.Screen):
    """Rows of cells; `answer` is called with what the program asks its terminal for."""

    def __init__(self, *, rows: int, columns: int, answer: Callable[[str], None]) -> None:
        super().__init__(columns, rows)
        self._stream, self._answer, self._rest = pyte.Stream(self), answer, ""

    def feed(self, text: str) -> None:
        """Take up what a program wrote; a sequence that is not whole waits for the rest of it."""
        text = self._rest + text
        unfinished = _UNFINISHED.search(text)
        self._rest = unfinished[0] if unfinished else ""
        text = _UNKNOWN.sub("", text.removesuffix(self._rest))
        for written, known in _DIM.items():
            text = text.replace(written, known)
        self._stream.feed(text)

    def write_process_input(self, data: str) -> None:
        """Called by pyte."""
        self._answer(data)

    @property
    def text(self) -> str:
        """The lines, without what is empty at their ends."""
        return "\n".join(line.rstrip() for line in self.display).rstrip()

    @property
    def cells(self) -> list[list[Char]]:
        """The rows, each cell with how it is shown; `blink` is dim."""
        return [[self.buffer[row][column] for column in range(self.columns)] for row in range(self.lines)]
