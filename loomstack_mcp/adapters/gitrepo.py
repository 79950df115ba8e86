"""The history of a repository, read by plain git: which commits there are, and what each of them changed."""

import hashlib
import itertools
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from loomstack_mcp.adapters.plumbing import Ran, run
from loomstack_mcp.core.changes.hunks import MESSAGE_CHARS_MAX, NO_BLOB, Change, FileChange, created, files
from loomstack_mcp.core.changes.lines import Lines
from loomstack_mcp.core.errors import Invalid, NotFound
from loomstack_mcp.core.limits import SECOND_MS

_ASK_SECONDS_MAX = 4
_READ_SECONDS_MAX = 120
"""Of one batch of commits."""
_BATCH = 200
_UNREAD_MAX = 100
"""So many commits that cannot be read are a partial clone: the rest is not tried."""
_UNTRACKED_MAX = 200
_UNTRACKED_BYTES_MAX = 1_000_000
_SHOWN_BYTES_MAX = 1_000_000
_REMERGE_SINCE = (2, 35)
_TRUNKS = tuple(
    f"refs/{name}" for name in ("remotes/origin/HEAD", "remotes/origin/main", "remotes/origin/master",
                                "heads/main", "heads/master")
)  # fmt: skip
_DIFF = ("--raw", "-z", "--no-relative", "--no-abbrev", "-p", "-U0", "-M", "--no-ext-diff", "--no-textconv",
         "--no-color", "--src-prefix=a/", "--dst-prefix=b/", "--submodule=short", "--ignore-submodules=dirty",
         "--diff-algorithm=myers")  # fmt: skip
_FORMAT = "--format=%x02%H%x00%P%x00%ct%x00%aN%x00%aE%x00%B%x00%(trailers:key=Loom-Run,valueonly,separator=%x2C)%x00"
_RUN_CHARS_MAX = 20
_GIVEN = ("-c", "core.bigFileThreshold=1m", "-c", "core.quotePath=true", "-c", "diff.suppressBlankEmpty=false")
_UNFINISHED = {"rebase-merge": "a rebase", "rebase-apply": "a rebase", "MERGE_HEAD": "a merge",
               "CHERRY_PICK_HEAD": "a cherry-pick", "REVERT_HEAD": "a revert"}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Repository:
    """A repository with or without a worktree, and what cannot be known of it."""

    folder: Path
    git_dir: Path
    gaps: tuple[str, ...]
    """What no answer about its history can hold, in sentences."""
    merges: bool
    """Whether this git can tell what a merge itself changed."""


@dataclass
class Reading:
    """The commits that could not be read: an object is missing, or git gave up."""

    unread: list[str] = field(default_factory=list)


def repository_at(folder: Path) -> Repository:
    """The repository around a folder, bare or not. Raises NotFound where there is none, or no commit in it."""
    asked = ("rev-parse", "--path-format=absolute", "--git-dir", "--is-shallow-repository")
    lines = _ask(folder, *asked).text.splitlines()
    if len(lines) != 2:
        raise NotFound(f"{folder} is in no git repository; go to one, or clone it first")
    if not _ask(folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}").text:
        raise NotFound(f"the repository of {folder} has no commit yet, so there is nothing to look at")
    version = re.search(r"(\d+)\.(\d+)", _ask(folder, "--version").text)
    merges = version is not None and (int(version[1]), int(version[2])) >= _REMERGE_SINCE
    gaps = []
    if lines[1] == "true":
        gaps.append("this clone is shallow: what landed before its first commit is unknown (git fetch --unshallow)")
    if not merges:
        gaps.append("this git is older than 2.35: what merges themselves took back is unknown")
    git_dir = Path(lines[0])
    gaps += [
        f"{what} is in progress here: what is not committed yet may still change"
        for what in dict.fromkeys(what for name, what in _UNFINISHED.items() if (git_dir / name).exists())
    ]
    return Repository(folder=folder, git_dir=git_dir, gaps=tuple(gaps), merges=merges)


def trunk(repo: Repository) -> str:
    """The ref that changes land on: origin's default branch, else `main` or `master`, else what is checked out."""
    refs = _ask(repo.folder, "for-each-ref", "--format=%(refname)", *_TRUNKS).text.splitlines()
    return next((name for name in _TRUNKS if name in refs), "HEAD")


