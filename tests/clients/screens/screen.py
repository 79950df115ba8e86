"""What stands on a terminal's screen after a program has written to it: as much of ECMA-48 as the clients use."""

import re
import unicodedata
from collections.abc import Sequence

from tests.clients.screens.styles import Style, styled

_CODES = re.compile(
    r"\x1b\[(?P<marks>[?<>=!]?)(?P<numbers>[0-9;:]*)[ -/]*(?P<code>[@-~])"
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1bP.*?\x1b\\|\x1b[()][0-9A-B]|\x1b(?P<short>[=>78cDEHM])"
    r"|(?P<control>[\n\r\b\t\x07])",
    re.DOTALL,
)
_UNFINISHED = re.compile(r"\x1b(?:\[[0-9;:?<>=! -/]*|\][^\x07\x1b]*|P[^\x1b]*|[()])?\x1b?$")
_OF_NO_WIDTH = "\ufe0e\ufe0f\u200d"
_TAB = 8
Cell = tuple[str, Style]
_EMPTY: Cell = (" ", Style())


class Screen:
    """Rows of cells, and where the next character goes."""

    def __init__(self, *, rows: int, columns: int) -> None:
        self.rows, self.columns = rows, columns
        self.cells = [self._blank() for _ in range(rows)]
        self._row = self._column = 0
        self._saved = (0, 0)
        self._style = Style()
        self._top, self._bottom = 0, rows - 1
        self._rest = ""

    def feed(self, text: str) -> None:
        """Take up what a program wrote; a code that is not whole waits for the rest of it."""
        text = self._rest + text
        unfinished = _UNFINISHED.search(text)
        self._rest = unfinished[0] if unfinished else ""
        text = text[: len(text) - len(self._rest)]
        at = 0
        for found in _CODES.finditer(text):
            self._write(text[at : found.start()])
            self._obey(found)
            at = found.end()
        self._write(text[at:])

    @property
    def text(self) -> str:
        """The lines, without what is empty at their ends."""
        return "\n".join("".join(sign for sign, _ in row).rstrip() for row in self.cells).rstrip()

    @property
    def position(self) -> tuple[int, int]:
        """Row and column of the cursor, counted from one."""
        return self._row + 1, self._column + 1

    def _blank(self) -> list[Cell]:
        return [_EMPTY] * self.columns

    def _write(self, text: str) -> None:
        for sign in text:
            if sign < " " or unicodedata.combining(sign) or sign in _OF_NO_WIDTH:
                continue
            width = 2 if unicodedata.east_asian_width(sign) in "WF" else 1
            if self._column + width > self.columns:
                self._column = 0
                self._line_feed()
            self.cells[self._row][self._column : self._column + width] = [(sign, self._style), ("", self._style)][
                :width
            ]
            self._column += width

    def _line_feed(self) -> None:
        if self._row == self._bottom:
            self._scroll(1)
        else:
            self._row = min(self._row + 1, self.rows - 1)

    def _scroll(self, lines: int, *, start: int | None = None) -> None:
        """Rows from `start` to the end of the region move up, or down where `lines` is negative."""
        top = self._top if start is None else start
        for _ in range(min(abs(lines), self.rows)):
            if lines > 0:
                del self.cells[top]
                self.cells.insert(self._bottom, self._blank())
            else:
                del self.cells[self._bottom]
                self.cells.insert(top, self._blank())

    def _obey(self, found: re.Match[str]) -> None:
        if found["control"]:
            self._control(found["control"])
        elif found["short"]:
            self._short(found["short"])
        elif found["code"] and not found["marks"]:
            numbers = [int(number or 0) for number in re.split("[;:]", found["numbers"])]
            self._sequence(found["code"], numbers)

    def _control(self, sign: str) -> None:
        if sign == "\n":
            self._line_feed()
        elif sign == "\r":
            self._column = 0
        elif sign == "\b":
            self._column = max(self._column - 1, 0)
        elif sign == "\t":
            self._column = min((self._column // _TAB + 1) * _TAB, self.columns - 1)

    def _short(self, code: str) -> None:
        if code == "7":
            self._saved = (self._row, self._column)
        elif code == "8":
            self._row, self._column = self._saved
        elif code == "M" and self._row == self._top:
            self._scroll(-1)
        elif code == "M":
            self._row -= 1

    def _sequence(self, code: str, numbers: Sequence[int]) -> None:
        count, first = max(numbers[0], 1), numbers[0]
        if code == "m":
            self._style = styled(self._style, numbers)
        elif code in "JK":
            self._erase(code, first)
        elif code in "ABCDEFGHdf":
            self._move(code, numbers, count)
        elif code == "r":
            self._set_region(count, numbers[1] if len(numbers) > 1 else 0)
        elif code in "STLM":
            self._scroll(count if code in "SM" else -count, start=self._row if code in "LM" else self._top)
        elif code in "@PX":
            self._edit(code, count)

    def _set_region(self, top: int, bottom: int) -> None:
        """Only these rows scroll."""
        self._top, self._bottom, self._row, self._column = top - 1, (bottom or self.rows) - 1, 0, 0

    def _move(self, code: str, numbers: Sequence[int], count: int) -> None:
        row, column = self._row, self._column
        if code in "Hf":
            row, column = count - 1, max(numbers[1] if len(numbers) > 1 else 1, 1) - 1
        elif code in "AF":
            row -= count
        elif code in "BE":
            row += count
        elif code in "CD":
            column += count if code == "C" else -count
        elif code == "G":
            column = count - 1
        else:
            row = count - 1
        if code in "EF":
            column = 0
        self._row, self._column = min(max(row, 0), self.rows - 1), min(max(column, 0), self.columns - 1)

    def _erase(self, code: str, what: int) -> None:
        """What comes after the cursor, before it, or all; of the row, or (J) of the rows as well."""
        row, at = self.cells[self._row], min(self._column, self.columns - 1)
        after, before = what in (0, 2, 3), what in (1, 2)
        empty: Cell = (" ", Style(back=self._style.back))
        row[at:] = [empty] * (self.columns - at) if after else row[at:]
        row[: at + 1] = [empty] * (at + 1) if before else row[: at + 1]
        if code == "J":
            for number in range(self.rows):
                if (after and number > self._row) or (before and number < self._row):
                    self.cells[number] = [empty] * self.columns

    def _edit(self, code: str, count: int) -> None:
        row, at = self.cells[self._row], self._column
        if code == "X":
            row[at : at + count] = [_EMPTY] * min(count, self.columns - at)
        elif code == "P":
            self.cells[self._row] = (row[:at] + row[at + count :] + self._blank())[: self.columns]
        else:
            self.cells[self._row] = (row[:at] + [_EMPTY] * count + row[at:])[: self.columns]
