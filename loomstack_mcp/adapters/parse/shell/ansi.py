"""ANSI-C quoting, `$'…'`, as bash reads it (its manual, section 3.1.2.4)."""

import re

_ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|[uU]([0-9A-Fa-f]{1,8})|c(.)|(.))", re.DOTALL)
_LETTERS = {"a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def ansi_text(quoted: str) -> str:
    """The text that `$'…'` stands for. It ends at a NUL, as it does in the shell."""
    return _ESCAPE.sub(_unescaped, quoted[2:-1]).partition("\0")[0]


def _unescaped(match: re.Match[str]) -> str:
    octal, short, long, control, letter = match.groups()
    if control:
        return chr(ord(control) & 0x1F)
    if letter:
        return _LETTERS.get(letter, letter if letter in "'\"\\?" else f"\\{letter}")
    code = int(octal, 8) & 0xFF if octal else int(short or long, 16)
    return chr(code) if code < 0x110000 else "\ufffd"
