"""Words that callers bring: bounded, printable, and free of secrets."""

import re

from loomstack_mcp.core.errors import Invalid, LimitExceeded
from loomstack_mcp.core.limits import TEXT_CHARS_MAX

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# Only shapes that are nothing but secrets; each is published by its issuer.
_SECRETS = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"),
    "an AWS access key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a GitHub token": re.compile(r"\b(?:gh[pousr]_[0-9A-Za-z]{36}|github_pat_[0-9A-Za-z_]{60})"),
    "a GitLab token": re.compile(r"\bglpat-[0-9A-Za-z_-]{20}"),
    "a Slack token": re.compile(r"\bxox[abeoprs]-[0-9A-Za-z-]{10}"),
    "an API key": re.compile(r"\bsk-(?:ant-|proj-)?[0-9A-Za-z_-]{32}"),
    "a signed web token": re.compile(r"\beyJ[0-9A-Za-z_-]{8,}\.eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}"),
}


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
    for what, shape in _SECRETS.items():
        if shape.search(text):
            raise Invalid(f"{name} shows {what}; nothing was stored. Leave it out, and name where it is kept instead")
    return _CONTROL.sub("�", text.replace("\r\n", "\n"))


def encodable(name: str, /) -> str:
    """A path as text that any encoder takes: bytes that are no UTF-8 (PEP 383) are spelled `\\xff`."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def redacted(text: str, /, *, chars_max: int) -> str:
    """Words that nobody brought to us on purpose, as they may be stored: "" where they show a secret."""
    shown = any(shape.search(text) for shape in _SECRETS.values())
    return "" if shown else _CONTROL.sub("�", encodable(text))[:chars_max]


def within(name: str, value: int, /, *, least: int, most: int) -> int:
    """The number, where it lies from `least` to `most`, both included. Else raises Invalid, or LimitExceeded above."""
    if not least <= value <= most:
        kind = LimitExceeded if value > most else Invalid
        raise kind(f"{name} is {value}; it must be from {least} to {most}")
    return value
