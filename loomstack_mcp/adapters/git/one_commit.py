"""One commit of a clone, or the one that git blames for a line: which it is, and what it did."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from loomstack_mcp.adapters.git import diffs
from loomstack_mcp.adapters.git.attributes import reformatting
from loomstack_mcp.adapters.git.diffs import Unread
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.run import as_text, committed_at_ms
from loomstack_mcp.core.changes.hunks import MESSAGE_CHARS_MAX, Change
from loomstack_mcp.core.changes.lines import Lines
from loomstack_mcp.core.changes.mentions import mentions
from loomstack_mcp.core.errors import Invalid, NotFound
from loomstack_mcp.core.phrases import counted
from loomstack_mcp.core.records import record
from loomstack_mcp.core.texts import plain_line

_SHOWN_CHARS = 100
_DIGITS = re.compile(r"[0-9a-fA-F]{4,64}")
_WHOLE = re.compile(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")
"""The id of an object, which goes before any branch that is called so (gitrevisions(7))."""
_TOLD = "--format=%P%x00%ct%x00%aN%x00%B"
_BLAME_SECONDS_MAX = 20
_IGNORED_MAX = 1_000
_MOVES_MAX = 20
"""Of one line, from file to file, that are followed."""
_AROUND = 10
"""Lines beside it that are blamed with it: what is copied counts for git from 40 letters on (git-blame(1), -C)."""
_PATH = re.compile(r"^filename (.*)$", re.MULTILINE)
_TEXT = re.compile(r"^\t(.*)$", re.MULTILINE)


@record
class BlamedLine:
    """A line, and where it comes from."""

    sha: str
    path: str
    """The file as it was called in that commit."""
    line: int
    """The line's number in that, from 1."""
    text: bytes


def commit_named(repo: Repository, rev: str) -> str:
    """The id of the commit that a name, or the first digits of an id, stand for.

    Raises NotFound where there is none, Invalid where there are several.
    """
    repo.must_have_history()
    name, asked = plain_line(rev, chars_max=_SHOWN_CHARS), rev.strip()
    if sha := repo.commit(asked if _WHOLE.fullmatch(asked) else repo.branch_ref(asked)):
        return sha
    fitting = repo.run("rev-parse", f"--disambiguate={rev}").text.split() if _DIGITS.fullmatch(rev) else []
    commits = [one for one in fitting if repo.commit(one) == one]
    if len(commits) == 1:
        return commits[0]
    if commits:
        listed = ", ".join(one[:12] for one in commits[:5])
        raise Invalid(f"{name} fits {counted(len(commits), 'commit')} ({listed}): give more of its digits")
    if repo.is_shallow:
        raise NotFound(f"{name} is no commit of this clone, which is shallow: git fetch --unshallow, and ask again")
    raise NotFound(f"{name} is no commit of this clone; a rewritten one is gone, and of others: git fetch --all --tags")


def change_of(repo: Repository, sha: str, *, lines: Lines) -> Change:
    """A commit with what it did; a merge with what it brought onto its first parent.

    It is `unread` where that is not in this clone, or not all of it.
    """
    [change] = diffs.changes(repo, [Change(sha=sha)], Unread(), lines=lines)
    if not change.author and not change.message:
        return replace(_told(repo, sha), unread=True)
    if len(change.parents) < 2:
        return change
    try:
        brought = diffs.diff(repo, change.parents[0], sha, lines=lines)
    except Invalid:
        return replace(change, unread=True)
    return replace(change, files=brought.files, lists=brought.lists)


def blamed_line(repo: Repository, sha: str, path: str, line: int, *, deciders: Sequence[str] = ()) -> BlamedLine:
    """Which commit a line of a file comes from, through moves, copies and white space.

    The commits that `.git-blame-ignore-revs` of all `deciders` name are looked through. Raises NotFound where there is
    no such file or line, or its history is not in this clone; Invalid where git takes too long.
    """
    name = f"{plain_line(path, chars_max=_SHOWN_CHARS)} in {sha[:12]}"
    found = repo.holding(sha).object_named(f"{sha}:{path}") if "\n" not in path else None
    if found is None or found.kind != "blob":
        raise NotFound(f"there is no file {name}: was it renamed, or deleted? git log --oneline -- PATH shows when")
    if found.content is not None and line > found.content.count(b"\n") + (not found.content.endswith(b"\n")):
        raise NotFound(f"{name} has {len(found.content.splitlines())} lines, and no line {line}")
    with TemporaryDirectory(prefix="loomstack-") as aside:
        ignored = Path(aside) / "ignored"
        known = (one for one in sorted(reformatting(repo, deciders))[:_IGNORED_MAX] if repo.commit(one) == one)
        ignored.write_text("".join(f"{one}\n" for one in known))
        last = _blamed(repo, sha, path, line, f"-L{line},{line}", f"--ignore-revs-file={ignored}")
        for _ in range(_MOVES_MAX):
            # Whether it came from elsewhere is asked of the one commit that brought it here: asked of all at once, git
            # goes back as far as the oldest line around it was made.
            around = f"-L{max(1, last.line - _AROUND)},{last.line + _AROUND}"
            came = _blamed(repo, f"{last.sha}^!", last.path, last.line, "-M", "-C", around)
            if came.sha == last.sha:
                break
            last = _blamed(
                repo, came.sha, came.path, came.line, f"-L{came.line},{came.line}", f"--ignore-revs-file={ignored}"
            )
    if last.sha in repo.boundaries:
        raise NotFound(f"line {line} of {name} is older than this shallow clone: git fetch --unshallow, and ask again")
    return last


def _blamed(repo: Repository, commits: str, path: str, line: int, *options: str) -> BlamedLine:
    ran = repo.run_plain(
        *("blame", "-w", "--line-porcelain", *options, commits, "--", path), seconds_max=_BLAME_SECONDS_MAX
    )
    if ran.code:
        shown = plain_line(path, chars_max=_SHOWN_CHARS)
        raise Invalid(f"git cannot tell where line {line} of {shown} comes from: {ran.complaint}")
    return _parsed(as_text(ran.printed), line)


def _parsed(printed: str, line: int) -> BlamedLine:
    head = re.search(rf"^([0-9a-f]{{40,64}}) (\d+) {line}(?: \d+)?$", printed, re.MULTILINE)
    assert head, "git prints what it was asked for"
    path, text = _PATH.search(printed, head.end()), _TEXT.search(printed, head.end())
    assert path, "git prints what it was asked for"
    assert text, "git prints what it was asked for"
    called = path[1]
    if called.startswith('"'):  # git-config(1), core.quotePath
        called = called[1:-1].encode("latin-1", "backslashreplace").decode("unicode_escape")
        called = called.encode("latin-1", "ignore").decode("utf-8", "surrogateescape")
    return BlamedLine(sha=head[1], path=called, line=int(head[2]), text=text[1].encode("utf-8", "surrogateescape"))


def _told(repo: Repository, sha: str) -> Change:
    """What git says of a commit without comparing it."""
    fields = as_text(repo.run_plain("log", "--no-walk", _TOLD, "--end-of-options", sha).printed).split("\0", 3)
    if len(fields) < 4:
        return Change(sha=sha)
    parents, seconds, author, message = fields
    return Change(
        sha=sha,
        parents=tuple(parents.split()),
        author=author,
        at_ms=committed_at_ms(seconds),
        message=message[:MESSAGE_CHARS_MAX],
        mentions=mentions(message),
    )
