"""Which calls of a shell line a rule's pattern means."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from loomstack_mcp.core.shell.effects import ShellReading
from loomstack_mcp.core.shell.git_words import CUT_CHARS_MIN, git_scanned, subcommand_scanned
from loomstack_mcp.core.shell.options import scanned
from loomstack_mcp.core.shell.words import Word, Words, words_shown

_REFSPECS: Mapping[str, frozenset[str]] = {
    "+": frozenset({"-f", "--force"}),
    ":": frozenset({"-d", "--delete"}),
}
"""What the first character of a refspec stands for (git-push(1))."""


def matching_calls(reading: ShellReading, pattern: Sequence[str], /) -> tuple[str, ...]:
    """The calls that a rule's `[git, push, "--force|-f"]` means, and all that cannot be read, as text.

    The first token is the command's name. Tokens without `-` are its first words that are no options, in order; a
    word after an option may be its value or not, so both is tried. A token with `-` is an option anywhere, alone, with
    `=value`, in a cluster (`-fu`), for git also cut short (`--forc`). Tokens have alternatives with `|`, and `*`.
    `git push origin +main` is forced, `:main` deletes. An unknown word may be any word, unquoted any words and options.
    """
    found = [words_shown(words) for words in reading.calls if fits(words, pattern)]
    return tuple(dict.fromkeys([*found, *reading.opaque]))


def fits(words: Words, pattern: Sequence[str], /) -> bool:
    """Whether a call is, or may become, one that the pattern means."""
    name = words[0].name
    if not name and words[0].may_split:
        return True
    if name and not any(fnmatchcase(name, one.casefold()) for one in pattern[0].split("|")):
        return False
    rest = git_scanned(words).operands if name == "git" else words[1:]
    verbs, options = _told_apart(pattern[1:])
    return _begins(rest, verbs) and all(_has(name, rest, wanted) for wanted in options)


def _told_apart(tokens: Sequence[str]) -> tuple[list[list[str]], list[list[str]]]:
    """The alternatives of each token that is no option, and of each that is one."""
    found = [token.split("|") for token in tokens]
    return [one for one in found if one[0][:1] != "-"], [one for one in found if one[0][:1] == "-"]


def _begins(words: Words, verbs: Sequence[Sequence[str]]) -> bool:
    """Whether the words that are no options can begin with these."""
    reached, may_be_value = {0}, False
    for word in words:
        if not reached or len(verbs) in reached or word.is_loose:
            return bool(reached)
        if word.text.startswith("-"):
            may_be_value = "=" not in word.text
        else:
            further = {n + 1 for n in reached if any(word.may_be(one) for one in verbs[n])}
            reached, may_be_value = further | (reached if may_be_value else set()), False
    return len(verbs) in reached


def _has(name: str, rest: Words, wanted: Sequence[str]) -> bool:
    """Whether one of the wanted options stands there, or a word that does the same, or may become it."""
    is_git, verb = name == "git", rest[0].text if rest else ""
    found = subcommand_scanned(verb, rest) if is_git else scanned(rest)
    refspecs = _REFSPECS if is_git and verb == "push" else {}
    if any(_does_the_same(word, wanted, refspecs) for word in found.operands):
        return True
    return any(_is_option(option, value, one, is_git=is_git) for option, value in found.options for one in wanted)


def _does_the_same(word: Word, wanted: Sequence[str], refspecs: Mapping[str, frozenset[str]]) -> bool:
    means = refspecs.get(word.text[:1], frozenset())
    plain = (one for one in wanted if not one.startswith("-"))
    return word.is_loose or not means.isdisjoint(wanted) or any(fnmatchcase(word.text, one) for one in plain)


def _is_option(option: str, value: Word, wanted: str, *, is_git: bool) -> bool:
    """Whether an option is the wanted one: spelled out, cut short for git, or begun and then unknown."""
    may_be_cut = value.is_opaque or (is_git and len(option) >= CUT_CHARS_MIN)
    return fnmatchcase(option, wanted) or (may_be_cut and wanted.startswith(option))
