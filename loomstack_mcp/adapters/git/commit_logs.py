"""What git's log says of exactly the commits that are asked for, and of those at which it stops, what trees tell."""

import os
import re
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from loomstack_mcp.adapters.git.blobs import lacking
from loomstack_mcp.adapters.git.printed import Printed
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.run import as_text, committed_at_ms
from loomstack_mcp.core.changes.generated import machine_made, named_so
from loomstack_mcp.core.changes.hunks import MESSAGE_CHARS_MAX, Change, FileChange
from loomstack_mcp.core.changes.lines import Lines
from loomstack_mcp.core.changes.mentions import mentions
from loomstack_mcp.core.changes.patches import file_changes
from loomstack_mcp.core.changes.people import account_of
from loomstack_mcp.core.changes.trailers import named_runs

_TRIES_MAX = 200
"""So often git is asked again for single commits at which it stops; the rest of such is left unread."""
_TOLD_MAX = 500
"""Of so many commits at once it is asked what trees tell of them."""
_LACKING_MAX = 200
"""A commit of which more files are not here is left unread."""
LARGE = ("-c", "core.bigFileThreshold=1m")
"""A larger file has no lines here."""
DIFF = (
    *("--raw", "-z", "--no-relative", "--no-abbrev", "-p", "-U0", "-M", "--no-ext-diff", "--no-textconv"),
    *("--no-color", "--src-prefix=a/", "--dst-prefix=b/", "--submodule=short", "--ignore-submodules=dirty"),
    *("--diff-algorithm=myers", "--indent-heuristic", "--inter-hunk-context=0", f"-O{os.devnull}", "-l1000"),
)
_TREES = ("--raw", "-z", "--no-relative", "--no-abbrev", "--no-renames", "--ignore-submodules=all", f"-O{os.devnull}")
"""What needs no content of files."""
_UNNEEDED = tuple(
    f":(exclude){name}"
    for name in (
        *("vendor/*", "*/vendor/*", "*.lock"),
        *("package-lock.json", "*/package-lock.json", "pnpm-lock.yaml", "*/pnpm-lock.yaml"),
    )
)
"""The largest files that machines write, by the names of `named_so`: git need not compare them, nor have them.

Each name costs every commit 5 µs. What moves into such a folder counts as deleted.
"""
_FORMAT = "%H%x00%P%x00%ct%x00%at%x00%aN%x00%aE%x00%B%x00"
_MARK_BYTES = 16
_HEAD = re.compile(rb"([^\0]*)\0" * 7)
"""What is printed of a commit by that format."""


