"""Commands that run other commands: `sudo git push`, `find -exec`, `uv run`."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain, dropwhile, islice

from loomstack_mcp.core.shell.git_words import git_scanned
from loomstack_mcp.core.shell.options import Scanned, scanned
from loomstack_mcp.core.shell.words import ANYTHING, NOTHING, Word, Words

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
    "screen": ("-S -t -c -h -e -p -s -T", 0),
    "parallel": ("-j --jobs -n -N -S --delay --retries --timeout --joblog --results --colsep -a -I", 0),
    "xargs": ("-I -n -N -P -L -d -E -s -a --max-args --max-procs --delimiter --arg-file --max-lines", 0),
    "nice": ("-n --adjustment", 0),
    "ionice": ("-c -n -p", 0),
    "time": ("-f -o", 0),
    "stdbuf": ("-i -o -e", 0),
    "uvx": ("--from --with -p --python", 0),
    "runuser": ("-u -g -G -w --user --group --supp-group --whitelist-environment", 0),
    "setpriv": ("--reuid --regid --groups --inh-caps --ambient-caps --bounding-set --securebits", 0),
    "unshare": ("-S -G -R -w --setuid --setgid --root --wd", 0),
    "nsenter": ("-t -S -G --target --setuid --setgid", 0),
    "taskset": ("", 1),
    "chrt": ("-T -P -D --sched-runtime --sched-period --sched-deadline", 1),
    "faketime": ("", 1),
    "strace": ("-a -b -e -E -I -o -O -p -P -s -S -u -U -X", 0),
    "ltrace": ("-a -A -D -e -l -n -o -p -s -u -w -x -X", 0),
    "dbus-run-session": ("--config-file --dbus-daemon", 0),
    "systemd-run": ("-p -u -E -M -H --property --unit --setenv --machine --host --slice --uid --gid --description", 0),
    "xvfb-run": ("-e -f -n -p -s -w --error-file --auth-file --server-num --server-args", 0),
    **dict.fromkeys(("nohup", "setsid", "command", "builtin", "coproc", "busybox", "chronic", "unbuffer"), ("", 0)),
}
"""Their options with a value, and how many operands stand before the command."""
_RUNNERS = frozenset({"uv", "poetry", "pipenv", "pdm", "pipx", "hatch", "rye"})
"""`uv run COMMAND`, `uv tool run COMMAND`."""
_OURS = Word(text="loomstack-mcp")
_SCRIPTS = frozenset({"loomstack-mcp", "loomstack"})
_MODULE = re.compile(r"-[A-Za-ln-z]*m\S*")
_RUNS_OURS = re.compile(r"loomstack_mcp\.cli|loomstack_mcp.*runpy|runpy.*loomstack_mcp", re.DOTALL)
"""Code that starts our commands, with words that are not read."""
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
    elif name in _RUNNERS:
        yield _run_by(rest)
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


def _run_by(rest: Words) -> Words:
    found = scanned(rest, _RUN, stops=True).operands
    verbs = 2 if [word.text for word in found[:2]] == ["tool", "run"] else 1
    is_run = [word.text for word in found[verbs - 1 : verbs]] == ["run"]
    return scanned(found[verbs:], _RUN, stops=True).operands if is_run else ()


def _our_module(rest: Words) -> Words:
    """`python -m loomstack_mcp`, or our script or code by `python`, as the command that it is; nothing for any other.

    What stands behind the module is its own, options too (Python's manual, 1.1.1).
    """
    at = next((n for n, word in enumerate(rest) if _MODULE.fullmatch(word.text)), len(rest))
    before = scanned(rest[:at], "-c -W -X", stops=True)
    if code := before.values("-c"):
        return (_OURS, ANYTHING) if _RUNS_OURS.search(code[0].text) else ()
    if before.operands:
        is_ours = before.operands[0].name in _SCRIPTS or before.operands[0].text.endswith("loomstack_mcp/__main__.py")
        return (_OURS, *before.operands[1:], *rest[at:]) if is_ours else ()
    joined = rest[at].text.partition("m")[2] if at < len(rest) else ""
    module, *behind = ((Word(text=joined),) if joined else ()) + rest[at + 1 :] or (NOTHING,)
    return (_OURS, *behind) if module.text.startswith("loomstack_mcp") else ()


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
