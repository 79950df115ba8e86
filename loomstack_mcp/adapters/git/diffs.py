"""What commits and trees changed, as git says it: by their content, whatever an attribute calls it."""

import os
import secrets
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

from loomstack_mcp.adapters.git.printed import Printed
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.run import as_text, committed_at_ms
from loomstack_mcp.core.changes.hunks import MESSAGE_CHARS_MAX, Change, FileChange
from loomstack_mcp.core.changes.imprints import named_runs
from loomstack_mcp.core.changes.lines import Lines
from loomstack_mcp.core.changes.patches import file_changes
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.phrases import counted

_UNREAD_MAX = 100
"""So many commits that cannot be read are a partial clone: the rest is not tried."""
_LARGE = ("-c", "core.bigFileThreshold=1m")
"""A larger file has no lines here."""
_DIFF = (
    *("--raw", "-z", "--no-relative", "--no-abbrev", "-p", "-U0", "-M", "--no-ext-diff", "--no-textconv"),
    *("--no-color", "--src-prefix=a/", "--dst-prefix=b/", "--submodule=short", "--ignore-submodules=dirty"),
    *("--diff-algorithm=myers", "--indent-heuristic", "--inter-hunk-context=0", f"-O{os.devnull}", "-l1000"),
)
_FORMAT = "%H%x00%P%x00%ct%x00%aN%x00%aE%x00%B%x00"
_MARK_BYTES = 16


@dataclass
class Unread:
    """The commits that could not be read: an object is missing, or git gave up."""

    shas: list[str] = field(default_factory=list)

    def sentences(self) -> tuple[str, ...]:
        """What to say of them; nothing where all were read."""
        if not self.shas:
            return ()
        named = ", ".join(sha[:12] for sha in self.shas[:3])
        return (f"{counted(len(self.shas), 'commit')} could not be read ({named} …), as where a clone is partial",)


def changes(repo: Repository, listed: Sequence[Change], unread: Unread, *, lines: Lines) -> Iterator[Change]:
    """What each commit changed, in the order given, parents first: a merge, what it changed beyond merging.

    Of the commits `listed` only sha and parents count. Those that cannot be read are left out and noted in `unread`.
    """
    # Merges newest first: git forgets the parents of what it has shown, and would merge without a base. What they
    # changed besides merging is little, so that they may wait for their turn.
    merges = [commit.sha for commit in reversed(listed) if _is_merge(commit)]
    others = [commit.sha for commit in listed if not _is_merge(commit)]
    read = _read(repo, [*merges, *others], unread, lines, has_merges=bool(merges))
    merged, waiting = _parted(read, frozenset(merges))
    for commit in listed:
        if commit.sha in merged:
            yield _standing(repo, merged.pop(commit.sha), lines)
        elif waiting and waiting.sha == commit.sha:
            yield waiting
            waiting = next(read, None)


def _parted(read: Iterator[Change], merges: Collection[str]) -> tuple[dict[str, Change], Change | None]:
    """The merges, which are read first, and the first change behind them."""
    merged: dict[str, Change] = {}
    waiting = next(read, None)
    while waiting and waiting.sha in merges:
        merged[waiting.sha] = waiting
        waiting = next(read, None)
    return merged, waiting


def merge_gaps(repo: Repository, listed: Sequence[Change]) -> tuple[str, ...]:
    """What cannot be known of these commits' merges here, in a sentence."""
    if not any(map(_is_merge, listed)) or repo.merges:
        return ()
    return ("this git is older than 2.35: what merges themselves took back is unknown",)


def diff(repo: Repository, base: str, tip: str, *, lines: Lines) -> Change:
    """What `tip`, a commit or a tree, would land on top of `base`, each by its id.

    Raises Invalid where git cannot compare them.
    """
    ran = repo.run_plain(*_LARGE, "diff", *_DIFF, "--end-of-options", base, tip)
    if ran.code:
        raise Invalid(f"git cannot compare {tip[:12]} with {base[:12]}: {ran.complaint}")
    return Change(sha=tip, parents=(base,), files=_parsed_files(ran.printed, lines))


def _is_merge(commit: Change) -> bool:
    return len(commit.parents) > 1


def _read(repo: Repository, shas: Sequence[str], unread: Unread, lines: Lines, *, has_merges: bool) -> Iterator[Change]:
    """`git log` of exactly these commits, in this order; one at which git stops is noted, and passed over."""
    resolved = "--remerge-diff" if has_merges and repo.merges else "--diff-merges=off"
    left = wanted = tuple(shas)
    while wanted:
        done = 0
        for change in _logged(repo, wanted, lines, resolved=resolved):
            yield change
            done += 1
        left = left[done:]
        if done == len(wanted):
            wanted = left
        elif len(wanted) > 1:
            wanted = left[:1]  # git may have stopped at the one behind it, before it printed a word of that
        else:
            given_up = left[:1] if len(unread.shas) < _UNREAD_MAX else left
            unread.shas += given_up
            left = wanted = left[len(given_up) :]


def _logged(repo: Repository, shas: Sequence[str], lines: Lines, *, resolved: str) -> Iterator[Change]:
    # Nobody can foresee the mark: a commit may name, or fill, a file like what git prints before an older one.
    mark = secrets.token_hex(_MARK_BYTES)
    asked = (*_LARGE, "log", "--no-walk=unsorted", "--stdin", resolved, *_DIFF, f"--format={mark}{_FORMAT}")
    with Printed(repo, *asked, stdin="\n".join(shas).encode()) as log:
        for printed in log.parts([f"{mark}{sha}\0".encode() for sha in shas]):
            yield _change(printed[len(mark) :], lines)


def _change(printed: bytes, lines: Lines) -> Change:
    sha, parents, seconds, author, address, message, rest = printed.split(b"\0", 6)
    above = tuple(as_text(parents).split())
    return Change(
        sha=as_text(sha),
        parents=above,
        author=as_text(author),
        account=lines.hidden(as_text(address)) if address else "",
        at_ms=committed_at_ms(as_text(seconds)),
        message=as_text(message)[:MESSAGE_CHARS_MAX],
        hints=named_runs(as_text(message)),
        files=_parsed_files(rest, lines, is_merge=len(above) > 1),
    )


def _standing(repo: Repository, change: Change, lines: Lines) -> Change:
    """A merge without those lines of git's attempt that stand in it: between the markers all looks removed."""
    return replace(change, files=tuple(_resolved(repo, change.sha, file, lines) for file in change.files))


def _resolved(repo: Repository, sha: str, file: FileChange, lines: Lines) -> FileChange:
    stand = {lines.number(line) for line in repo.file(sha, file.path).split(b"\n")}
    hunks = []
    for hunk in file.hunks:
        gone = tuple(line for line in hunk.removed if line not in stand)
        same = len(gone) == len(hunk.removed)
        hunks.append(hunk if same else replace(hunk, removed=gone, takes=0, gives=0))
    return replace(file, hunks=tuple(hunks))


def _parsed_files(printed: bytes, lines: Lines, *, is_merge: bool = False) -> tuple[FileChange, ...]:
    """The entries, which an empty field ends, and the patch behind them."""
    entries, _, patch = printed.lstrip(b"\0\n").partition(b"\0\0")
    return file_changes([as_text(part) for part in entries.split(b"\0")], patch, lines=lines, is_merge=is_merge)
