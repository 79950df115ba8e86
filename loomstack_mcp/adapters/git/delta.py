"""What would land, as plain git says it: of a branch, of the index, of a push."""

import os
import re
import select
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from loomstack_mcp.adapters.git.repository import text
from loomstack_mcp.adapters.git.run import Ran, environment, run
from loomstack_mcp.core.errors import NotFound
from loomstack_mcp.core.policy.delta import LINK, NO_MODE, SUBMODULE, FileDelta, FileStatus, Subject
from loomstack_mcp.core.policy.rules import RefChange
from loomstack_mcp.core.policy.violations import Unknown

BLOB_BYTES_MAX = 5_000_000
"""A larger blob is known by its size alone."""
_SECONDS_MAX = 120
_CACHED_BYTES_MAX = 64_000_000
_QUARANTINE = ("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH")
_EMPTY = {
    "sha1": "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    "sha256": "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}
"""The tree without a file; git knows it in every repository."""
# A lowered threshold for binaries is a setting of the clone; what lands does not follow it.
_PLAIN = ("-c", "core.bigFileThreshold=512m", "-c", "core.quotePath=true")
# `.gitmodules` may ask to hide submodules, hence --ignore-submodules.
_DIFF = ("diff-tree", "--raw", "--numstat", "-z", "-r", "-M", "-l1000", "--no-abbrev", "--no-ext-diff",
         "--no-textconv", "--no-relative", "--ignore-submodules=none", "--diff-algorithm=myers")  # fmt: skip
_META = re.compile(r":(\d{6}) (\d{6}) ([0-9a-f]+) ([0-9a-f]+) ([ADMRT])\d*")
_COUNTS = re.compile(r"(\d+|-)\t(\d+|-)\t(.*)", re.DOTALL)
_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_USAGE = 129
"""How git ends for options that it does not know."""


@dataclass(frozen=True, kw_only=True)
class Landed:
    """What would be there afterwards, and what is not known of it."""

    subject: Subject
    after: str
    """The tree that would be there; for `tree`."""
    gaps: tuple[str, ...] = ()
    """In sentences: what it was judged by instead, and why."""
    conflicts: tuple[str, ...] = ()
    """The paths that do not merge."""
    refs: frozenset[RefChange] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Tree:
    """All files of a tree: path → mode, id."""

    entries: Mapping[str, tuple[str, str]]

    def holds(self, path: str, /) -> bool:
        """Whether a file or a folder is there."""
        return path in self.entries or path in self.folders

    @cached_property
    def folders(self) -> frozenset[str]:
        found: set[str] = set()
        for path in self.entries:
            while "/" in path:
                path = path.rpartition("/")[0]
                if path in found:
                    break
                found.add(path)
        return frozenset(found)


def landing(folder: Path, base: str, head: str, *, quarantined: bool = False) -> Landed:
    """The tree of merging `head` into `base`, against `base`; an empty or zero `base` is an empty repository.

    Where they do not merge, or cannot be merged here, what `head` did since it left `base`, with a gap that
    says so. `quarantined` is for a pre-receive hook, whose new objects are elsewhere. Raises NotFound for
    what is no commit, Unknown where objects are missing. Merging leaves a tree in the object store that
    nothing refers to, which git will prune.
    """
    git = _git(folder, quarantined=quarantined)
    theirs = git.needed(head)
    if not base.strip("0"):
        return git.landed(git.empty, theirs)
    ours = git.needed(base)
    if git.descends(theirs, ours):
        return git.landed(ours, theirs)
    merged = git.merged(ours, theirs)
    if merged.tree:
        return git.landed(ours, merged.tree)
    fork = git.fork(ours, theirs)
    return replace(git.landed(fork or ours, theirs), gaps=(merged.gap,), conflicts=merged.conflicts)


def staged(folder: Path) -> Landed:
    """The index against HEAD, or against nothing before the first commit: what `git commit` would take.

    Inside a hook, `folder` is the one that git started it in: git may name another index there, relative to it.
    Raises Unknown where there is no such tree, as in an unfinished merge.
    """
    git = _git(folder)
    index = {"GIT_INDEX_FILE": os.environ["GIT_INDEX_FILE"]} if "GIT_INDEX_FILE" in os.environ else {}
    written = run(folder, *_PLAIN, "write-tree", seconds_max=_SECONDS_MAX, variables=index)
    if not written.text:
        raise Unknown(f"what is staged ({_said(written)})")
    return git.landed(git.known("HEAD") or git.empty, written.text)


