"""What git's subcommands write in the worktree, as far as their words tell."""

from collections.abc import Callable, Iterator, Mapping

from loomstack_mcp.core.records import record
from loomstack_mcp.core.shell.copies import copied
from loomstack_mcp.core.shell.git_words import git_scanned, subcommand_scanned
from loomstack_mcp.core.shell.options import Scanned
from loomstack_mcp.core.shell.targets import Write, folder_entered, paths_written
from loomstack_mcp.core.shell.words import ANYTHING, Word, Words


@record
class _Subcommand:
    rest: Words
    found: Scanned
    """The same, told apart."""
    here: str | None

    def has(self, *options: str) -> bool:
        return bool(self.found.values(*options))


def git_writes(words: Words, here: str | None, /) -> Iterator[Write]:
    """The paths that a git command writes, which runs in the folder `here`; None is an unknown one."""
    top = git_scanned(words)
    verb = top.operands[0].text if top.operands else ""
    if (writes := _WRITERS.get(verb)) is None:
        return
    here = git_folder(words, here)
    # `:/` and `:(glob)…` are magic (gitglossary(7), pathspec): they may mean any path.
    rest = tuple(ANYTHING if word.text.startswith(":") else word for word in top.operands[1:])
    yield from writes(_Subcommand(rest=rest, found=subcommand_scanned(verb, rest), here=here))


def git_folder(words: Words, here: str | None, /) -> str | None:
    """Where a git command works that runs in the folder `here`; None where that is not known."""
    for folder in git_scanned(words).values("-C"):
        here = folder_entered(here, folder)
    return here


def discards_edits(words: Words, /) -> bool:
    """Whether a git command takes what is not committed out of the whole worktree: `reset --hard`, `stash`."""
    if words[0].name != "git":
        return False
    top = git_scanned(words)
    verb, *rest = [word.text for word in top.operands] or [""]
    options = _DISCARDING.get(verb)
    if options is None:
        return False
    found = subcommand_scanned(verb, top.operands[1:])
    if verb == "stash":
        return not found.operands or rest[0] in ("push", "save") or rest[0].startswith("-")
    return bool(found.values(*options))


def _applied(call: _Subcommand) -> Iterator[Write]:
    """Which files, the patch says."""
    if not call.has("--check", "--stat", "--numstat", "--summary"):
        yield from paths_written(call.here, [ANYTHING])


def _moved(call: _Subcommand) -> Iterator[Write]:
    return copied("mv", call.rest, call.here)


def _removed(call: _Subcommand) -> Iterator[Write]:
    return paths_written(call.here, call.found.operands, wide=True)


def _restored(call: _Subcommand) -> Iterator[Write]:
    """`--staged` alone leaves the files as they are."""
    if call.has("-W", "--worktree") or not call.has("-S", "--staged"):
        yield from paths_written(call.here, call.found.operands, wide=True)


def _cleaned(call: _Subcommand) -> Iterator[Write]:
    if not call.has("-n", "--dry-run"):
        yield from paths_written(call.here, call.found.operands or [Word(text=".")], wide=True)


def _checked_out(call: _Subcommand) -> Iterator[Write]:
    if call.has("-b", "-B", "--orphan", "-t", "--track", "--detach"):
        return
    rest, operands = call.rest, call.found.operands
    after = next((rest[n + 1 :] for n, word in enumerate(rest) if word.text == "--"), operands[1:])
    # A lone word may be a branch: it counts where it looks like a file or a folder.
    lone = [word for word in operands if "." in word.text.rpartition("/")[2] or word.text.endswith("/")]
    yield from paths_written(call.here, after or lone, wide=True)


_DISCARDING: Mapping[str, tuple[str, ...]] = {
    "reset": ("--hard", "--merge", "--keep"),
    "checkout": ("-f", "--force"),
    "switch": ("-f", "--force", "--discard-changes"),
    "stash": (),
}
"""With which options a subcommand does; to `stash` it is what it is for."""
_WRITERS: Mapping[str, Callable[[_Subcommand], Iterator[Write]]] = {
    "apply": _applied,
    "am": _applied,
    "mv": _moved,
    "rm": _removed,
    "restore": _restored,
    "clean": _cleaned,
    "checkout": _checked_out,
}
