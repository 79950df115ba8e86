"""Words that callers bring: bounded, printable, and free of secrets."""

import re

from loomstack_mcp.core.errors import Invalid, LimitExceeded
from loomstack_mcp.core.limits import TEXT_CHARS_MAX
from loomstack_mcp.core.secrets import secret_in

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def bounded(name: str, text: str, /, *, chars_max: int = TEXT_CHARS_MAX, required: bool = False) -> str:
    """The text without control characters but tabs and newlines.

    Raises Invalid where it is required and empty, is no Unicode, or shows a secret, which everyone
    who reads the store would see; LimitExceeded where it is longer than `chars_max`.
    """
    if len(text) > chars_max:
        raise LimitExceeded(f"{name} has {len(text)} characters, {chars_max} is the most; say it shorter")
    if required and not text.strip():
        raise Invalid(f"{name} is empty; say it in a sentence")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise Invalid(f"{name} is no Unicode text; leave the broken characters out")
    if what := secret_in(text):
        raise Invalid(f"{name} shows {what}; nothing was stored. Leave it out, and name where it is kept instead")
    return _CONTROL.sub("�", text.replace("\r\n", "\n"))


def plain_line(text: str, /, *, chars_max: int) -> str:
    """Words of others as they may stand in a sentence of ours: one line, no quotes that end ours, clipped."""
    line = " ".join(_CONTROL.sub(" ", text).replace("“", '"').replace("”", '"').split())
    return line if len(line) <= chars_max else f"{line[: chars_max - 1]}…"


def quoted(text: str, /, *, chars_max: int) -> str:
    """Words of others between our quotation marks, which they cannot close."""
    return f"“{plain_line(text, chars_max=chars_max)}”"


def encodable(name: str, /) -> str:
    """A path as text that any encoder takes: bytes that are no UTF-8 (PEP 383) are spelled `\\xff`."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def redacted(text: str, /, *, chars_max: int) -> str:
    """Words that nobody brought to us on purpose, as they may be stored: "" where they show a secret."""
    return "" if secret_in(text) else _CONTROL.sub("�", encodable(text))[:chars_max]


def within(name: str, value: int, /, *, least: int, most: int) -> int:
    """The number, where it lies from `least` to `most`, both included. Else raises Invalid, or LimitExceeded above."""
    if not least <= value <= most:
        kind = LimitExceeded if value > most else Invalid
        raise kind(f"{name} is {value}; it must be from {least} to {most}")
    return value
