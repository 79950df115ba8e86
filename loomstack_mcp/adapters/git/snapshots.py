"""What a worktree could land as it is: the trees of its files, its index and its HEAD, made aside."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.run import ASIDE, READ_SECONDS_MAX, Ran, as_text
from loomstack_mcp.core.errors import Invalid

_NEW_MAX = 5_000
_NEW_BYTES_MAX = 20_000_000
_GIVEN = (*ASIDE, "-c", "core.safecrlf=false", "-c", "core.fsmonitor=false", "-c", "advice.addEmbeddedRepo=false")


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Up to three trees, each once: what would be there with the files, with the index, and with HEAD as it is."""

    trees: tuple[str, ...]
    variables: Mapping[str, str]
    """For git, to read them: their new objects are not in the repository."""
    left_out: tuple[str, ...]
    """What is not in them, in sentences."""


@contextmanager
def snapshot(repo: Repository) -> Iterator[Snapshot]:
    """Nothing is written to the repository, and all is gone with the block. Raises Invalid without a worktree."""
    if repo.place.root is None:
        raise Invalid(f"{repo.folder} has no worktree to look at; go to one")
    index, objects = repo.place.git_dir / "index", repo.place.common_dir / "objects"
    with TemporaryDirectory(prefix="loomstack-") as aside:
        (Path(aside) / "objects").mkdir()
        variables = {
            "GIT_INDEX_FILE": f"{aside}/index",
            "GIT_OBJECT_DIRECTORY": f"{aside}/objects",
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": _quoted(objects),
        }
        if index.exists():
            shutil.copyfile(index, variables["GIT_INDEX_FILE"])
        of_index = _run(repo, variables, "write-tree").text  # "" in an unfinished merge
        left_out = tuple(_added(repo, variables))
        of_files = _run(repo, variables, "write-tree")
        if of_files.code:
            raise Invalid(f"git cannot read this worktree: {of_files.complaint}")
        head = repo.objects.object_named("HEAD^{tree}")
        trees = dict.fromkeys(tree for tree in (of_files.text, of_index, head.id if head else "") if tree)
        yield Snapshot(trees=tuple(trees), variables=variables, left_out=left_out)


def _added(repo: Repository, variables: Mapping[str, str]) -> Iterator[str]:
    """Bring the copied index up to the files; says what could not be taken in."""
    changed = _run(repo, variables, "add", "--update", "--ignore-errors", "--", ":/")
    if changed.code:
        yield f"some changed files could not be read ({changed.complaint})"
    listed = _run(repo, variables, "ls-files", "-z", "--others", "--exclude-standard", "--full-name", "--", ":/")
    if listed.code:
        yield f"new files could not be listed ({listed.complaint})"
    names = [name for name in as_text(listed.printed).split("\0") if name and not name.endswith("/")]
    small = [name for name in names if _bytes(repo.folder / name) <= _NEW_BYTES_MAX][:_NEW_MAX]
    if len(small) < len(names):
        yield f"{len(names) - len(small)} of {len(names)} new files are too many or too large to look at"
    if small:
        yield from _added_new(repo, variables, small)


def _added_new(repo: Repository, variables: Mapping[str, str], names: Sequence[str]) -> Iterator[str]:
    given = "\0".join(names).encode("utf-8", "surrogateescape")
    options = ("--ignore-errors", "--pathspec-from-file=-", "--pathspec-file-nul")
    new = _run(repo, variables, "--literal-pathspecs", "add", *options, stdin=given)
    if new.code:
        yield f"some new files could not be read ({new.complaint})"


def _quoted(path: Path) -> str:
    """As git(1) reads it in a list of paths with colons between them."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _run(repo: Repository, variables: Mapping[str, str], *arguments: str, stdin: bytes = b"") -> Ran:
    return repo.run(*_GIVEN, *arguments, seconds_max=READ_SECONDS_MAX, variables=variables, stdin=stdin)


def _bytes(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0
