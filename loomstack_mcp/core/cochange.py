"""Files that history changed together."""

from collections import Counter
from collections.abc import Iterable, Sequence

from loomstack_mcp.core.limits import NAME_CHARS_MAX
from loomstack_mcp.core.patterns.globs import first_overlap, literal

_SWEEPING_FILES = 30
_TOGETHER_LEAST = 3
_TOGETHER_MAX = 10


def together(commits: Iterable[Sequence[str]], /, *, mine: Sequence[str]) -> tuple[str, ...]:
    """The files that commits changed at least three times beside `mine`, most often first; as patterns.

    A commit of very many files says nothing about which of them belong together.
    """
    counts: Counter[str] = Counter()
    for files in commits:
        if len(files) <= _SWEEPING_FILES:
            counts.update(name for name in files if name.isprintable() and 0 < len(name) <= NAME_CHARS_MAX)
    often = [literal(name) for name, count in counts.most_common() if count >= _TOGETHER_LEAST]
    return tuple(name for name in often if not first_overlap(mine, (name,)))[:_TOGETHER_MAX]
