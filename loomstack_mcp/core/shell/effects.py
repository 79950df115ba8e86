"""Shell lines as read: which commands they run, what those write, and which rules that meets.

A guard, not a jail. Out of reach are what a program does by itself (`python -c`, `make`, a script in a file, the `w`
of sed, unpacking, formatters), whole trees that git moves (`reset --hard`, `stash`), aliases, a shell elsewhere,
options in a quoted variable, and a `cd` that fails.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import chain, dropwhile, islice

from loomstack_mcp.core.shell.apply_patch import patched
from loomstack_mcp.core.shell.words import (
    ANYTHING,
    Command,
    Scanned,
    Script,
    Word,
    Words,
    Write,
    entered,
    one_line,
    scanned,
    shown,
    written,
)

LINE_BYTES_MAX = 100_000
COMMANDS_MAX = 5_000
WRAPPERS_MAX = 20
SHELLS_MAX = 8
GIT_CUT_CHARS_MIN = 5  # of an option that git knows by its beginning

# fmt: off
_SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ksh", "mksh", "ash", "fish", "rbash"})
_WRAPPERS: Mapping[str, tuple[str, int]] = {  # their options with a value, and the operands before the command
    "env": ("-u --unset -C --chdir -S --split-string", 0), "doas": ("-u -C", 0), "exec": ("-a", 0),
    "sudo": ("-u -g -h -p -C -T -r -t -R -D -U --user --group --host --prompt --chdir --role --type", 0),
    "timeout": ("-s --signal -k --kill-after", 1), "chroot": ("", 1), "flock": ("-w -E -c --timeout --command", 1),
    "xargs": ("-I -n -N -P -L -d -E -s -a --max-args --max-procs --delimiter --arg-file --max-lines", 0),
    "nice": ("-n --adjustment", 0), "ionice": ("-c -n -p", 0), "time": ("-f -o", 0), "stdbuf": ("-i -o -e", 0),
    "uvx": ("--from --with -p --python", 0),
    **dict.fromkeys(("nohup", "setsid", "command", "builtin", "coproc", "busybox", "chronic", "unbuffer"), ("", 0)),
}
_RUNNERS = frozenset({"uv", "poetry", "pipenv", "pdm", "pipx", "hatch", "rye"})  # `uv run COMMAND`
_RUN = "-p --python --with --from --extra --group --project --directory --env-file --spec"
_TEXTS = {"env": "-S --split-string", "rebase": "-x --exec",
          **dict.fromkeys(("su", "runuser", "script", "flock", "sg"), "-c --command")}  # options that a shell reads
_GIT = "-C -c --git-dir --work-tree --namespace --config-env --super-prefix --attr-source"
_GIT_TAKES = {
    "commit": "-m -F -C -c -t -S? -u? --message --file --author --date --template --fixup --squash --cleanup --trailer",
    "push": "-o --push-option --receive-pack --exec --repo", "checkout": "-b -B --orphan --conflict",
    "restore": "-s --source --conflict", "clean": "-e --exclude", "merge": "-m -F -s -X", "am": "-C -p --directory",
    "config": "-f --file --blob -t --type --default --value --comment",
}
_BYPASSING = {"HUSKY": "0", "HUSKY_SKIP_HOOKS": "*", "LEFTHOOK": "0", "LEFTHOOK_EXCLUDE": "*", "GIT_CONFIG*": "*",
              "OVERCOMMIT_DISABLE": "*", "PRE_COMMIT_ALLOW_NO_CONFIG": "*"}
_OURS = "loomstack-mcp|loomstack"
_DECIDING = ((_OURS, "approve|deny|trust|token|config|uninstall|db"), (_OURS, "note", "add"))
_ALL = {"rm": "", "rmdir": "", "unlink": "", "shred": "-n -s", "touch": "-d -t -r --date --reference", "tee": "",
        "truncate": "-s -r --size --reference", "mkdir": "-m --mode", "chmod": "", "chown": "", "chgrp": ""}
_LAST = {"cp": "-S --suffix", "mv": "-S --suffix", "ln": "-S --suffix", "install": "-S -m -o -g --mode --owner --group",
         "rsync": "-e --rsh --exclude --include --filter -f", "scp": "-P -i -o -F -l -S"}
_EDITORS = {  # options with a value, and those that hold the program
    "sed": ("-i? -l -e -f --line-length --expression --file", "-e -f --expression --file"),
    "perl": ("-i? -e -E -I -M -m", "-e -E"), "ruby": ("-i? -e -I -r", "-e"), "gawk": ("-i -f -v", "-f"),
}
_OUTPUTS = {"curl": "-o --output", "wget": "-O --output-document", "sort": "-o --output"}
_REFSPECS = {"+": {"-f", "--force"}, ":": {"-d", "--delete"}}
# fmt: on


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a line does, as far as it can be read."""

    calls: tuple[Words, ...]
    """Every command that runs, also within another: `sudo git push` is two, for a rule may name either."""
    assignments: tuple[tuple[str, Word], ...]
    writes: tuple[Write, ...]
    opaque: tuple[str, ...]
    """What may run any command, in words."""


