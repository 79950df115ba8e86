"""What an agent is about to do, as a hook is told before it happens; and the words of a shell line."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Literal

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.policy.rules import Answer

Payload = Mapping[str, object]
"""The JSON object on a hook's stdin. Nothing in it is certain to be there, or of the right kind."""
SHOWN_CHARS_MAX = 200
_DEVICES = ("null", "zero", "full", "tty", "stdin", "stdout", "stderr")
_NO_FILES = frozenset({"", "-", *(f"/dev/{device}" for device in _DEVICES)})


@dataclass(frozen=True, kw_only=True)
class Action:
    """An agent's next step, in the words of no client."""

    session: str
    cwd: str
    paths: tuple[str, ...]
    """What an edit would write, as the client names it; empty where the step is no edit."""
    kind: Literal["edit", "command", "tool"] = "tool"
    command: str = ""
    """The shell line of a command."""
    tool: str = ""
    """The tool's name, as the client has it (`Edit`, `mcp__github__create_issue`)."""
    agent: str = ""
    """The sub-agent that acts; "" for the session itself."""


def text(payload: Payload, name: str, /) -> str:
    """A field that should be text; "" where it is not, or holds what no file name and no store can."""
    value = payload.get(name)
    return value if isinstance(value, str) and _is_plain(value) else ""


def fields(payload: Payload, name: str, /) -> Payload:
    """A field that should be an object; empty where it is not."""
    value = payload.get(name)
    return value if isinstance(value, Mapping) else {}


def usable(what: str, value: str, /) -> str:
    """A path or a line that the system can take. Raises Invalid where there is none."""
    if not value or not _is_plain(value):
        raise Invalid(f"the client sent no {what} that can be read; name it in plain text")
    return value


def _is_plain(value: str) -> bool:
    return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


def refusal(reason: str, /, *, decision: Literal["deny", "ask"] = "deny") -> Payload:
    """The reply that stops the step; both clients show the model the reason (facts: run on both, 2026-11)."""
    return {
        "hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "permissionDecision": decision,
            "permissionDecisionReason": reason,
        }
    }


def advice(reason: str, /) -> Payload:
    """The reply that lets the step go on and tells the model what to mind."""
    return {"hookSpecificOutput": {"hookEventName": "PreToolUse", "additionalContext": reason}}


def remark(reason: str, /) -> Payload:
    """The reply that lets the step go on and tells the person at the screen why it was not judged."""
    return {"systemMessage": reason}


def replied(answer: Answer, reason: str, /, *, can_ask: bool) -> Payload | None:
    """The reply to an answer of the policy; None, which is to say nothing, where it allows.

    Where the client cannot ask, what needs an approval is refused: silence is no.
    """
    if answer in {"deny", "require_approval"}:
        return refusal(reason, decision="ask" if can_ask and answer == "require_approval" else "deny")
    return advice(reason) if answer == "warn" else None


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
