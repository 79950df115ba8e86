"""What a worktree could land as it is: the trees of its files, its index and its HEAD, made aside.

No program runs for it: what a clean filter would make of a file is not known, and is said.
"""

import re
import stat
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from loomstack_mcp.adapters.git.aside import borrow
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.run import READ_SECONDS_MAX, Ran, as_text, run
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.phrases import counted
from loomstack_mcp.core.records import record

_NEW_MAX = 5_000
_BYTES_MAX = 20_000_000
"""Of a new file, and of one that a filter would change."""
_TEXT_BYTES = 8_000
"""So many does git look at to tell text from what is not."""
_SHOWN_MAX = 3
_KEPT = (
    *("attributesFile", "autocrlf", "checkRoundtripEncoding", "checkStat", "eol", "excludesFile", "fileMode"),
    *("ignoreCase", "precomposeUnicode", "protectHFS", "protectNTFS", "sparseCheckout", "symlinks", "trustctime"),
)
"""The settings of `core` by which git reads a worktree itself; none of them names a program."""
_ASKED = rf"^(core\.({'|'.join(_KEPT).lower()})|filter\..*\.(clean|process))$"
_PROGRAM = re.compile(r"\.(clean|process)=.+", re.DOTALL)
_NONE_SET = 1
"""How git-config(1) ends where nothing matches."""
_GIVEN = (
    *("-c", "core.safecrlf=false", "-c", "core.splitIndex=false", "-c", "core.untrackedCache=false"),
    *("-c", "advice.addEmbeddedRepo=false"),
)


@record
class Snapshot:
    """Up to three trees, each once: what would be there with the files, with the index, and with HEAD as it is."""

    trees: tuple[str, ...]
    """As long as the repository is open."""
    head: str
    """The one that HEAD has; "" before the first commit."""
    left_out: tuple[str, ...]
    """What is not in them, or not as it would land, in sentences."""


def snapshot(repo: Repository) -> Snapshot:
    """Nothing is written to the repository. Raises Invalid without a worktree, and where git cannot read it."""
    if repo.place.root is None:
        raise Invalid(f"{repo.folder} has no worktree to look at; go to one")
    index = repo.place.git_dir / "index"
    of_index = index_tree(repo, index).text  # "" in an unfinished merge
    _copy_index(repo, index, into=repo.aside.seen)
    seen = _Seen(repo, repo.place.root)
    left_out = tuple(seen.added())
    of_files = seen.run("write-tree", "--missing-ok")
    if of_files.code:
        raise Invalid(f"git cannot read this worktree: {of_files.complaint}")
    head = repo.objects.object_named("HEAD^{tree}")
    trees = dict.fromkeys(tree for tree in (of_files.text, of_index, head.id if head else "") if tree)
    return Snapshot(trees=tuple(trees), head=head.id if head else "", left_out=left_out)


def dirty_files(repo: Repository, *, seconds_max: float) -> tuple[str, ...]:
    """The files of a worktree that are not as HEAD has them, new and deleted ones too; no program runs for it.

    Raises Invalid without a worktree, and where git cannot list them in that time.
    """
    if repo.place.root is None:
        raise Invalid(f"{repo.folder} has no worktree to look at; go to one")
    _copy_index(repo, repo.place.git_dir / "index", into=repo.aside.seen)
    seen = _Seen(repo, repo.place.root, seconds_max=seconds_max)
    found: dict[str, None] = {}
    asked = [("ls-files", "-z", "--modified", "--deleted", "--others", "--exclude-standard")]
    head = repo.commit("HEAD")
    asked += [("diff-index", "-z", "--cached", "--name-only", "--no-renames", head)] if head else []
    for arguments in asked:
        ran = seen.run(*arguments)
        if ran.code:
            raise Invalid(f"git cannot list what changed in this worktree: {ran.complaint}")
        found |= dict.fromkeys(name for name in as_text(ran.printed).split("\0") if name)
    return tuple(found)


def index_tree(repo: Repository, index: Path) -> Ran:
    """What `git write-tree` says of an index, made of a copy of it."""
    _copy_index(repo, index, into=repo.aside.folder)
    return repo.run_plain(*_GIVEN, "write-tree", "--missing-ok")


def _copy_index(repo: Repository, index: Path, *, into: Path) -> None:
    """Each look has a copy of its own: git, writing one where it sees no worktree, takes what is stale for checked."""
    (into / "index").unlink(missing_ok=True)
    borrow(index.parent, index.name, into=into, renamed="index")
    git_dir = repo.place.git_dir
    # A split index is two files (git-update-index(1), SPLIT INDEX).
    borrow(git_dir, *(shared.name for shared in git_dir.glob("sharedindex.*")), into=into)


