"""What a command writes, as far as its words tell."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from loomstack_mcp.core.records import record
from loomstack_mcp.core.shell.apply_patch import patched
from loomstack_mcp.core.shell.copies import COPYING, copied
from loomstack_mcp.core.shell.git_writes import git_writes
from loomstack_mcp.core.shell.options import scanned
from loomstack_mcp.core.shell.targets import Write, paths_written
from loomstack_mcp.core.shell.words import ANYTHING, Word, Words
from loomstack_mcp.core.shell.wrappers import search_starts

_ALL = {
    **dict.fromkeys(("rm", "rmdir", "unlink", "tee"), ""),
    "shred": "-n -s",
    "touch": "-d -t -r --date --reference",
    "truncate": "-s -r --size --reference",
    "mkdir": "-m --mode",
}
"""Each operand is written; their options with a value."""
_EDITORS = {
    "sed": ("-i? -l -e -f --line-length --expression --file", "-e -f --expression --file"),
    "perl": ("-i? -e -E -I -M -m", "-e -E"),
    "ruby": ("-i? -e -I -r", "-e"),
    "gawk": ("-i -f -v", "-f"),
}
"""Options with a value, and those that hold the program."""
_OUTPUTS = {"curl": "-o --output", "wget": "-O --output-document", "sort": "-o --output"}


@record
class _Call:
    words: Words
    here: str | None
    """The folder where it runs; None where that is not known."""
    stdin: Word | None

    @property
    def name(self) -> str:
        return self.words[0].name

    @property
    def rest(self) -> Words:
        return self.words[1:]


def command_writes(words: Words, /, *, here: str | None, stdin: Word | None) -> Iterator[Write]:
    """The paths that a command writes, which runs in the folder `here`; None is an unknown one."""
    if writes := _WRITERS.get(words[0].name):
        yield from writes(_Call(words=words, here=here, stdin=stdin))


def _operands(call: _Call) -> Iterator[Write]:
    found = scanned(call.rest, _ALL[call.name])
    # Of `touch`, -r names a file whose times are taken, and all others with it mean all that is below.
    wide = call.name != "touch" and bool(found.values("-r", "-R", "--recursive"))
    return paths_written(call.here, found.operands, wide=wide)


def _owned(call: _Call) -> Iterator[Write]:
    """`chmod`, `chown`, `chgrp`: the first operand is the mode or the owner, unless an option stands for it."""
    found = scanned(call.rest)
    # `chmod -x file` takes a permission away: what looks like an option is the mode.
    is_said = bool(found.values("--reference", "-r", "-w", "-x", "-X", "-s"))
    files = found.operands if is_said else found.operands[1:]
    return paths_written(call.here, files, wide=bool(found.values("-r", "-R", "--recursive")))


def _copied(call: _Call) -> Iterator[Write]:
    return copied(call.name, call.rest, call.here)


def _edited_in_place(call: _Call) -> Iterator[Write]:
    valued, programs = _EDITORS[call.name]
    found = scanned(call.rest, valued)
    # BSD's sed wants the suffix of a copy as a word of its own, `sed -i '' s/a/b/ file`; no file has an empty name.
    files = [word for word in found.operands if word.is_opaque or word.text]
    # gawk's -i loads a library, and only the one called `inplace` edits.
    if any(call.name != "gawk" or value.text == "inplace" for value in found.values("-i", "--in-place")):
        yield from paths_written(call.here, files if found.values(*programs.split()) else files[1:])


def _outputs(call: _Call) -> Iterator[Write]:
    valued = _OUTPUTS[call.name]
    return paths_written(call.here, scanned(call.rest, valued).values(*valued.split()))


def _dd(call: _Call) -> Iterator[Write]:
    files = [replace(word, text=word.text[3:]) for word in call.rest if word.text.startswith("of=")]
    return paths_written(call.here, files)


def _found_deleted(call: _Call) -> Iterator[Write]:
    if any(word.text == "-delete" for word in call.rest):
        yield from paths_written(call.here, search_starts(call.rest), wide=True)


def _patched(call: _Call) -> Iterator[Write]:
    patch = call.stdin or next(iter(call.rest), ANYTHING)
    return paths_written(call.here, [Word(text=path) for path in patched(patch.text)])


def _anything(call: _Call) -> Iterator[Write]:
    """The files are named in what it reads."""
    return paths_written(call.here, [ANYTHING])


_WRITERS: Mapping[str, Callable[[_Call], Iterator[Write]]] = {
    **dict.fromkeys(_ALL, _operands),
    **dict.fromkeys(("chmod", "chown", "chgrp"), _owned),
    **dict.fromkeys(COPYING, _copied),
    **dict.fromkeys(_EDITORS, _edited_in_place),
    **dict.fromkeys(_OUTPUTS, _outputs),
    **dict.fromkeys(("apply_patch", "applypatch"), _patched),
    **dict.fromkeys(("patch", "ed", "ex"), _anything),
    "dd": _dd,
    "find": _found_deleted,
    "git": lambda call: git_writes(call.words, call.here),
}