def reading(script: Script, /, *, cwd: str = "", parse: Callable[[str], Script] | None = None) -> Reading:
    """Follow a line's commands. `parse` reads what is handed to a shell as text; without it that is opaque."""
    reader = _Reader(parse)
    reader.follow(script, cwd, 0)
    writes, opaque = tuple(dict.fromkeys(reader.writes)), tuple(dict.fromkeys(reader.opaque))
    return Reading(calls=tuple(reader.calls), assignments=tuple(reader.assignments), writes=writes, opaque=opaque)


def matches(reading: Reading, pattern: Sequence[str], /) -> tuple[str, ...]:
    """The calls that a rule's `[git, push, "--force|-f"]` means, and all that cannot be read, as text.

    The first token is the command's name. Tokens without `-` are its first words that are no options, in order; a
    word after an option may be its value or not, so both is tried. A token with `-` is an option anywhere, alone, with
    `=value`, in a cluster (`-fu`), for git also cut short (`--forc`). Tokens have alternatives with `|`, and `*`.
    `git push origin +main` is forced, `:main` deletes. An unknown word may be any word, unquoted any words and options.
    """
    found = [shown(words) for words in reading.calls if _fits(words, pattern)]
    return tuple(dict.fromkeys([*found, *reading.opaque]))


def bypasses(reading: Reading, /) -> tuple[str, ...]:
    """What keeps hooks from running: `--no-verify`, `commit -n`, another `core.hooksPath`, `HUSKY=0` and the like.

    `SKIP=` counts beside git or pre-commit. What cannot be read does not count: this rule holds where nobody wrote one.
    """
    names = {words[0].name for words in reading.calls}
    known = {**_BYPASSING, "SKIP": "*"} if names & {"git", "pre-commit"} else _BYPASSING
    found = [
        f"{name}={value}"
        for name, value in reading.assignments
        if any(fnmatchcase(name, one) and fnmatchcase(value.text, text) for one, text in known.items())
    ]
    calls = [words for words in reading.calls if words[0].name in {"git", ""} and _is_unhooked(words)]
    return tuple(dict.fromkeys([*found, *map(shown, calls)]))


def decides(reading: Reading, /) -> tuple[str, ...]:
    """The calls of our own commands by which people decide, which no agent may run."""
    calls = [words for words in reading.calls if words[0].name and any(_fits(words, one) for one in _DECIDING)]
    return tuple(dict.fromkeys(map(shown, calls)))


