"""A statement with `:named` parameters, as PostgreSQL takes it."""

import re
from functools import cache

_TOKENS = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | --[^\n]* | ::\w+ | :(?P<name>\w+)""",
    re.VERBOSE,
)
_READS = re.compile(r"(?:\s|--[^\n]*\n)*(?:SELECT|WITH)\b")
_LOCKS_OR_WRITES = re.compile(r"\b(?:FOR (?:(?:NO KEY )?UPDATE|KEY SHARE)|INSERT|DELETE)\b")


@cache
def positional(text: str, /) -> tuple[str, tuple[str, ...]]:
    """The text with `$1`, `$2` … for its parameters, and their names in that order.

    Only the statements of our files come here, so that the cache ends; values never do.
    """
    names: dict[str, int] = {}

    def numbered(found: re.Match[str]) -> str:
        name = found["name"]
        return f"${names.setdefault(name, len(names) + 1)}" if name else found[0]

    return _TOKENS.sub(numbered, text), tuple(names)


@cache
def reads_alone(text: str, /) -> bool:
    """Whether a statement changes and locks nothing."""
    return bool(_READS.match(text)) and not _LOCKS_OR_WRITES.search(text)
