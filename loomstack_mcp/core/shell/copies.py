"""What a command writes that copies or moves files to a target."""

from collections.abc import Iterator
from dataclasses import replace

from loomstack_mcp.core.shell.options import Scanned, scanned
from loomstack_mcp.core.shell.targets import Write, paths_written
from loomstack_mcp.core.shell.words import Word, Words

COPYING = {
    "cp": "-S --suffix",
    "mv": "-S --suffix",
    "ln": "-S --suffix",
    "install": "-S -m -o -g --mode --owner --group",
    "rsync": "-e --rsh --exclude --include --filter -f",
    "scp": "-P -i -o -F -l -S",
}
"""Their options with a value."""
_REMOTE = frozenset({"rsync", "scp"})


def copied(name: str, rest: Words, here: str | None, /) -> Iterator[Write]:
    """What `cp`, `mv` and the like write, from the words behind them; of a move, the sources too."""
    found = scanned(rest, f"{COPYING[name]} -t --target-directory")
    sources, targets = _ends(found)
    yield from _beside_the_target(name, found, here)
    wide = name == "mv" or bool(found.values("-r", "-R", "-a", "--recursive", "--archive"))
    deletes = bool(found.values("--delete"))
    is_itself = bool(found.values("-T", "-n", "-h", "--no-target-directory", "--no-dereference"))
    is_itself = is_itself or (name == "install" and bool(found.values("-d", "--directory")))
    for target in targets:
        if not (name in _REMOTE and _is_elsewhere(target)):
            yield from _received(sources, target, here, wide=wide, deletes=deletes, is_itself=is_itself)


def _ends(found: Scanned) -> tuple[Words, Words]:
    """The sources and the targets; a lone operand is a source for the folder where the line stands, as of `ln`."""
    operands, targets = found.operands, found.values("-t", "--target-directory")
    if targets:
        return operands, targets
    return operands[:-1] or operands, operands[1:][-1:] or (Word(text="."),)


def _beside_the_target(name: str, found: Scanned, here: str | None) -> Iterator[Write]:
    """What `mv` takes away, and the folders that `install -d` makes: all operands, none of them a source."""
    if name == "mv":
        has_target = bool(found.values("-t", "--target-directory"))
        yield from paths_written(here, found.operands if has_target else found.operands[:-1], wide=True)
    elif name == "install" and found.values("-d", "--directory"):
        yield from paths_written(here, found.operands)


def _is_elsewhere(target: Word) -> bool:
    """`host:path`; a colon behind a slash is part of a name."""
    return ":" in target.text.partition("/")[0]


def _received(
    sources: Words, target: Word, here: str | None, *, wide: bool, deletes: bool, is_itself: bool
) -> Iterator[Write]:
    """A target may be a folder, in which each source then gets a path of its own."""
    names = [source.text.rpartition("/")[2] for source in sources if not (source.is_opaque or source.is_glob)]
    # `cp -r x/. target` puts what is in x there, under names that the line does not say.
    is_vague = target.is_opaque or len(names) < len(sources) or not {"", ".", ".."}.isdisjoint(names)
    for write in paths_written(here, [target], wide=is_vague or deletes):
        yield replace(write, is_into=not write.is_folder_wide and not is_itself)
    if not is_vague:
        yield from paths_written(here, [replace(target, text=f"{target.text}/{one}") for one in names], wide=wide)