class _Reader:
    """Gathers what a reading holds, and where the line stands meanwhile; a folder that is not known is None."""

    def __init__(self, parse: Callable[[str], Script] | None) -> None:
        self._parse = parse
        self.calls: list[Words] = []
        self.assignments: list[tuple[str, Word]] = []
        self.writes: list[Write] = []
        self.opaque: list[str] = []

    def follow(self, script: Script, cwd: str | None, depth: int) -> str | None:
        """The folder where the script ends."""
        folders: dict[tuple[int, ...], str | None] = {(): cwd}
        self.opaque += script.opaque
        for command in script.commands:
            scope = command.scope
            here = next(folders[scope[:n]] for n in range(len(scope), -1, -1) if scope[:n] in folders)
            self.assignments += command.assignments
            files = [to for sign, to in command.redirects if ">" in sign and not (sign == ">&" and to.text.isdigit())]
            self.writes += written(here, files)
            for words in _commands(command.words):
                if len(self.calls) >= COMMANDS_MAX:
                    self.opaque.append(f"more than {COMMANDS_MAX} commands")
                    return None
                self.calls.append(words)
                self.writes += _writes(words, here, command.stdin)
                if words[0].name in {"env", "sudo", "doas"}:
                    self.assignments += [(n, Word(text=v)) for n, e, v in (w.text.partition("=") for w in words) if e]
                here = self._moved(words, command, here, depth)
            if command.words:
                folders[scope] = here
        return folders[()]

    def _moved(self, words: Words, command: Command, here: str | None, depth: int) -> str | None:
        """Where the line stands after a command, which may be one that a shell reads."""
        name = words[0].name
        if name in {"cd", "pushd", "popd"}:
            return entered(here, next(iter(scanned(words[1:]).operands), ANYTHING))
        if (fed := _fed(words, command)) is None:
            return here
        if fed.is_opaque or self._parse is None or depth == SHELLS_MAX:
            self.opaque.append(f"runs commands that cannot be read: {shown(words)}")
            return here
        after = self.follow(self._parse(fed.text), here, depth + 1)
        return after if name == "eval" else here


def _git(words: Words) -> Scanned:
    """What is said to git itself; its operands are the subcommand and all that follows."""
    return scanned(words[1:], _GIT, stops=True)


def _commands(words: Words) -> Iterator[Words]:
    """A command, and those that it runs in turn."""
    todo = [words] if words else []
    for _ in range(WRAPPERS_MAX):
        if not todo:
            return
        yield todo[0]
        todo = [*todo[1:], *(inner for inner in _inner(todo[0]) if inner)]
    yield (ANYTHING,)


def _inner(words: Words) -> Iterator[Words]:
    name, rest = words[0].name, words[1:]
    if name == "find":
        yield from _executed(rest)
    elif name.startswith(("python", "pypy")):
        found = scanned(rest, "-m -c -W -X", stops=True)
        if any(value.text.startswith("loomstack_mcp") for value in found.values("-m")):
            yield (Word(text="loomstack-mcp"), *found.operands)
    elif name == "git" and [word.text for word in _git(words).operands[:2]] == ["bisect", "run"]:
        yield _git(words).operands[2:]
    elif name in _RUNNERS and [word.text for word in rest[:1]] == ["run"]:
        yield scanned(rest[1:], _RUN, stops=True).operands
    elif name in _WRAPPERS and not (name == "command" and scanned(rest, stops=True).values("-v", "-V")):
        yield _wrapped(name, rest)


def _wrapped(name: str, rest: Words) -> Words:
    found = scanned(rest, _WRAPPERS[name][0], stops=True)
    inner = list(found.operands[_WRAPPERS[name][1] :])
    if name in {"env", "sudo", "doas"}:
        inner = list(dropwhile(lambda word: "=" in word.text, inner))
    if name == "coproc":
        inner = inner[next((n for n, word in enumerate(inner[:2], 1) if word.text == "{"), 0) :]
    if name == "xargs" and inner:
        # What it reads becomes words at the end, or wherever its mark stands.
        marks = [mark.text for mark in found.values("-I")]
        inner = [ANYTHING if any(mark in word.text for mark in marks) else word for word in inner] + [ANYTHING]
    return tuple(inner)


def _executed(rest: Words) -> Iterator[Words]:
    """What `find` runs, on whatever it finds below where it starts."""
    texts = [word.text for word in rest]
    below = [replace(word, is_opaque=True, text=f"{word.text}/", tail="") for word in _starts(rest)]
    places = (n for n, text in enumerate(texts) if text in {"-exec", "-execdir", "-ok", "-okdir"})
    for at in islice(places, WRAPPERS_MAX):
        end = next((n for n in range(at, len(texts)) if texts[n] == ";" or texts[n - 1 : n + 1] == ["{}", "+"]), None)
        yield tuple(chain.from_iterable(below if word.text == "{}" else [word] for word in rest[at + 1 : end]))


def _starts(rest: Words) -> Words:
    until = next((n for n, word in enumerate(rest) if word.text.startswith(("-", "(", "!"))), len(rest))
    return rest[:until] or (Word(text="."),)