def between(
    folder: Path, old: str, new: str, *, trunk: str = "", excused: bool = True, quarantined: bool = False
) -> Landed:
    """What a push of one ref would land; `old` or `new` of zeros creates or deletes it.

    A new ref is judged from where it left `trunk`, the ref of the default branch ("" where there is none). With
    `excused`, what the trunk has already is not held against a branch that took it over by a merge or a rebase,
    but where the trunk has all of it: so it is while the trunk itself is pushed, seen from the clone that pushes.
    Without, the old tree is compared with the new one as they are. Raises Unknown for what is no commit.
    """
    git = _git(folder, quarantined=quarantined)
    if not new.strip("0"):
        return Landed(subject=Subject(), after=git.empty, refs=frozenset({"delete"}))
    tip = git.known(new)
    if not tip:
        raise Unknown(f"what {new[:12]} would land, which is no commit here")
    base = git.known(trunk) if trunk else ""
    fork = git.fork(tip, base) if base else ""
    lost = (f"{tip[:12]} has no commit in common with {trunk}{git.shallow}",) if base and not fork else ()
    if not old.strip("0"):
        return replace(git.landed(fork or git.empty, tip), gaps=lost, refs=frozenset({"create"}))
    known = git.known(old)
    if not known:  # so it cannot be among the ancestors of what is here
        gaps = (*lost, f"the old {old[:12]} is not here: judged from where the new one left the trunk{git.shallow}")
        return replace(git.landed(fork or git.empty, tip), gaps=gaps, refs=frozenset({"force"}))
    refs: frozenset[RefChange] = frozenset() if git.descends(tip, known) else frozenset({"force"})
    before, gaps = git.with_trunk(known, fork) if excused and fork not in ("", tip) else (known, ())
    return replace(git.landed(before, tip), gaps=gaps, refs=refs)


def signed_by_run(folder: Path, base: str, head: str, *, quarantined: bool = False) -> bool:
    """Whether a run signed any of the commits of `head` that `base` ("" for none) has not. Raises Unknown."""
    asked = (head, f"^{base}") if base else (head,)
    log = ("log", "--format=%(trailers:key=Loom-Run,valueonly)", "--end-of-options", *asked)
    ran = _git(folder, quarantined=quarantined).run(*log)
    if ran.code:
        raise Unknown(f"who made {head[:12]} ({_said(ran)})")
    return bool(ran.text.strip())


def tree(folder: Path, after: str, *, quarantined: bool = False) -> Tree:
    """All files of what would land: `Landed.after`. Raises Unknown where the tree is not here."""
    ran = _git(folder, quarantined=quarantined).run("ls-tree", "-r", "-z", "--full-tree", after)
    if ran.code:
        raise Unknown(f"the tree that would land ({_said(ran)})")
    entries = {}
    for entry in text(ran.printed).split("\0")[:-1]:
        meta, _, path = entry.partition("\t")
        mode, _, name = meta.split(" ")
        entries[path] = (mode, name)
    return Tree(entries=entries)


