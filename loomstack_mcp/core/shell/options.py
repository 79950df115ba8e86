"""A command's words told apart: options with their values, and operands."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from loomstack_mcp.core.records import record
from loomstack_mcp.core.shell.words import NOTHING, Word, Words


@record
class Scanned:
    """A command's words, told apart."""

    options: tuple[tuple[str, Word], ...]
    """Each with its value or an empty word; the letters of a cluster one by one."""
    operands: Words

    def values(self, *names: str) -> Words:
        """One word for each time that one of the options stands there."""
        return tuple(value for option, value in self.options if option in names)


def scanned(words: Sequence[Word], valued: str = "", *, stops: bool = False) -> Scanned:
    """Options and operands. `valued` names options with a value, with `?` where it is never the next word.

    Where it `stops`, all from the first operand on are operands.
    """
    takes, rest = valued.split(), iter(words)
    options: list[tuple[str, Word]] = []
    operands: list[Word] = []
    for word in rest:
        text = word.text
        if word.is_opaque and text in {"-", "--"}:
            options.append((text, word))  # `--$WHAT` is some option, not the end of them
        elif text == "--":
            operands += rest
        elif len(text) < 2 or text[0] != "-":  # `-` alone is a file: standard input
            operands.append(word)
            operands += rest if stops else ()
        else:
            flags, name, value = _spelled_out(text, takes)
            options += [(flag, NOTHING) for flag in flags]
            is_next = name in takes and value is None and not word.is_opaque
            options.append((name, next(rest, NOTHING) if is_next else replace(word, text=value or "")))
    return Scanned(options=tuple(options), operands=tuple(operands))


def _spelled_out(text: str, takes: Collection[str]) -> tuple[list[str], str, str | None]:
    """The options in one word: those without a value, then the last one with its value; None where it has none here."""
    name, equals, value = text.partition("=")
    if text.startswith("--"):
        return [], name, value if equals else None
    # From the first letter with a value on, the rest of a cluster is that value: `-mn` is the message `n`.
    ends = (at for at in range(1, len(text) - 1) if f"-{text[at]}" in takes or f"-{text[at]}?" in takes)
    last = next(ends, len(text) - 1)
    # `-auto-approve` may be one long option or a cluster, by the program's own taste: it counts as both.
    whole = [name] if len(name) > 2 else []
    return whole + [f"-{letter}" for letter in text[1:last]], f"-{text[last]}", text[last + 1 :] or None
