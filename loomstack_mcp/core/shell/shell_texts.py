"""The text that a command hands to a shell: `bash -c`, a here-document, `eval`, `git rebase -x`."""

from loomstack_mcp.core.shell.git_words import git_scanned
from loomstack_mcp.core.shell.options import Scanned, scanned
from loomstack_mcp.core.shell.words import ANYTHING, Command, Word, Words, one_line

_SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ksh", "mksh", "ash", "fish", "rbash"})
_TEXTS = {
    "env": "-S --split-string",
    "rebase": "-x --exec",
    **dict.fromkeys(("su", "runuser", "script", "flock", "sg"), "-c --command"),
}
"""Options whose value a shell reads."""


def shell_text(words: Words, command: Command, /) -> Word | None:
    """The text that a shell will read as commands; None where there is none, or it is in a file."""
    name, rest = words[0].name, words[1:]
    if name in _SHELLS:
        return _shell_input(scanned(rest, "-o -O --rcfile --init-file", stops=True), command)
    if name in {"source", "."}:
        return _shell_input(Scanned(options=(), operands=rest[:1]), command)
    if name in {"eval", "watch"}:
        return one_line(scanned(rest, "-n -d", stops=True).operands)
    if name == "trap" and len(rest) > 1:
        return rest[0]
    return _git_text(words) if name == "git" else _option_text(name, rest)


def _shell_input(found: Scanned, command: Command) -> Word | None:
    """What a shell reads: its `-c`, else the file it is given, else its input."""
    operand = next(iter(found.operands), None)
    if found.values("-c"):
        return operand
    if operand and not found.values("-s") and operand.text not in {"-", "/dev/stdin"}:
        return ANYTHING if operand.is_loose or _is_substituted(operand) else None
    source = next((target for sign, target in reversed(command.redirects) if sign == "<"), None)
    if source and not command.stdin:
        return ANYTHING if _is_substituted(source) else None
    return command.stdin or (ANYTHING if command.is_piped else None)


def _is_substituted(file: Word) -> bool:
    """`<(command)` is a file that holds what the command prints; a shell names it `/dev/fd/63`."""
    return file.text.startswith("/dev/fd/")


def _git_text(words: Words) -> Word | None:
    top = git_scanned(words)
    if any(value.text.startswith("alias.") for value in top.values("-c")):
        return ANYTHING
    verb, rest = next((word.text for word in top.operands), ""), top.operands[1:]
    if verb == "submodule" and [word.text for word in rest[:1]] == ["foreach"]:
        return one_line(scanned(rest[1:], stops=True).operands)
    return _option_text(verb, rest)


def _option_text(name: str, rest: Words) -> Word | None:
    valued = _TEXTS.get(name, "")
    found = scanned(rest, valued, stops=name == "env")
    texts = found.values(*valued.split())
    # What stands behind `env -S "a b"` is added to the words that the text is split into.
    return one_line([*texts, *(found.operands if name == "env" else ())]) if texts else None