def _fed(words: Words, command: Command) -> Word | None:
    """The text that a shell will read as commands; None where there is none, or it is in a file."""
    name, rest = words[0].name, words[1:]
    if name in _SHELLS:
        return _read(scanned(rest, "-o -O --rcfile --init-file", stops=True), command)
    if name in {"source", "."}:
        return _read(Scanned(options=(), operands=rest[:1]), command)
    if name in {"eval", "watch"}:
        return one_line(scanned(rest, "-n -d", stops=True).operands)
    if name == "trap" and len(rest) > 1:
        return rest[0]
    if name == "git":
        if any(value.text.startswith("alias.") for value in _git(words).values("-c")):
            return ANYTHING
        name, rest = next((word.text for word in _git(words).operands), ""), _git(words).operands[1:]
        if name == "submodule" and [word.text for word in rest[:1]] == ["foreach"]:
            return one_line(scanned(rest[1:], stops=True).operands)
    found = scanned(rest, _TEXTS.get(name, ""), stops=name == "env")
    texts = found.values(*_TEXTS.get(name, "").split())
    return one_line([*texts, *(found.operands if name == "env" else ())]) if texts else None


def _read(found: Scanned, command: Command) -> Word | None:
    """What a shell reads: its `-c`, else the file it is given, else its input."""
    operand = next(iter(found.operands), None)
    if found.values("-c"):
        return operand
    if operand and not found.values("-s") and operand.text not in {"-", "/dev/stdin"}:
        return ANYTHING if operand.is_loose or operand.text.startswith("/dev/fd/") else None
    source = next((target for sign, target in reversed(command.redirects) if sign == "<"), None)
    if source and not command.stdin:
        return ANYTHING if source.text.startswith("/dev/fd/") else None
    return command.stdin or (ANYTHING if command.is_piped else None)


def _fits(words: Words, pattern: Sequence[str]) -> bool:
    name = words[0].name
    if not name and words[0].may_split:
        return True
    if name and not any(fnmatchcase(name, one.casefold()) for one in pattern[0].split("|")):
        return False
    rest = _git(words).operands if name == "git" else words[1:]
    options = [token.split("|") for token in pattern[1:] if token.startswith("-")]
    verbs = [token.split("|") for token in pattern[1:] if not token.startswith("-")]
    return _begins(rest, verbs) and all(_has(name, rest, wanted) for wanted in options)


def _begins(words: Words, verbs: Sequence[Sequence[str]]) -> bool:
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
    verb = rest[0].text if rest else ""
    found = scanned(rest, _GIT_TAKES.get(verb, "") if name == "git" else "")
    refspecs = _REFSPECS if (name, verb) == ("git", "push") else {}
    return any(
        word.is_loose
        or not refspecs.get(word.text[:1], set()).isdisjoint(wanted)
        or any(fnmatchcase(word.text, one) for one in wanted if not one.startswith("-"))
        for word in found.operands
    ) or any(
        fnmatchcase(option, one)
        or (one.startswith(option) and (value.is_opaque or (name == "git" and len(option) >= GIT_CUT_CHARS_MIN)))
        for option, value in found.options
        for one in wanted
    )


def _is_unhooked(words: Words) -> bool:
    top = _git(words)
    keys = [value.text.casefold().partition("=")[0] for value in top.values("-c", "--config-env")]
    verb = top.operands[0].text if top.operands else ""
    found = scanned(top.operands[1:], _GIT_TAKES.get(verb, ""))
    if verb == "config":
        named = [word.text.casefold() for word in found.operands]
        is_asked = named in (["core.hookspath"], ["get", "core.hookspath"])
        return "core.hookspath" in named and (not is_asked or any("unset" in option for option, _ in found.options))
    return (
        any(key == "core.hookspath" or key.startswith("include") for key in keys)
        or any("--no-verify".startswith(option) and len(option) >= GIT_CUT_CHARS_MIN for option, _ in found.options)
        or (verb in {"commit", "am"} and bool(found.values("-n")))
    )


