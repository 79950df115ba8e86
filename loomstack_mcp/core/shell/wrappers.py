"""Commands that run other commands: `sudo git push`, `find -exec`, `uv run`."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain, dropwhile, islice

from loomstack_mcp.core.shell.git_words import git_scanned
from loomstack_mcp.core.shell.options import Scanned, scanned
from loomstack_mcp.core.shell.words import ANYTHING, Word, Words

WRAPPERS_MAX = 20
"""Commands within one another, and `-exec` of one `find`, that are followed."""
ASSIGNING = frozenset({"env", "sudo", "doas"})
"""They take `NAME=value` before the command."""

_WRAPPERS: Mapping[str, tuple[str, int]] = {
    "env": ("-u --unset -C --chdir -S --split-string", 0),
    "doas": ("-u -C", 0),
    "exec": ("-a", 0),
    "sudo": ("-u -g -h -p -C -T -r -t -R -D -U --user --group --host --prompt --chdir --role --type", 0),
    "timeout": ("-s --signal -k --kill-after", 1),
    "chroot": ("", 1),
    "flock": ("-w -E -c --timeout --command", 1),
    "xargs": ("-I -n -N -P -L -d -E -s -a --max-args --max-procs --delimiter --arg-file --max-lines", 0),
    "nice": ("-n --adjustment", 0),
    "ionice": ("-c -n -p", 0),
    "time": ("-f -o", 0),
    "stdbuf": ("-i -o -e", 0),
    "uvx": ("--from --with -p --python", 0),
    **dict.fromkeys(("nohup", "setsid", "command", "builtin", "coproc", "busybox", "chronic", "unbuffer"), ("", 0)),
}
"""Their options with a value, and how many operands stand before the command."""
_RUNNERS = frozenset({"uv", "poetry", "pipenv", "pdm", "pipx", "hatch", "rye"})
"""`uv run COMMAND`."""
_RUN = "-p --python --with --from --extra --group --project --directory --env-file --spec"


def commands_run(words: Words, /) -> Iterator[Words]:
    """A command, and those that it runs in turn; past `WRAPPERS_MAX` of them anything may run."""
    todo = [words] if words else []
    for _ in range(WRAPPERS_MAX):
        if not todo:
            return
        yield todo[0]
        todo = [*todo[1:], *(inner for inner in _inner(todo[0]) if inner)]
    yield (ANYTHING,)


def search_starts(rest: Words, /) -> Words:
    """Where `find` starts to look, from the words behind it."""
    until = next((n for n, word in enumerate(rest) if word.text.startswith(("-", "(", "!"))), len(rest))
    return rest[:until] or (Word(text="."),)


def _inner(words: Words) -> Iterator[Words]:
    name, rest = words[0].name, words[1:]
    if name == "find":
        yield from _executed(rest)
    elif name.startswith(("python", "pypy")):
        yield _our_module(rest)
    elif name == "git":
        yield _bisected(words)
    elif name in _RUNNERS and rest[:1] and rest[0].text == "run":
        yield scanned(rest[1:], _RUN, stops=True).operands
    elif name in _WRAPPERS and not (name == "command" and _only_asks(rest)):
        yield _wrapped(name, rest)


def _executed(rest: Words) -> Iterator[Words]:
    """What `find` runs, on whatever it finds below where it starts."""
    texts = [word.text for word in rest]
    below = [replace(word, is_opaque=True, text=f"{word.text}/", tail="") for word in search_starts(rest)]
    places = (n for n, text in enumerate(texts) if text in {"-exec", "-execdir", "-ok", "-okdir"})
    for at in islice(places, WRAPPERS_MAX):
        command = rest[at + 1 : _execution_end(texts, at)]
        yield tuple(chain.from_iterable(below if word.text == "{}" else [word] for word in command))


def _execution_end(texts: list[str], at: int) -> int | None:
    """A `;` ends it, and a `+`, but that only right behind `{}` (POSIX, find); None where neither does."""
    return next((n for n in range(at, len(texts)) if texts[n] == ";" or texts[n - 1 : n + 1] == ["{}", "+"]), None)


def _our_module(rest: Words) -> Words:
    """`python -m loomstack_mcp` as the command that it is; nothing for any other module."""
    found = scanned(rest, "-m -c -W -X", stops=True)
    if any(value.text.startswith("loomstack_mcp") for value in found.values("-m")):
        return (Word(text="loomstack-mcp"), *found.operands)
    return ()


def _bisected(words: Words) -> Words:
    """What `git bisect run` runs."""
    operands = git_scanned(words).operands
    return operands[2:] if [word.text for word in operands[:2]] == ["bisect", "run"] else ()


def _only_asks(rest: Words) -> bool:
    """`command -v` runs nothing: it prints where a command is."""
    return bool(scanned(rest, stops=True).values("-v", "-V"))


def _wrapped(name: str, rest: Words) -> Words:
    valued, operands = _WRAPPERS[name]
    found = scanned(rest, valued, stops=True)
    inner = found.operands[operands:]
    if name in ASSIGNING:
        return tuple(dropwhile(lambda word: "=" in word.text, inner))
    if name == "coproc":
        # `coproc NAME { command; }`; without the brace the first word is the command.
        return inner[next((n for n, word in enumerate(inner[:2], 1) if word.text == "{"), 0) :]
    return _fed_by_input(inner, found) if name == "xargs" and inner else inner


def _fed_by_input(inner: Words, found: Scanned) -> Words:
    """The command of `xargs`: what that reads becomes words at the end, or wherever its mark stands."""
    marks = [mark.text for mark in found.values("-I")]
    return (*(ANYTHING if any(mark in word.text for mark in marks) else word for word in inner), ANYTHING)
