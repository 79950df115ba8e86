"""Patterns that policies bring, matched by RE2: in time linear in the text, whatever the pattern."""

from collections.abc import Sequence

import re2  # type: ignore[import-untyped]  # google-re2 ships no types

from loomstack_mcp.core.errors import Invalid

PATTERN_BYTES_MAX = 1_000
_MEMORY_BYTES_MAX = 8 << 20


class Patterns:
    """Some patterns, compiled."""

    def __init__(self, patterns: Sequence[str]) -> None:
        """Raises Invalid for what is no RE2 pattern; a back-reference or a look-around is none."""
        self._compiled = [(pattern, _compiled(pattern)) for pattern in patterns]

    def first(self, line: bytes, /) -> str:
        """The first of the patterns that matches somewhere in the bytes; "" for none.

        Bytes that are no UTF-8 count as U+FFFD each, so that a broken character does not stop a `.`.
        """
        given = line if line.isascii() else line.decode("utf-8", "replace").encode()
        return next((pattern for pattern, compiled in self._compiled if compiled.search(given)), "")


def error_in(pattern: str, /) -> str:
    """Why RE2 refuses a pattern; "" where it does not."""
    try:
        _compiled(pattern)
    except Invalid as refused:
        return str(refused)
    return ""


def _compiled(pattern: str) -> "re2._Regexp":
    try:
        given = pattern.encode()
    except UnicodeEncodeError:
        raise Invalid("the pattern is no Unicode text; leave the broken characters out") from None
    if len(given) > PATTERN_BYTES_MAX:
        raise Invalid(f"the pattern has {len(given)} bytes, {PATTERN_BYTES_MAX} is the most; split it")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY_BYTES_MAX
    try:
        return re2.compile(given, options)
    except re2.error as refused:
        said = refused.args[0] if refused.args else ""
        reason = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise Invalid(f"the pattern {pattern[:100]!r} is no RE2 pattern: {reason}") from None
