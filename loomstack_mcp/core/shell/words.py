"""The words of a shell line, told apart, and the paths that they name."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

SHOWN_CHARS_MAX = 200
_DEVICES = ("null", "zero", "full", "tty", "stdin", "stdout", "stderr")
_NO_FILES = frozenset({"", "-", *(f"/dev/{device}" for device in _DEVICES)})


@dataclass(frozen=True, kw_only=True)
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
        """As a command, without its folder, in small letters, as some file systems have it; "" where it is computed."""
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


@dataclass(frozen=True, kw_only=True)
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


@dataclass(frozen=True, kw_only=True)
class Script:
    """What a parser found in a line; `opaque` says what it could not read."""

    commands: tuple[Command, ...] = ()
    opaque: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Write:
    """What the line edits, creates, moves or deletes, from where it starts."""

    path: str
    """`.` and double slashes are gone, `..` is not, for a link may stand before it. "" may be any path."""
    is_folder_wide: bool = False
    """What is below the path may be written too."""
    glob: str = ""
    """Of what is below the path, only what this matches (fnmatch), for who can look which files there are."""


def shown(words: Words, /) -> str:
    """As people read it, at most `SHOWN_CHARS_MAX` characters."""
    return " ".join(map(str, words))[:SHOWN_CHARS_MAX]


def one_line(words: Sequence[Word], /) -> Word:
    """What a shell reads that is handed these words."""
    return ANYTHING if any(word.is_opaque for word in words) else Word(text=" ".join(word.text for word in words))


@dataclass(frozen=True, kw_only=True)
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
    takes, options, operands, rest = valued.split(), list[tuple[str, Word]](), list[Word](), iter(words)
    for word in rest:
        text = word.text
        if word.is_opaque and text in {"-", "--"}:
            options.append((text, word))
            continue
        if text == "--" or len(text) < 2 or text[0] != "-":
            operands += [word] if text != "--" else []
            operands += rest if stops or text == "--" else []
            continue
        name, equals, value = text.partition("=")
        if not text.startswith("--"):
            ends = [n for n in range(1, len(text) - 1) if {f"-{text[n]}", f"-{text[n]}?"} & {*takes}]
            last = ends[0] if ends else len(text) - 1
            options += [(name, NOTHING)] if len(name) > 2 else []
            options += [(f"-{letter}", NOTHING) for letter in text[1:last]]
            name, equals, value = f"-{text[last]}", "", text[last + 1 :]
        wants = name in takes and not (value or equals or word.is_opaque)
        options.append((name, next(rest, NOTHING) if wants else replace(word, text=value)))
    return Scanned(options=tuple(options), operands=tuple(operands))


def joined(here: str | None, path: str, /, *, climbs: bool = False) -> str | None:
    """A path from where the line stands; None where that is not known. It `climbs` where `..` takes a folder away."""
    if here is None and not path.startswith("/"):
        return None
    path = path if path.startswith("/") else f"{here}/{path}" if here else path
    parts: list[str] = []
    for part in path.split("/"):
        if climbs and part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return ("/" if path.startswith("/") else "") + "/".join(parts) or "."


def entered(here: str | None, folder: Word, /) -> str | None:
    """Where the line stands after `cd`; as a shell does, by the names alone."""
    is_known = not folder.is_opaque and not folder.is_glob and folder.text != "-"
    return joined(here, folder.text, climbs=True) if is_known else None


def written(here: str | None, targets: Sequence[Word], /, *, wide: bool = False) -> Iterator[Write]:
    """The targets as paths, but for devices."""
    for word in targets:
        text = word.text
        if (text in _NO_FILES and not word.is_opaque) or text.startswith("/dev/fd/"):
            continue
        if not (word.is_opaque or word.is_glob):
            path = joined(here, text)
            yield Write(path=path or "", is_folder_wide=wide or not path)
            continue
        # The folder is what stands before the last slash before the first thing unknown.
        ends = [at for mark in "*?[" if word.is_glob and (at := text.find(mark)) >= 0]
        folder = text[: text.rfind("/", 0, min(ends, default=len(text))) + 1]
        path = joined(here, folder or ".") if text else None
        glob = text[len(folder) :] + (f"*{word.tail}" if word.is_opaque else "")
        yield Write(path=path or "", is_folder_wide=True, glob=glob if path else "")
