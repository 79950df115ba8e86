"""The words and commands of a shell line, as a parser found them."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from loomstack_mcp.core.records import record

SHOWN_CHARS_MAX = 200


@record
class Word:
    """A word of a command, its quotes removed."""

    text: str
    """Where it is opaque, what comes before the part that cannot be known."""
    is_opaque: bool = False
    tail: str = ""
    """Where it is opaque, what comes after."""
    may_split: bool = False
    """The unknown part stands unquoted: it may become several words, options among them, or none."""
    is_glob: bool = False
    """It holds an unquoted `*`, `?` or `[`."""

    def __str__(self) -> str:
        return f"{self.text}…{self.tail}" if self.is_opaque else self.text

    @property
    def name(self) -> str:
        """As a command, without its folder, in small letters; "" where it is computed."""
        # A file system that ignores case, as macOS has it, runs `GIT` and `/usr/bin/Git` just as well.
        is_known = not self.is_opaque or (not self.text and "/" in self.tail)
        return (self.tail or self.text).rpartition("/")[2].casefold().removesuffix(".exe") if is_known else ""

    @property
    def is_loose(self) -> bool:
        """It may be any words at all."""
        return self.may_split and not self.text

    def may_be(self, wanted: str, /) -> bool:
        """Whether it is what a `*` pattern wants, or as one word may become it."""
        if self.is_opaque:
            return "*" in wanted or (wanted.startswith(self.text) and wanted.endswith(self.tail))
        return fnmatchcase(self.text, wanted)


Words = tuple[Word, ...]

NOTHING = Word(text="")
ANYTHING = Word(text="", is_opaque=True, may_split=True)


@record
class Command:
    """A simple command, as the line has it."""

    words: Words = ()
    assignments: tuple[tuple[str, Word], ...] = ()
    redirects: tuple[tuple[str, Word], ...] = ()
    stdin: Word | None = None
    """The text of a here-document or here-string."""
    is_piped: bool = False
    scope: tuple[int, ...] = ()
    """The subshells around it, outermost first: a `cd` in one does not outlast it."""


@record
class Script:
    """What a parser found in a line; `opaque` says what it could not read."""

    commands: tuple[Command, ...] = ()
    opaque: tuple[str, ...] = ()
    is_cut: bool = False
    """Whether commands are left out, for they lie beyond what is read of a line."""


def words_shown(words: Words, /) -> str:
    """As people read it, at most `SHOWN_CHARS_MAX` characters."""
    return " ".join(map(str, words))[:SHOWN_CHARS_MAX]


def one_line(words: Sequence[Word], /) -> Word:
    """What a shell reads that is handed these words."""
    return ANYTHING if any(word.is_opaque for word in words) else Word(text=" ".join(word.text for word in words))