class Log:
    """`git log` of exactly the commits that are asked for, in that order."""

    def __init__(self, repo: Repository, lines: Lines, *, has_merges: bool) -> None:
        self._repo = repo
        self._lines = lines
        self._named = lines.naming_blobs()
        self._resolved = "--remerge-diff" if has_merges and repo.merges else "--diff-merges=off"
        self._tries = _TRIES_MAX

    def changes(self, commits: Sequence[Change]) -> Iterator[Change]:
        """What each changed. Where git stops, what it can say of the others, and what trees tell of those."""
        done = 0
        for change in self._logged(commits):
            yield change
            done += 1
        for begin in range(done, len(commits), _TOLD_MAX):
            yield from self._partly(commits[begin : begin + _TOLD_MAX])

    def _partly(self, commits: Sequence[Change]) -> Iterator[Change]:
        told = list(self._each(commits, self._told))
        absent = lacking(self._repo, {blob for one in told for file in one.files for blob in (file.before, file.after)})
        for is_here, group in groupby(told, lambda one: not _lacks(one, absent)):
            if is_here:
                yield from self._each(list(group), self._logged)
            else:
                yield from (self._rest_of(one, absent) for one in group)

    def _each(self, commits: Sequence[Change], log: Callable[[Sequence[Change]], Iterable[Change]]) -> Iterator[Change]:
        """What this says of each commit; one at which git stops is unread."""
        left = wanted = tuple(commits)
        while wanted:
            done = 0
            for change in log(wanted):
                yield change
                done += 1
            left = left[done:]
            if done == len(wanted):
                wanted = left
            elif len(wanted) > 1:
                wanted = left[:1]  # git may have stopped at the one behind it, before it printed a word of that
            else:
                self._tries -= 1
                given_up = left[:1] if self._tries > 0 else left
                yield from map(_unread, given_up)
                left = wanted = left[len(given_up) :]

    def _rest_of(self, told: Change, absent: Collection[str]) -> Change:
        """What can be said of a commit of which some files are not here."""
        gone = [file for file in told.files if _is_absent(file, absent)]
        is_mixed = 0 < len(gone) < len(told.files) and len(gone) <= _LACKING_MAX
        if not is_mixed or len(told.parents) > 1 or self._tries <= 0:
            return _unread(self._hidden(told))
        self._tries -= 1
        read = next(self._logged([told], *(f":(exclude,literal){file.path}" for file in gone)), None)
        if read is None:
            return _unread(self._hidden(told))
        rest = _unread(self._hidden(replace(told, files=tuple(gone))))
        return replace(read, unread=rest.unread, files=(*read.files, *rest.files))

    def _hidden(self, told: Change) -> Change:
        """What trees told, which names blobs as git does, as it is told to others."""
        blob = self._lines.blob
        files = (replace(one, before=blob(one.before), after=blob(one.after)) for one in told.files)
        return replace(told, files=tuple(files))

    def _logged(self, commits: Sequence[Change], *without: str) -> Iterator[Change]:
        return self._printed(commits, self._resolved, *DIFF, without=without, ignored=named_so)

    def _told(self, commits: Sequence[Change]) -> Iterator[Change]:
        """What trees tell: of a merge, which files are none of its parents'."""
        return self._printed(commits, "--diff-merges=combined", *_TREES, ignored=lambda _: False, lines=self._named)

    def _printed(
        self,
        commits: Sequence[Change],
        *options: str,
        ignored: Callable[[str], bool],
        without: Sequence[str] = (),
        lines: Lines | None = None,
    ) -> Iterator[Change]:
        # Nobody can foresee the mark: a commit may name, or fill, a file like what git prints before an older one.
        mark = secrets.token_hex(_MARK_BYTES)
        asked = (*LARGE, "log", "--no-walk=unsorted", "--stdin", *options, f"--format={mark}{_FORMAT}")
        # With paths, git leaves out commits, and parents, that touch none of them.
        paths = ("--sparse", "--full-history", "--", *_UNNEEDED, *without)
        shas = [commit.sha for commit in commits]
        with Printed(self._repo, *asked, *paths, stdin="\n".join(shas).encode()) as log:
            for printed in log.parts([f"{mark}{sha}\0".encode() for sha in shas]):
                yield _change(printed, len(mark), lines or self._lines, ignored)


def _unread(commit: Change) -> Change:
    """A commit of which no more is known; one that only changed what machines write has nothing that is not.

    Its files are told by their content as a whole, but for a merge: what git would have made of them is unknown.
    """
    is_merge = len(commit.parents) > 1
    own = (one for one in commit.files if not named_so(one.path))
    files = tuple(replace(one, unread=True, hunks=() if is_merge else one.hunks) for one in own)
    return replace(commit, files=files, lists=(), unread=bool(files) or not commit.files)


def _lacks(told: Change, absent: Collection[str]) -> bool:
    return told.unread or any(_is_absent(file, absent) for file in told.files)


def _is_absent(file: FileChange, absent: Collection[str]) -> bool:
    return file.before in absent or file.after in absent


def _change(printed: bytes, begin: int, lines: Lines, ignored: Callable[[str], bool]) -> Change:
    head = _HEAD.match(printed, begin)
    assert head, "git prints what it was asked for"
    sha, parents, seconds, written, author, address, message = head.groups()
    above = tuple(as_text(parents).split())
    dropped = machine_made if ignored is named_so else ignored
    files = parsed_files(printed, lines, begin=head.end(), ignored=dropped, is_merge=len(above) > 1)
    return Change(
        sha=as_text(sha),
        parents=above,
        author=as_text(author),
        account=account_of(as_text(address), lines),
        at_ms=committed_at_ms(as_text(seconds)),
        written_ms=committed_at_ms(as_text(written)),
        message=as_text(message)[:MESSAGE_CHARS_MAX],
        hints=named_runs(as_text(message)),
        mentions=mentions(as_text(message)),
        files=tuple(file for file in files if not ignored(file.path)),
        lists=tuple(file for file in files if ignored(file.path)),
    )


def parsed_files(
    printed: bytes,
    lines: Lines,
    *,
    begin: int = 0,
    ignored: Callable[[str], bool] = named_so,
    is_merge: bool = False,
) -> tuple[FileChange, ...]:
    """The entries, which an empty field ends, and the patch behind them."""
    while printed[begin : begin + 1] in (b"\0", b"\n"):
        begin += 1
    end = printed.find(b"\0\0", begin)
    end = len(printed) if end < 0 else end
    raw = [as_text(part) for part in printed[begin:end].split(b"\0")]
    return file_changes(raw, printed, lines=lines, begin=end + 2, ignored=ignored, is_merge=is_merge)