class Blobs:
    """The content of blobs, read by one git process that lives as long as the `with` block."""

    def __init__(self, folder: Path, *, quarantined: bool = False) -> None:
        git = _git(folder, quarantined=quarantined)
        self._process = subprocess.Popen(
            ["git", *git.given, "cat-file", "--batch"],
            cwd=git.git_dir, env=environment(os.environ) | git.variables,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0,
        )  # fmt: skip
        self._pending = b""
        self._cached: dict[str, bytes | None] = {}
        self._cached_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.communicate()

    def content(self, blob: str, /) -> bytes | None:
        """The content; None where it has more than BLOB_BYTES_MAX bytes. Raises Unknown where it is not here."""
        if blob not in self._cached:
            found = self._read(blob)
            self._cached_bytes += len(found or b"")
            if self._cached_bytes > _CACHED_BYTES_MAX:
                self._cached.clear()
                self._cached_bytes = len(found or b"")
            self._cached[blob] = found
        return self._cached[blob]

    def links(self, within: Tree, /) -> dict[str, str]:
        """Where the symbolic links of a tree lead: path → target as written."""
        named = ((path, blob) for path, (mode, blob) in within.entries.items() if mode == LINK)
        return {path: text(self.content(blob) or b"") for path, blob in named}

    def _read(self, blob: str) -> bytes | None:
        if not _ID.fullmatch(blob) or not blob.strip("0"):
            raise Unknown(f"the content of {blob[:12]!r}, which is no object")
        try:
            _pipe(self._process.stdin).write(blob.encode() + b"\n")
        except BrokenPipeError:
            raise Unknown(f"the content of {blob[:12]}: git has ended") from None
        while b"\n" not in self._pending:
            self._pending += self._more(blob)
        header, _, self._pending = self._pending.partition(b"\n")
        name, kind, *size = header.split()
        if not size:
            raise Unknown(f"the content of {blob[:12]}, which is not in this clone")
        content = self._taken(blob, int(size[0]))
        if kind != b"blob":
            raise Unknown(f"the content of {text(name)[:12]}, which is a {text(kind)}")
        return content

    def _taken(self, blob: str, size_bytes: int) -> bytes | None:
        """So many bytes, and the line feed behind them; a large blob is read past, not kept."""
        left = size_bytes + 1 - len(self._pending)
        if size_bytes > BLOB_BYTES_MAX:
            while left > 0:
                left -= len(self._more(blob))
            self._pending = b""
            return None
        chunks = [self._pending]
        while left > 0:
            chunks.append(self._more(blob))
            left -= len(chunks[-1])
        self._pending = b""  # git answers one question at a time: nothing comes behind the line feed
        return b"".join(chunks)[:size_bytes]

    def _more(self, blob: str) -> bytes:
        pipe = _pipe(self._process.stdout)
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        found = os.read(pipe.fileno(), 1 << 20) if poll.poll(_SECONDS_MAX * 1_000) else b""
        if not found:
            raise Unknown(f"the content of {blob[:12]}: git gave no answer")
        return found