def _writes(words: Words, here: str | None, stdin: Word | None) -> Iterator[Write]:  # noqa: C901 one branch a kind
    name, rest = words[0].name, words[1:]
    if name in _ALL:
        found = scanned(rest, _ALL[name])
        has_mode = name.startswith("ch") and not found.values("--reference", "-r", "-w", "-x", "-X", "-s")
        yield from written(
            here, found.operands[has_mode:], wide=name != "touch" and bool(found.values("-r", "-R", "--recursive"))
        )
    elif name in _LAST:
        yield from _copied(name, rest, here)
    elif name in _EDITORS:
        found = scanned(rest, _EDITORS[name][0])
        files = [word for word in found.operands if word.is_opaque or word.text]
        if any(name != "gawk" or value.text == "inplace" for value in found.values("-i", "--in-place")):
            yield from written(here, files if found.values(*_EDITORS[name][1].split()) else files[1:])
    elif name in _OUTPUTS:
        yield from written(here, scanned(rest, _OUTPUTS[name]).values(*_OUTPUTS[name].split()))
    elif name == "dd":
        yield from written(here, [replace(word, text=word.text[3:]) for word in rest if word.text.startswith("of=")])
    elif name == "find" and any(word.text == "-delete" for word in rest):
        yield from written(here, _starts(rest), wide=True)
    elif name in {"apply_patch", "applypatch"}:
        yield from written(here, [Word(text=path) for path in patched((stdin or next(iter(rest), ANYTHING)).text)])
    elif name in {"patch", "ed", "ex"}:
        yield from written(here, [ANYTHING])
    elif name == "git":
        yield from _git_writes(words, here)


def _copied(name: str, rest: Words, here: str | None) -> Iterator[Write]:
    """A target may be a folder, in which each source then gets a path of its own."""
    found = scanned(rest, f"{_LAST[name]} -t --target-directory")
    sources, targets = found.operands, found.values("-t", "--target-directory")
    if name == "mv" or (name == "install" and found.values("-d", "--directory")):
        yield from written(here, sources if targets else sources[: len(sources) - (name == "mv")], wide=name == "mv")
    if not targets:
        sources, targets = sources[:-1] or sources, sources[1:][-1:] or (Word(text="."),)
    wide = name == "mv" or bool(found.values("-r", "-R", "-a", "--recursive", "--archive"))
    for target in (one for one in targets if name not in {"rsync", "scp"} or ":" not in one.text.partition("/")[0]):
        names = [source.text.rpartition("/")[2] for source in sources if not (source.is_opaque or source.is_glob)]
        is_vague = target.is_opaque or len(names) < len(sources) or not {"", ".", ".."}.isdisjoint(names)
        yield from written(here, [target], wide=is_vague or bool(found.values("--delete")))
        inside = [replace(target, text=f"{target.text}/{one}") for one in names]
        yield from written(here, inside if not is_vague else (), wide=wide)


def _git_writes(words: Words, here: str | None) -> Iterator[Write]:
    top = _git(words)
    for folder in top.values("-C"):
        here = entered(here, folder)
    verb, rest = (top.operands[0].text, top.operands[1:]) if top.operands else ("", ())
    rest = tuple(ANYTHING if word.text.startswith(":") else word for word in rest)
    found = scanned(rest, _GIT_TAKES.get(verb, ""))
    if verb in {"apply", "am"} and not found.values("--check", "--stat", "--numstat", "--summary"):
        yield from written(here, [ANYTHING])
    elif verb == "mv":
        yield from _copied("mv", rest, here)
    elif verb == "rm" or (
        verb == "restore" and (found.values("-W", "--worktree") or not found.values("-S", "--staged"))
    ):
        yield from written(here, found.operands, wide=True)
    elif verb == "clean" and not found.values("-n", "--dry-run"):
        yield from written(here, found.operands or [Word(text=".")], wide=True)
    elif verb == "checkout" and not found.values("-b", "-B", "--orphan", "-t", "--track", "--detach"):
        # A lone word may be a branch: it counts where it looks like a file or a folder.
        after = next((rest[n + 1 :] for n, word in enumerate(rest) if word.text == "--"), found.operands[1:])
        lone = [word for word in found.operands if "." in word.text.rpartition("/")[2] or word.text.endswith("/")]
        yield from written(here, after or lone, wide=True)
