"""A statement with `:named` parameters, as PostgreSQL takes it."""

import re
from functools import cache

from loomstack_mcp.core.records import record

_TOKENS = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | --[^\n]* | ::\w+ | :(?P<name>\w+)""",
    re.VERBOSE,
)
_READS = re.compile(r"(?:\s|--[^\n]*\n)*(?:SELECT|WITH)\b")
_LOCKS = re.compile(r"\bFOR (?:NO KEY )?UPDATE\b")


@record
class Spelled:
    """A statement, respelled."""

    text: str
    """With `$1`, `$2` … for its parameters."""
    names: tuple[str, ...]
    """The parameters, in that order."""
    only_reads: bool


@cache
def spelled(text: str, /) -> Spelled:
    """Only the statements of our files come here, so that the cache ends; values never do."""
    names: dict[str, int] = {}

    def numbered(found: re.Match[str]) -> str:
        name = found["name"]
        return f"${names.setdefault(name, len(names) + 1)}" if name else found[0]

    respelled = _TOKENS.sub(numbered, text)
    only_reads = bool(_READS.match(text)) and not _LOCKS.search(text)
    return Spelled(text=respelled, names=tuple(names), only_reads=only_reads)