def base_of(repo: Repository, target: str) -> str:
    """The commit that HEAD and `target` have in common. Raises NotFound."""
    if not _ask(repo.folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{target}^{{commit}}").text:
        raise NotFound(f"base {target[:100]} is no commit here; name a branch, or leave it out for the trunk")
    found = _ask(repo.folder, "merge-base", "--end-of-options", "HEAD", target).text
    if not found:
        raise NotFound(f"HEAD and {target[:100]} have no commit in common; fetch the trunk, or name another base")
    return found.split("\n", 1)[0]


def commits(repo: Repository, tip: str, *, since_ms: int = 0, last: int = 0) -> tuple[Change, ...]:
    """The commits reachable from `tip`, parents first: when each was made and on what, not what it changed."""
    limits = [f"--since=@{since_ms // SECOND_MS}"] if since_ms else []
    limits += [f"--max-count={last}"] if last else []
    asked = ("rev-list", "--date-order", "--reverse", "--timestamp", "--parents", *limits, "--end-of-options", tip)
    found = (line.split() for line in run(repo.folder, *asked, seconds_max=_READ_SECONDS_MAX).text.splitlines())
    return tuple(
        Change(sha=sha, parents=tuple(parents), at_ms=int(seconds) * SECOND_MS) for seconds, sha, *parents in found
    )


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


def proposed(repo: Repository, base: str, *, lines: Lines) -> tuple[Change, tuple[str, ...]]:
    """What HEAD and the worktree would land on top of `base`, new files included; and what was left out."""
    ran = run(repo.folder, *_GIVEN, "diff", *_DIFF, "--end-of-options", base, seconds_max=_READ_SECONDS_MAX)
    if ran.code:
        raise Invalid(f"git cannot compare this worktree with {base[:12]}: {_said(ran)}")
    new = _untracked(repo)
    left_out = f"{len(new) - _UNTRACKED_MAX} of {len(new)} new files that git does not know yet were not looked at"
    found = (*_hashed(repo, _parsed_files(ran.printed, lines)), *_created(repo, new[:_UNTRACKED_MAX], lines))
    change = Change(sha="worktree", parents=(base,), files=found)
    return change, (left_out,) if len(new) > _UNTRACKED_MAX else ()


def author(repo: Repository) -> tuple[str, str]:
    """Who commits here, as history names them: name and address, each "" where git was not told."""
    name, address = (_ask(repo.folder, "config", "--get", f"user.{what}").text for what in ("name", "email"))
    mapped = re.fullmatch(r"(.*?) ?<(.*)>", _ask(repo.folder, "check-mailmap", f"{name} <{address}>").text)
    return (mapped[1], mapped[2]) if name and mapped else (name, address)


def generated(repo: Repository, paths: Sequence[str]) -> frozenset[str]:
    """Those of the paths that `.gitattributes` calls generated or vendored (github-linguist's attributes)."""
    asked = ("check-attr", "-z", "--stdin", "linguist-generated", "linguist-vendored")
    given = "\0".join(paths).encode("utf-8", "surrogateescape")
    fields = run(repo.folder, *asked, seconds_max=_READ_SECONDS_MAX, stdin=given).text.split("\0")
    triples = zip(fields[0::3], fields[1::3], fields[2::3], strict=False)
    return frozenset(path for path, _, value in triples if value in ("set", "true"))


def lines_of(repo: Repository, sha: str, path: str) -> list[str]:
    """The lines of a file in a commit, to be shown; none where it is not there or too large."""
    asked = (*_GIVEN, "cat-file", "blob", f"{sha}:{path}")
    content = run(repo.folder, *asked, seconds_max=_ASK_SECONDS_MAX).printed if sha else b""
    return content[:_SHOWN_BYTES_MAX].decode("utf-8", "replace").splitlines()


def _read(repo: Repository, newest_first: Sequence[str], ran: Ran, reading: Reading, lines: Lines) -> Iterator[Change]:
    """Parse a batch; where git stopped at a commit, note it and go on behind it."""
    left = list(newest_first)
    while left:
        printed = list(_split(ran.printed, left, whole=ran.code == 0))
        yield from (_change(commit, lines) for commit in printed)
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
    asked = (*_GIVEN, "-c", "log.showSignature=false", "log", "--no-walk=unsorted", "--stdin", merges, *_DIFF, _FORMAT)
    return run(repo.folder, *asked, seconds_max=_READ_SECONDS_MAX, stdin="\n".join(shas[::-1]).encode())


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
        sha=_text(sha),
        parents=tuple(_text(parents).split()),
        author=_text(author),
        account=lines.hidden(_text(address)) if address else "",
        at_ms=int(seconds) * SECOND_MS,
        message=_text(message)[:MESSAGE_CHARS_MAX],
        run=_text(runs.rsplit(b",", 1)[-1].strip())[:_RUN_CHARS_MAX],
        files=_parsed_files(rest, lines),
    )


def _parsed_files(printed: bytes, lines: Lines) -> tuple[FileChange, ...]:
    """The entries, which an empty field ends, and the patch behind them."""
    entries, _, patch = printed.lstrip(b"\0\n").partition(b"\0\0")
    return files([_text(part) for part in entries.split(b"\0")], patch, lines=lines)


def _hashed(repo: Repository, found: Sequence[FileChange]) -> tuple[FileChange, ...]:
    """The same with the blobs that the worktree's files would have."""
    top = Path(_ask(repo.folder, "rev-parse", "--show-toplevel").text)
    asked = [
        file.path for file in found if file.after == NO_BLOB and "\n" not in file.path and (top / file.path).is_file()
    ]
    if not asked:
        return tuple(found)
    given = "".join(f"{path}\n" for path in asked).encode("utf-8", "surrogateescape")
    printed = run(top, "hash-object", "--stdin-paths", seconds_max=_READ_SECONDS_MAX, stdin=given).text.split()
    blobs = dict(zip(asked, printed, strict=False))
    return tuple(replace(file, after=blobs.get(file.path, file.after)) for file in found)


def _untracked(repo: Repository) -> list[str]:
    listed = _ask(repo.folder, "ls-files", "-z", "--others", "--exclude-standard", "--full-name", ":/").text
    return [name for name in listed.split("\0") if name]


def _created(repo: Repository, paths: Sequence[str], lines: Lines) -> Iterator[FileChange]:
    top = Path(_ask(repo.folder, "rev-parse", "--show-toplevel").text)
    for path in paths:
        file = top / path
        if file.is_file() and not file.is_symlink() and file.stat().st_size <= _UNTRACKED_BYTES_MAX:
            content = file.read_bytes()
            blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
            yield created(path, content, blob=blob, lines=lines)


def _ask(folder: Path, *arguments: str) -> Ran:
    return run(folder, *arguments, seconds_max=_ASK_SECONDS_MAX)


def _said(ran: Ran) -> str:
    return _text(ran.said).strip().splitlines()[0][:200] if ran.said.strip() else f"exit {ran.code}"


def _text(found: bytes) -> str:
    return found.decode("utf-8", "surrogateescape")
