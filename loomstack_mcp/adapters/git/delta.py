"""What would land, as plain git says it: of a branch, of the index, of a push."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.run import READ_SECONDS_MAX, Ran, as_text
from loomstack_mcp.core.errors import NotFound
from loomstack_mcp.core.policy.delta import NO_MODE, SUBMODULE, FileDelta, FileStatus, Subject
from loomstack_mcp.core.policy.rules import RefChange
from loomstack_mcp.core.policy.violations import Unknown

# A lowered threshold for binaries is a setting of the clone; what lands does not follow it.
_PLAIN = ("-c", "core.bigFileThreshold=512m", "-c", "core.quotePath=true")
# `.gitmodules` may ask to hide submodules, hence --ignore-submodules.
_DIFF = (
    *("diff-tree", "--raw", "--numstat", "-z", "-r", "-M", "-l1000", "--no-abbrev", "--no-ext-diff"),
    *("--no-textconv", "--no-relative", "--ignore-submodules=none", "--diff-algorithm=myers"),
)
_META = re.compile(r":(\d{6}) (\d{6}) ([0-9a-f]+) ([0-9a-f]+) ([ADMRT])\d*")
_COUNTS = re.compile(r"(\d+|-)\t(\d+|-)\t(.*)", re.DOTALL)
_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_USAGE = 129
"""How git ends for options that it does not know."""


@dataclass(frozen=True, kw_only=True)
class Delta:
    """What would be there afterwards, and what is not known of it."""

    subject: Subject
    after: str
    """The tree that would be there, or a commit that has it."""
    gaps: tuple[str, ...] = ()
    """In sentences: what it was judged by instead, and why."""
    conflicts: tuple[str, ...] = ()
    """The paths that do not merge."""
    refs: frozenset[RefChange] = frozenset()


def landing_delta(repo: Repository, base: str, head: str) -> Delta:
    """The tree of merging `head` into `base`, against `base`; an empty or zero `base` is an empty repository.

    Where they do not merge, or cannot be merged here, what `head` did since it left `base`, with a gap that
    says so. Raises NotFound for what is no commit, Unknown where objects are missing. Merging leaves a tree in the
    object store that nothing refers to, which git will prune.
    """
    git = _Git(repo)
    theirs = _needed(repo, head)
    if not base.strip("0"):
        return git.delta(repo.empty_tree, theirs)
    ours = _needed(repo, base)
    fork = repo.fork(ours, theirs)
    if fork == ours:
        return git.delta(ours, theirs)
    merged = git.merged(ours, theirs)
    if merged.tree:
        return git.delta(ours, merged.tree)
    return replace(git.delta(fork or ours, theirs), gaps=(merged.gap,), conflicts=merged.conflicts)


def staged_delta(repo: Repository) -> Delta:
    """The index against HEAD, or against nothing before the first commit: what `git commit` would take.

    Inside a hook, git may name another index, relative to the folder where it started the hook. Raises Unknown where
    there is no such tree, as in an unfinished merge.
    """
    index = {"GIT_INDEX_FILE": os.environ["GIT_INDEX_FILE"]} if "GIT_INDEX_FILE" in os.environ else {}
    written = repo.run(*_PLAIN, "write-tree", seconds_max=READ_SECONDS_MAX, variables=index)
    if not written.text:
        raise Unknown(f"what is staged ({written.complaint})")
    return _Git(repo).delta(repo.commit("HEAD") or repo.empty_tree, written.text)


def push_delta(repo: Repository, old: str, new: str, *, trunk: str = "", excused: bool = True) -> Delta:
    """What a push of one ref would land; `old` or `new` of zeros creates or deletes it.

    A new ref is judged from where it left `trunk`, the ref of the default branch ("" where there is none). With
    `excused`, what the trunk has already is not held against a branch that took it over by a merge or a rebase,
    but where the trunk has all of it: so it is while the trunk itself is pushed, seen from the clone that pushes.
    Without, the old tree is compared with the new one as they are. Raises Unknown for what is no commit.
    """
    git = _Git(repo)
    if not new.strip("0"):
        return Delta(subject=Subject(), after=repo.empty_tree, refs=frozenset({"delete"}))
    tip = repo.commit(new)
    if not tip:
        raise Unknown(f"what {new[:12]} would land, which is no commit here")
    base = repo.commit(trunk) if trunk else ""
    fork = repo.fork(tip, base) if base else ""
    lost = (f"{tip[:12]} has no commit in common with {trunk}{_shallow(repo)}",) if base and not fork else ()
    if not old.strip("0"):
        return replace(git.delta(fork or repo.empty_tree, tip), gaps=lost, refs=frozenset({"create"}))
    known = repo.commit(old)
    if not known:  # so it cannot be among the ancestors of what is here
        gap = f"the old {old[:12]} is not here: judged from where the new one left the trunk{_shallow(repo)}"
        return replace(git.delta(fork or repo.empty_tree, tip), gaps=(*lost, gap), refs=frozenset({"force"}))
    refs: frozenset[RefChange] = frozenset() if repo.descends(tip, known) else frozenset({"force"})
    before, gaps = git.with_trunk(known, fork) if excused and fork not in ("", tip) else (known, ())
    return replace(git.delta(before, tip), gaps=gaps, refs=refs)


@dataclass(frozen=True, kw_only=True)
class _Merged:
    tree: str = ""
    gap: str = ""
    conflicts: tuple[str, ...] = ()


class _Git:
    """A repository by its git folder alone: what `.gitattributes` of a worktree or an index says does not count.

    Otherwise a change could bring an attribute that makes its own files binary, and so without lines.
    """

    def __init__(self, repo: Repository) -> None:
        self._repo = repo
        git_dir = repo.place.git_dir
        self._given = (f"--git-dir={git_dir}", *_PLAIN)
        # Git from 2.41 on takes attributes from this tree; an older one finds neither a worktree nor an index.
        self._variables = {
            "GIT_ATTR_SOURCE": repo.empty_tree,
            "GIT_INDEX_FILE": str(git_dir / "loomstack-reads-no-index"),
        }

    def run(self, *arguments: str, stdin: bytes = b"") -> Ran:
        asked = (*self._given, *arguments)
        return self._repo.run(
            *asked, seconds_max=READ_SECONDS_MAX, stdin=stdin, variables=self._variables, in_git_dir=True
        )

    def merged(self, ours: str, theirs: str) -> _Merged:
        ran = self.run("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs)
        fields = as_text(ran.printed).split("\0")
        shown = f"{theirs[:12]} and {ours[:12]}"
        if ran.code == 0 and _ID.fullmatch(fields[0]):
            return _Merged(tree=fields[0])
        if ran.code == 1 and _ID.fullmatch(fields[0]):
            paths = tuple(dict.fromkeys(path for path in fields[1:] if path))
            gap = f"{shown} do not merge ({len(paths)} files conflict): judged by what changed since they parted"
            return _Merged(gap=gap, conflicts=paths)
        if b"unrelated histories" in ran.complained:
            return _Merged(
                gap=f"{shown} have no commit in common: judged by how their trees differ{_shallow(self._repo)}"
            )
        if ran.code == _USAGE:
            gap = "this git is older than 2.38 and cannot merge trees: judged by what changed since the two parted"
            return _Merged(gap=gap)
        raise Unknown(f"what merging {shown} gives ({ran.complaint})")

    def with_trunk(self, known: str, fork: str) -> tuple[str, tuple[str, ...]]:
        """The old state as it would be with what the new one has of the trunk."""
        if self._repo.descends(known, fork):
            return known, ()
        merged = self.merged(known, fork)
        return (merged.tree, ()) if merged.tree else (fork, (merged.gap,))

    def delta(self, before: str, after: str) -> Delta:
        ran = self.run(*_DIFF, before, after)
        if ran.code:
            raise Unknown(f"what would land ({ran.complaint})")
        found = tuple(_deltas(as_text(ran.printed).split("\0")[:-1]))
        stored = [file.blob_after for file in found if file.mode_after not in (SUBMODULE, NO_MODE)]
        sizes = self._sizes(stored)
        sized = (replace(file, bytes_after=sizes.get(file.blob_after, 0)) for file in found)
        return Delta(subject=Subject(files=tuple(sized)), after=after)

    def _sizes(self, blobs: Sequence[str]) -> dict[str, int]:
        given = "".join(f"{blob}\n" for blob in dict.fromkeys(blobs)).encode()
        lines = self.run("cat-file", "--batch-check=%(objectname) %(objectsize)", stdin=given).text.splitlines()
        found = dict(line.split(" ", 1) for line in lines)
        if missing := [blob for blob in blobs if not found.get(blob, "").isdigit()]:
            raise Unknown(f"what would land ({missing[0][:12]} is not in this clone)")
        return {name: int(size) for name, size in found.items()}


def _needed(repo: Repository, name: str) -> str:
    if found := repo.commit(name):
        return found
    raise NotFound(f"{name[:100]!r} is no commit here; fetch it, or name another")


def _shallow(repo: Repository) -> str:
    """ "" or a hint for sentences about history."""
    return "; this clone is shallow (git fetch --unshallow, fetch-depth: 0)" if repo.is_shallow else ""


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
        path=path,
        old_path=old_path,
        status=kinds[status],
        mode_before=mode_before,
        mode_after=mode_after,
        blob_before=before,
        blob_after=after,
        lines_added=int(counts[0]) if is_text else 0,
        lines_removed=int(counts[1]) if is_text else 0,
        is_binary="-" in counts,
    )
