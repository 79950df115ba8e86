"""A repository as plain git sees it, whatever a worktree or a clone's settings say: merged trees, compared trees."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.run import as_text
from loomstack_mcp.core.phrases import counted
from loomstack_mcp.core.policy.delta import NO_MODE, SUBMODULE, FileDelta, FileStatus, Subject
from loomstack_mcp.core.policy.rules import RefChange
from loomstack_mcp.core.policy.violations import Unknown
from loomstack_mcp.core.records import record

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


@record
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


@record
class MergedTree:
    """The tree of a merge, or why there is none."""

    tree: str = ""
    """"" where they do not merge, or cannot be merged here."""
    gap: str = ""
    """In a sentence: why not, and what is judged instead."""
    conflicts: tuple[str, ...] = ()


class PlainGit:
    """A repository by its objects alone: what `.gitattributes` of a worktree or an index says does not count.

    Otherwise a change could bring an attribute that makes its own files binary, and so without lines.
    """

    def __init__(self, repo: Repository) -> None:
        self._repo = repo

    def merged(self, ours: str, theirs: str) -> MergedTree:
        """Their tree merged into ours, as long as the repository is open. Raises Unknown where git cannot tell."""
        ran = self._repo.run_plain("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs)
        fields = as_text(ran.printed).split("\0")
        shown = f"{theirs[:12]} and {ours[:12]}"
        if ran.code == 0 and _ID.fullmatch(fields[0]):
            return MergedTree(tree=fields[0])
        if ran.code == 1 and _ID.fullmatch(fields[0]):
            paths = tuple(dict.fromkeys(path for path in fields[1:] if path))
            torn = counted(len(paths), "file")
            gap = f"{shown} do not merge ({torn} in conflict): judged by what changed since they parted"
            return MergedTree(gap=gap, conflicts=paths)
        if b"unrelated histories" in ran.complained:
            return MergedTree(
                gap=f"{shown} have no commit in common: judged by how their trees differ{shallow_hint(self._repo)}"
            )
        if ran.code == _USAGE:
            gap = "this git is older than 2.38 and cannot merge trees: judged by what changed since the two parted"
            return MergedTree(gap=gap)
        raise Unknown(f"what merging {shown} gives ({ran.complaint})")

    def with_trunk(self, known: str, fork: str) -> tuple[str, tuple[str, ...]]:
        """The old state as it would be with what the new one has of the trunk.

        The fork itself, with a gap that says so, where the two do not merge.
        """
        if self._repo.descends(known, fork):
            return known, ()
        merged = self.merged(known, fork)
        return (merged.tree, ()) if merged.tree else (fork, (merged.gap,))

    def delta(self, before: str, after: str) -> Delta:
        """What differs between two trees, or commits. Raises Unknown where objects are missing."""
        ran = self._repo.run_plain(*_DIFF, before, after)
        if ran.code:
            raise Unknown(f"what would land ({ran.complaint})")
        found = tuple(_deltas(as_text(ran.printed).split("\0")[:-1]))
        stored = [file.blob_after for file in found if file.mode_after not in (SUBMODULE, NO_MODE)]
        sizes = self._sizes(stored)
        sized = (replace(file, bytes_after=sizes.get(file.blob_after, 0)) for file in found)
        return Delta(subject=Subject(files=tuple(sized)), after=after)

    def _sizes(self, blobs: Sequence[str]) -> dict[str, int]:
        given = "".join(f"{blob}\n" for blob in dict.fromkeys(blobs)).encode()
        asked = ("cat-file", "--batch-check=%(objectname) %(objectsize)")
        lines = self._repo.run_plain(*asked, stdin=given).text.splitlines()
        found = dict(line.split(" ", 1) for line in lines)
        if missing := [blob for blob in blobs if not found.get(blob, "").isdigit()]:
            raise Unknown(f"what would land ({missing[0][:12]} is not in this clone)")
        return {name: int(size) for name, size in found.items()}


def shallow_hint(repo: Repository) -> str:
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
