"""A shell line as read: which commands it runs, where, and what they write.

A guard, not a jail. Out of reach are what a program does by itself (`python -c`, `make`, a script in a file, the `w`
of sed, unpacking, formatters), whole trees that git moves (`reset --hard`, `stash`), aliases, a shell elsewhere,
options in a quoted variable, and a `cd` that fails.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from loomstack_mcp.core.records import record
from loomstack_mcp.core.shell.git_writes import discards_edits, git_folder
from loomstack_mcp.core.shell.options import scanned
from loomstack_mcp.core.shell.shell_texts import shell_text
from loomstack_mcp.core.shell.targets import ANYWHERE, Write, folder_entered, paths_written
from loomstack_mcp.core.shell.words import ANYTHING, Command, Script, Word, Words, words_shown
from loomstack_mcp.core.shell.wrappers import ASSIGNING, commands_run
from loomstack_mcp.core.shell.writes import command_writes

LINE_BYTES_MAX = 100_000
COMMANDS_MAX = 5_000
SHELLS_MAX = 8
"""Shells within one another whose text is read."""

_Folder = str | None
"""Where the line stands; None where that is not known."""


@record
class ShellReading:
    """What a line does, as far as it can be read."""

    calls: tuple[Words, ...]
    """Every command that runs, also within another: `sudo git push` is two, for a rule may name either."""
    assignments: tuple[tuple[str, Word], ...]
    writes: tuple[Write, ...]
    opaque: tuple[str, ...]
    """What may run any command, in words."""
    discarded: tuple[str, ...] = ()
    """Folders out of whose whole worktree git takes what is not committed; "" may be any."""
    is_cut: bool = False
    """Whether there is more of it than is read, so that nothing can be said for sure of what it does not do."""


def shell_reading(script: Script, /, *, cwd: str = "", parse: Callable[[str], Script] | None = None) -> ShellReading:
    """Follow a line's commands. `parse` reads what is handed to a shell as text; without it that is opaque."""
    reader = _Reader(parse)
    reader.follow(script, cwd, 0)
    return ShellReading(
        calls=tuple(reader.calls),
        assignments=tuple(reader.assignments),
        writes=tuple(dict.fromkeys(reader.writes)),
        opaque=tuple(dict.fromkeys(reader.opaque)),
        discarded=tuple(dict.fromkeys(reader.discarded)),
        is_cut=reader.is_cut,
    )


class _Reader:
    """Gathers what a reading holds, and where the line stands meanwhile."""

    def __init__(self, parse: Callable[[str], Script] | None) -> None:
        self._parse = parse
        self.calls: list[Words] = []
        self.assignments: list[tuple[str, Word]] = []
        self.writes: list[Write] = []
        self.opaque: list[str] = []
        self.discarded: list[str] = []
        self.is_cut = False

    def follow(self, script: Script, cwd: _Folder, depth: int) -> _Folder:
        """The folder where the script ends."""
        folders: dict[tuple[int, ...], _Folder] = {(): cwd}
        self.opaque += script.opaque
        if script.is_cut:
            self._cut()
        for command in script.commands:
            here = _folder_of(command.scope, folders)
            self.assignments += command.assignments
            self.writes += paths_written(here, _redirected(command))
            for words in commands_run(command.words):
                if len(self.calls) >= COMMANDS_MAX:
                    self._cut(f"more than {COMMANDS_MAX} commands")
                    return None
                here = self._ran(words, command, here, depth)
            if command.words:
                folders[command.scope] = here
        return folders[()]

    def _ran(self, words: Words, command: Command, here: _Folder, depth: int) -> _Folder:
        """Where the line stands after a command."""
        self.calls.append(words)
        self.writes += command_writes(words, here=here, stdin=command.stdin)
        if discards_edits(words):
            self.discarded.append(git_folder(words, here) or "")
        if words[0].name in ASSIGNING:
            self.assignments += _assigned(words)
        if words[0].name in {"cd", "pushd", "popd"}:
            return folder_entered(here, next(iter(scanned(words[1:]).operands), ANYTHING))
        text = shell_text(words, command)
        return here if text is None else self._shelled(words, text, here, depth)

    def _shelled(self, words: Words, text: Word, here: _Folder, depth: int) -> _Folder:
        """Where the line stands after a command that hands a text to a shell."""
        if depth == SHELLS_MAX:
            self._cut(f"more than {SHELLS_MAX} shells within one another")
            return here
        if text.is_opaque or self._parse is None:
            self.opaque.append(f"runs commands that cannot be read: {words_shown(words)}")
            return here
        after = self.follow(self._parse(text.text), here, depth + 1)
        # `eval` runs in the shell of the line itself, so its `cd` lasts; any other is a process of its own.
        return after if words[0].name == "eval" else here

    def _cut(self, *why: str) -> None:
        """What is not read may write, too."""
        self.opaque += why
        self.writes.append(ANYWHERE)
        self.is_cut = True


def _folder_of(scope: Sequence[int], folders: Mapping[tuple[int, ...], _Folder]) -> _Folder:
    """A subshell starts where the one around it stands."""
    outward = (tuple(scope[:length]) for length in range(len(scope), -1, -1))
    return next(folders[around] for around in outward if around in folders)


def _redirected(command: Command) -> list[Word]:
    # `2>&1` is another name for what is open already, `>& file` a file.
    return [to for sign, to in command.redirects if ">" in sign and not (sign == ">&" and to.text.isdigit())]


def _assigned(words: Words) -> Iterator[tuple[str, Word]]:
    """`env A=1 command`: what stands there counts as if the line had said it, wherever it stands."""
    for word in words:
        name, equals, value = word.text.partition("=")
        if equals:
            yield name, Word(text=value)
