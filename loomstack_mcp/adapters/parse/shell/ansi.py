"""ANSI-C quoting, `$'…'`, as bash reads it (its manual, section 3.1.2.4)."""

import re

# `\u` takes four digits at most, so that `$'\u0062ash'` is bash.
_ESCAPE = re.compile(
    r"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|c(.)|(.))", re.DOTALL
)
_STRING = re.compile(r"\$'(?:[^'\\]|\\.)*'", re.DOTALL)
_LETTERS = {"a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def is_one_string(quoted: str) -> bool:
    """Whether it ends where it should: at the first quote without a backslash of its own."""
    return _STRING.fullmatch(quoted) is not None


def ansi_text(quoted: str) -> str:
    """The text that `$'…'` stands for. It ends at a NUL, as it does in the shell."""
    return _ESCAPE.sub(_unescaped, quoted[2:-1]).partition("\0")[0]


def _unescaped(match: re.Match[str]) -> str:
    octal, byte, short, long, control, letter = match.groups()
    if control:
        return chr(ord(control) & 0x1F)
    if letter:
        return _LETTERS.get(letter, letter if letter in "'\"\\?" else f"\\{letter}")
    code = int(octal, 8) & 0xFF if octal else int(byte or short or long, 16)
    return chr(code) if code < 0x110000 else "\ufffd"