class _Seen:
    """A worktree, seen by the index that was copied aside and by git's own rules of how files are read."""

    def __init__(self, repo: Repository, root: Path, *, seconds_max: float = READ_SECONDS_MAX) -> None:
        self._root = root
        self._seconds_max = seconds_max
        self._variables = repo.aside.in_worktree(root)
        borrow(repo.place.common_dir, "info/attributes", "info/exclude", into=repo.aside.seen)
        listed = repo.run("config", "-z", "--get-regexp", _ASKED)
        if listed.code not in (0, _NONE_SET):
            raise Invalid(f"git cannot read this repository's settings: {listed.complaint}")
        # A name without a value means `true`, and is followed by no line feed.
        settings = [entry.replace("\n", "=", 1) for entry in as_text(listed.printed).split("\0") if entry]
        kept = (("-c", setting) for setting in settings if setting.startswith("core."))
        self._given = (*_GIVEN, *(word for words in kept for word in words))
        named = (setting.removeprefix("filter.") for setting in settings if setting.startswith("filter."))
        self._filters = frozenset(_PROGRAM.sub("", name) for name in named if _PROGRAM.search(name))

    def run(self, *arguments: str, stdin: bytes = b"") -> Ran:
        """One git command that knows the worktree, and no program."""
        asked = (*self._given, *arguments)
        return run(self._root, *asked, seconds_max=self._seconds_max, variables=self._variables, stdin=stdin)

    def added(self) -> Iterator[str]:
        """Bring the copied index up to the files; says what could not be taken in as it would land."""
        listed = self.run("ls-files", "-z", "-t", "--modified", "--deleted", "--others", "--exclude-standard")
        if listed.code:
            yield f"the worktree's files could not be listed ({listed.complaint})"
        changed, new = _tagged(as_text(listed.printed))
        small = [name for name in new if _size(self._root / name) <= _BYTES_MAX][:_NEW_MAX]
        filtered = self._filtered([*changed, *small])
        opaque = frozenset(name for name in filtered if not _is_text(self._root / name))
        yield from _unfiltered(filtered, opaque)
        yield from self._taken_in([name for name in changed if name not in opaque], "changed")
        if len(small) < len(new):
            yield f"{len(new) - len(small)} of {len(new)} new files are too many or too large to look at"
        yield from self._taken_in([name for name in small if name not in opaque], "new")

    def _filtered(self, names: Sequence[str]) -> tuple[str, ...]:
        """Those that a program would change on their way into the index, were it run."""
        if not self._filters or not names:
            return ()
        asked = self.run("check-attr", "-z", "--stdin", "filter", stdin=_joined(names))
        if asked.code:
            return tuple(names)
        fields = as_text(asked.printed).split("\0")
        found = zip(fields[0::3], fields[2::3], strict=False)
        return tuple(name for name, value in found if value in self._filters and _is(stat.S_ISREG, self._root / name))

    def _taken_in(self, names: Sequence[str], kind: str) -> Iterator[str]:
        # A folder in a file's place is a submodule, which `add` would look into with that one's own settings.
        folders = [name for name in names if _is(stat.S_ISDIR, self._root / name)]
        files = [name for name in names if name not in set(folders)]
        options = ("--pathspec-from-file=-", "--pathspec-file-nul")
        for given, asked in (
            (files, ("--literal-pathspecs", "add", "--sparse", "--ignore-errors", *options)),
            (folders, ("update-index", "-z", "--remove", "--stdin")),
        ):
            if given and (ran := self.run(*asked, stdin=_joined(given))).code:
                yield f"some {kind} files could not be read ({ran.complaint})"


def _unfiltered(filtered: Collection[str], opaque: Collection[str]) -> Iterator[str]:
    """What to say of files that a filter would change."""
    for names, what in (
        ([name for name in filtered if name not in opaque], "looked at as it lies in the worktree"),
        (sorted(opaque), "not looked at"),
    ):
        if names:
            shown = ", ".join(names[:_SHOWN_MAX]) + (" …" if len(names) > _SHOWN_MAX else "")
            yield f"{counted(len(names), 'file')} behind a filter program, which is not run: {what} ({shown})"


def _is_text(path: Path) -> bool:
    """Whether a regular file can be compared by its lines, as git tells it."""
    try:
        with path.open("rb") as file:
            return _size(path) <= _BYTES_MAX and b"\0" not in file.read(_TEXT_BYTES)
    except OSError:
        return False


def _is(kind: Callable[[int], bool], path: Path) -> bool:
    try:
        return kind(path.lstat().st_mode)
    except OSError:
        return False


def _tagged(listed: str) -> tuple[list[str], list[str]]:
    """The names of changed files, each once, and of new ones, in what `git ls-files -t` listed."""
    tagged = [entry.split(" ", 1) for entry in listed.split("\0") if " " in entry]
    changed = dict.fromkeys(name for tag, name in tagged if tag != "?")
    return list(changed), [name for tag, name in tagged if tag == "?" and not name.endswith("/")]


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def _joined(names: Sequence[str]) -> bytes:
    return "\0".join(names).encode("utf-8", "surrogateescape")
