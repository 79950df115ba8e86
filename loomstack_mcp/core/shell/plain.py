"""Shell lines so plain that no parser is needed to know that they only read: told by few words, in few modules."""

import re

_LINE_CHARS_MAX = 1_000
_WORD = r"(?:[A-Za-z0-9_./:,+@%=^~*?-]|'[^'\n]*'|\"[^\"$`\\!\n]*\")+"
_COMMANDS = re.compile(rf"{_WORD}(?: +{_WORD})*(?: *(?:\|\||&&|\||;) *{_WORD}(?: +{_WORD})*)*")
_WORDS = re.compile(_WORD)
_BETWEEN = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|(\|\||&&|\||;)")
_READERS = frozenset({
    *("ls", "cat", "head", "tail", "wc", "grep", "egrep", "fgrep", "pwd", "which", "stat", "du", "df", "cmp"),
    *("basename", "dirname", "realpath", "readlink", "true", "echo"),
})  # fmt: skip
_GIT_READERS = frozenset({"status", "diff", "log", "show", "rev-parse", "ls-files", "blame"})
_OF_GIT = re.compile(r"-(?:-(?:no-v|ou|ext|textconv)|O|o)")
"""How options of these begin that write a file, run a program, or are like those that keep hooks from running."""
_QUOTES = re.compile("['\"]")
"""Quotes may stand anywhere in a word, which is the same word to a shell."""


def only_reads(line: str, /) -> bool:
    """Whether a line is for certain one that writes nothing and runs nothing but programs that only read.

    False is no answer: whoever gets it reads the line with the parser.
    """
    if len(line) > _LINE_CHARS_MAX or not _COMMANDS.fullmatch(line.strip(" ")):
        return False
    return all(map(_is_reader, _commands(line)))


def _commands(line: str) -> list[list[str]]:
    """The words of each command, those in quotes as they are written."""
    cuts = [match.span() for match in _BETWEEN.finditer(line) if match[1]]
    starts, ends = [0, *(end for _, end in cuts)], [*(start for start, _ in cuts), len(line)]
    return [_WORDS.findall(line[start:end]) for start, end in zip(starts, ends, strict=True)]


def _is_reader(words: list[str]) -> bool:
    if words[:1] == ["git"]:
        is_known = len(words) > 1 and words[1] in _GIT_READERS
        return is_known and not any(_OF_GIT.match(_QUOTES.sub("", word)) for word in words)
    return bool(words) and words[0] in _READERS