@dataclass(frozen=True, kw_only=True)
class _Merged:
    tree: str = ""
    gap: str = ""
    conflicts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Git:
    """A repository by its git folder alone: what `.gitattributes` of a worktree or an index says does not count.

    Otherwise a change could bring an attribute that makes its own files binary, and so without lines.
    """

    git_dir: Path
    empty: str
    shallow: str
    """"" or a hint for sentences about history."""
    variables: dict[str, str]

    @property
    def given(self) -> tuple[str, ...]:
        return (f"--git-dir={self.git_dir}", *_PLAIN)

    def run(self, *arguments: str, stdin: bytes = b"") -> Ran:
        asked = (*self.given, *arguments)
        return run(self.git_dir, *asked, seconds_max=_SECONDS_MAX, stdin=stdin, variables=self.variables)

    def known(self, name: str) -> str:
        """The commit of a name, or ""."""
        return self.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").text

    def needed(self, name: str) -> str:
        if found := self.known(name):
            return found
        raise NotFound(f"{name[:100]!r} is no commit here; fetch it, or name another")

    def descends(self, later: str, earlier: str) -> bool:
        return self.run("merge-base", "--is-ancestor", earlier, later).code == 0

    def fork(self, one: str, other: str) -> str:
        return self.run("merge-base", one, other).text

    def merged(self, ours: str, theirs: str) -> _Merged:
        ran = self.run("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs)
        fields = text(ran.printed).split("\0")
        shown = f"{theirs[:12]} and {ours[:12]}"
        if ran.code == 0 and _ID.fullmatch(fields[0]):
            return _Merged(tree=fields[0])
        if ran.code == 1 and _ID.fullmatch(fields[0]):
            paths = tuple(dict.fromkeys(path for path in fields[1:] if path))
            gap = f"{shown} do not merge ({len(paths)} files conflict): judged by what changed since they parted"
            return _Merged(gap=gap, conflicts=paths)
        if b"unrelated histories" in ran.said:
            return _Merged(gap=f"{shown} have no commit in common: judged by how their trees differ{self.shallow}")
        if ran.code == _USAGE:
            return _Merged(gap="this git is older than 2.38 and cannot merge trees: judged by what changed since "
                               "the two parted")  # fmt: skip
        raise Unknown(f"what merging {shown} gives ({_said(ran)})")

    def with_trunk(self, known: str, fork: str) -> tuple[str, tuple[str, ...]]:
        """The old state as it would be with what the new one has of the trunk."""
        if self.descends(known, fork):
            return known, ()
        merged = self.merged(known, fork)
        return (merged.tree, ()) if merged.tree else (fork, (merged.gap,))

    def landed(self, before: str, after: str) -> Landed:
        ran = self.run(*_DIFF, before, after)
        if ran.code:
            raise Unknown(f"what would land ({_said(ran)})")
        found = tuple(_deltas(text(ran.printed).split("\0")[:-1]))
        stored = [file.blob_after for file in found if file.mode_after not in (SUBMODULE, NO_MODE)]
        sizes = self._sizes(stored)
        sized = (replace(file, bytes_after=sizes.get(file.blob_after, 0)) for file in found)
        return Landed(subject=Subject(files=tuple(sized)), after=after)

    def _sizes(self, blobs: Sequence[str]) -> dict[str, int]:
        given = "".join(f"{blob}\n" for blob in dict.fromkeys(blobs)).encode()
        lines = self.run("cat-file", "--batch-check=%(objectname) %(objectsize)", stdin=given).text.splitlines()
        found = dict(line.split(" ", 1) for line in lines)
        if missing := [blob for blob in blobs if not found.get(blob, "").isdigit()]:
            raise Unknown(f"what would land ({missing[0][:12]} is not in this clone)")
        return {name: int(size) for name, size in found.items()}


def _git(folder: Path, *, quarantined: bool = False) -> _Git:
    kept = {name: os.environ[name] for name in _QUARANTINE if quarantined and name in os.environ}
    asked = ("rev-parse", "--absolute-git-dir", "--is-shallow-repository", "--show-object-format")
    lines = run(folder, *asked, seconds_max=_SECONDS_MAX, variables=kept).text.splitlines()
    if len(lines) != 3:
        raise NotFound(f"{folder} is in no git repository; go to one, or clone it first")
    git_dir = Path(lines[0])
    empty = _EMPTY[lines[2]]
    shallow = "; this clone is shallow (git fetch --unshallow, fetch-depth: 0)" if lines[1] == "true" else ""
    # Git from 2.41 on takes attributes from this tree; an older one finds neither a worktree nor an index.
    variables = {**kept, "GIT_ATTR_SOURCE": empty, "GIT_INDEX_FILE": str(git_dir / "loomstack-reads-no-index")}
    return _Git(git_dir=git_dir, empty=empty, shallow=shallow, variables=variables)


def _deltas(fields: Sequence[str]) -> Iterator[FileDelta]:
    """The entries of `--raw -z`, with the counts of `--numstat -z` behind them."""
    entries = []
    left = iter(fields)
    counts: dict[str, tuple[str, str]] = {}
    for field in left:
        if (meta := _META.fullmatch(field)) and not counts:
            old_path = next(left)
            entries.append((meta, old_path, next(left) if meta[5] == "R" else old_path))
        elif counted := _COUNTS.fullmatch(field):
            path = counted[3] or (next(left), next(left))[1]
            counts[path] = (counted[1], counted[2])
        else:
            raise Unknown(f"what would land (git said {field[:80]!r})")
    for meta, old_path, path in entries:
        yield _delta(meta, old_path, path, counts.get(path, ("0", "0")))


def _delta(meta: re.Match[str], old_path: str, path: str, counts: tuple[str, str]) -> FileDelta:
    mode_before, mode_after, before, after, status = meta.groups()
    is_text = SUBMODULE not in (mode_before, mode_after) and "-" not in counts
    kinds: dict[str, FileStatus] = {"A": "A", "D": "D", "M": "M", "R": "R", "T": "T"}
    return FileDelta(
        path=path, old_path=old_path, status=kinds[status],
        mode_before=mode_before, mode_after=mode_after, blob_before=before, blob_after=after,
        lines_added=int(counts[0]) if is_text else 0, lines_removed=int(counts[1]) if is_text else 0,
        is_binary="-" in counts,
    )  # fmt: skip


def _pipe(found: IO[bytes] | None) -> IO[bytes]:
    assert found is not None
    return found


def _said(ran: Ran) -> str:
    return text(ran.said).strip().partition("\n")[0][:200] or f"git ended with {ran.code}"
