"""What commits and worktrees changed, as git says it."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from loomstack_mcp.adapters.git.repository import GIVEN, READ_SECONDS_MAX, Repository, text
from loomstack_mcp.adapters.git.run import Ran, run
from loomstack_mcp.adapters.git.snapshots import said
from loomstack_mcp.core.changes.hunks import MESSAGE_CHARS_MAX, Change, FileChange
from loomstack_mcp.core.changes.lines import Lines
from loomstack_mcp.core.changes.patches import file_changes
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.limits import SECOND_MS

_BATCH = 200
_UNREAD_MAX = 100
"""So many commits that cannot be read are a partial clone: the rest is not tried."""
_DIFF = ("--raw", "-z", "--no-relative", "--no-abbrev", "-p", "-U0", "-M", "--no-ext-diff", "--no-textconv",
         "--no-color", "--src-prefix=a/", "--dst-prefix=b/", "--submodule=short", "--ignore-submodules=dirty",
         "--diff-algorithm=myers")  # fmt: skip
_FORMAT = "--format=%x02%H%x00%P%x00%ct%x00%aN%x00%aE%x00%B%x00%(trailers:key=Loom-Run,valueonly,separator=%x2C)%x00"
_RUN_CHARS_MAX = 20


@dataclass
class Reading:
    """The commits that could not be read: an object is missing, or git gave up."""

    unread: list[str] = field(default_factory=list)


def changes(repo: Repository, shas: Sequence[str], reading: Reading, *, lines: Lines) -> Iterator[Change]:
    """What each commit changed, in the order given, parents first: a merge, what it changed beyond merging.

    Commits that cannot be read are left out and noted in `reading`.
    """
    batches = [shas[at : at + _BATCH] for at in range(0, len(shas), _BATCH)]
    with ThreadPoolExecutor(1) as ahead:
        # Git reads the next batch while this one is parsed.
        waiting: list[Future[Ran]] = [ahead.submit(_logged, repo, batch) for batch in batches[:1]]
        for number, batch in enumerate(batches):
            ran = waiting.pop().result()
            waiting += [ahead.submit(_logged, repo, after) for after in batches[number + 1 : number + 2]]
            yield from reversed(list(_read(repo, batch[::-1], ran, reading, lines)))


def between(
    repo: Repository, base: str, tip: str, *, lines: Lines, variables: Mapping[str, str] | None = None
) -> Change:
    """What `tip`, a commit or a tree, would land on top of `base`; `variables` let git read the tree."""
    asked = (*GIVEN, "diff", *_DIFF, "--end-of-options", base, tip)
    ran = run(repo.folder, *asked, seconds_max=READ_SECONDS_MAX, variables=variables or {})
    if ran.code:
        raise Invalid(f"git cannot compare {tip[:12]} with {base[:12]}: {said(ran)}")
    return Change(sha=tip, parents=(base,), files=_parsed_files(ran.printed, lines))


def _read(repo: Repository, newest_first: Sequence[str], ran: Ran, reading: Reading, lines: Lines) -> Iterator[Change]:
    """Parse a batch; where git stopped at a commit, note it and go on behind it."""
    left = list(newest_first)
    while left:
        printed = list(_split(ran.printed, left, whole=ran.code == 0))
        yield from (_standing(repo, _change(commit, lines), lines) for commit in printed)
        left = left[len(printed) :]
        if not left:
            return
        if len(reading.unread) >= _UNREAD_MAX:
            reading.unread += left
            return
        reading.unread.append(left.pop(0))
        ran = _logged(repo, left[::-1])


def _logged(repo: Repository, shas: Sequence[str]) -> Ran:
    """`git log` of exactly these commits.

    Newest first: git forgets the parents of what it has shown, and would merge without a base.
    """
    merges = "--remerge-diff" if repo.merges else "--diff-merges=off"
    asked = (*GIVEN, "-c", "log.showSignature=false", "log", "--no-walk=unsorted", "--stdin", merges, *_DIFF, _FORMAT)
    return run(repo.folder, *asked, seconds_max=READ_SECONDS_MAX, stdin="\n".join(shas[::-1]).encode())


def _split(printed: bytes, shas: Sequence[str], *, whole: bool) -> Iterator[bytes]:
    """What was printed for each commit; without the last one, which may be cut, unless it is `whole`."""
    starts = []
    at = 0
    for sha in shas:
        at = printed.find(b"\x02" + sha.encode() + b"\0", at)
        if at < 0:
            break
        starts.append(at)
    if whole and starts:
        starts.append(len(printed))
    for start, end in itertools.pairwise(starts):
        yield printed[start + 1 : end]


def _change(printed: bytes, lines: Lines) -> Change:
    sha, parents, seconds, author, address, message, runs, rest = printed.split(b"\0", 7)
    return Change(
        sha=text(sha),
        parents=tuple(text(parents).split()),
        author=text(author),
        account=lines.hidden(text(address)) if address else "",
        at_ms=int(seconds) * SECOND_MS,
        message=text(message)[:MESSAGE_CHARS_MAX],
        run=text(runs.rsplit(b",", 1)[-1].strip())[:_RUN_CHARS_MAX],
        files=_parsed_files(rest, lines),
    )


def _standing(repo: Repository, change: Change, lines: Lines) -> Change:
    """A merge without those lines of git's attempt that stand in it: between the markers all looks removed."""
    if len(change.parents) < 2 or not change.files:
        return change
    return replace(change, files=tuple(_resolved(repo, change.sha, file, lines) for file in change.files))


def _resolved(repo: Repository, sha: str, file: FileChange, lines: Lines) -> FileChange:
    content = run(repo.folder, "cat-file", "blob", f"{sha}:{file.path}", seconds_max=READ_SECONDS_MAX).printed
    stand = {lines.number(line) for line in content.split(b"\n")}
    hunks = []
    for hunk in file.hunks:
        gone = tuple(line for line in hunk.removed if line not in stand)
        same = len(gone) == len(hunk.removed)
        hunks.append(hunk if same else replace(hunk, removed=gone, takes=0, gives=0))
    return replace(file, hunks=tuple(hunks))


def _parsed_files(printed: bytes, lines: Lines) -> tuple[FileChange, ...]:
    """The entries, which an empty field ends, and the patch behind them."""
    entries, _, patch = printed.lstrip(b"\0\n").partition(b"\0\0")
    return file_changes([text(part) for part in entries.split(b"\0")], patch, lines=lines)
