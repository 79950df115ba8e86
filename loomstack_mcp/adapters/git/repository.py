"""A repository, asked by plain git: which commits there are, on what they were made, and what cannot be known."""

import os
import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from loomstack_mcp.adapters.git.run import Ran, run
from loomstack_mcp.core.changes.branches import arrivals
from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.errors import Invalid, NotFound
from loomstack_mcp.core.limits import SECOND_MS

_ASK_SECONDS_MAX = 4
READ_SECONDS_MAX = 120
"""Of one batch of commits."""
_SHOWN_BYTES_MAX = 1_000_000
_REMERGE_SINCE = (2, 35)
_ORIGIN_HEAD = "refs/remotes/origin/HEAD"
_TRUNKS = (_ORIGIN_HEAD, "refs/remotes/origin/main", "refs/remotes/origin/master", "refs/heads/main",
           "refs/heads/master", "refs/heads/trunk", "refs/heads/develop")  # fmt: skip
_LINE_MAX = 20_000
"""Of the first-parent line, to find where the window begins."""
GIVEN = (
    "-c",
    "i18n.logOutputEncoding=UTF-8",
    "-c",
    "core.bigFileThreshold=1m",
    "-c",
    "core.quotePath=true",
    "-c",
    "diff.suppressBlankEmpty=false",
)
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


def repository_at(folder: Path) -> Repository:
    """The repository around a folder, bare or not. Raises NotFound where there is none, or no commit in it."""
    asked = ("rev-parse", "--path-format=absolute", "--git-dir", "--is-shallow-repository")
    ran = ask(folder, *asked)
    lines = ran.text.splitlines()
    if len(lines) != 2:
        said = text(ran.said).strip().partition("\n")[0][:200]
        raise NotFound(
            f"{folder} is in no git repository that can be read ({said or 'no git'}); go to one, or clone it"
        )
    if not commit_of(folder, "HEAD"):
        raise NotFound(f"the repository of {folder} has no commit yet, so there is nothing to look at")
    version = re.search(r"(\d+)\.(\d+)", ask(folder, "--version").text)
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
    top = ask(folder, "rev-parse", "--show-toplevel").text
    return Repository(folder=Path(top) if top else folder, git_dir=git_dir, gaps=tuple(gaps), merges=merges)


def trunk(repo: Repository) -> str:
    """The ref that changes land on; "" where none can be told.

    Origin's default branch, or the local branch of that name where it is ahead of it; else a local branch of
    a usual name.
    """
    refs = ask(repo.folder, "for-each-ref", "--format=%(refname)", *_TRUNKS).text.splitlines()
    named = ask(repo.folder, "symbolic-ref", "--quiet", _ORIGIN_HEAD).text
    found = named or next((name for name in _TRUNKS if name in refs and name != _ORIGIN_HEAD), "")
    local = f"refs/heads/{found.removeprefix('refs/remotes/origin/')}"
    if found.startswith("refs/remotes/") and ask(repo.folder, "merge-base", "--is-ancestor", found, local).code == 0:
        return local
    return found


def commit_of(folder: Path, name: str) -> str:
    """The commit that a name stands for, or ""."""
    return ask(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").text


def full_name(folder: Path, name: str) -> str:
    """A branch by its whole name, here or of a remote, before any tag of that name; another name as it is."""
    for found in (f"refs/heads/{name}", f"refs/remotes/{name}"):
        if name != "HEAD" and ask(folder, "show-ref", "--verify", "--quiet", "--", found).code == 0:
            return found
    return name


def branch_name(ref: str) -> str:
    """A ref as people call it: `refs/remotes/origin/main` is main."""
    name = ref.removeprefix("refs/")
    return name.removeprefix("heads/") if name.startswith("heads/") else name.removeprefix("remotes/origin/")


def base_of(repo: Repository, target: str, *, head: str = "HEAD") -> str:
    """The commit that `head` and `target` have in common. Raises NotFound."""
    if not commit_of(repo.folder, target):
        raise NotFound(f"base {target[:100]} is no commit here; name a branch, or leave it out for the trunk")
    found = ask(repo.folder, "merge-base", "--end-of-options", head, target).text
    if not found:
        raise NotFound(f"{head[:100]} and {target[:100]} share no commit; fetch the trunk, or name another base")
    return found.split("\n", 1)[0]


def commits(repo: Repository, tip: str, *, since_ms: int = 0, last: int = 0) -> tuple[Change, ...]:
    """The commits reachable from `tip`, parents first: when each was made and on what, not what it changed.

    Those before `since_ms` are left out one by one: a wrong clock hides nothing behind it. Raises Invalid where git
    cannot follow the history.
    """
    asked = ["rev-list", "--date-order", "--reverse", "--timestamp", "--parents"]
    asked += [f"--max-count={last}"] if last else []
    return tuple(change for change in _listed(repo, *asked, "--end-of-options", tip) if change.at_ms >= since_ms)


def landed(repo: Repository, tip: str, *, since_ms: int) -> tuple[Change, ...]:
    """The commits that landed on `tip` since a time, parents first, each with when it landed: with its merge.

    A commit of the first-parent line landed no earlier than those before it, whatever its clock said.
    """
    line = _listed(repo, "rev-list", "--first-parent", "--timestamp", "--parents", f"--max-count={_LINE_MAX}", tip)
    at_ms: dict[str, int] = {}
    newest = 0
    for change in reversed(line):
        newest = at_ms[change.sha] = max(newest, change.at_ms)
    old = next((f"^{change.sha}" for change in line if at_ms[change.sha] < since_ms), "")
    asked = ("rev-list", "--topo-order", "--reverse", "--timestamp", "--parents", tip, *([old] if old else []))
    history = _listed(repo, *asked)
    arrived = arrivals(history, history[-1].sha) if history else {}
    return tuple(replace(one, at_ms=at_ms.get(arrived.get(one.sha, ""), one.at_ms)) for one in history)


def _listed(repo: Repository, *asked: str) -> tuple[Change, ...]:
    """The commits that a `rev-list --timestamp --parents` names."""
    ran = run(repo.folder, *asked, seconds_max=READ_SECONDS_MAX)
    if ran.code:
        said = text(ran.said).strip().partition("\n")[0][:200]
        raise Invalid(f"git cannot follow the history here: {said or f'it ended with {ran.code}'}")
    found = (line.split() for line in ran.text.splitlines())
    return tuple(
        Change(sha=sha, parents=tuple(parents), at_ms=int(seconds) * SECOND_MS) for seconds, sha, *parents in found
    )


def author(repo: Repository) -> tuple[str, str]:
    """Who commits here, as history names them: name and address, each "" where git was not told."""
    told = {name: os.environ[name] for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL") if name in os.environ}
    ident = run(repo.folder, "var", "GIT_AUTHOR_IDENT", seconds_max=_ASK_SECONDS_MAX, variables=told).text
    who = re.fullmatch(r"(.*?) ?<(.*)> .*", ident)
    mapped = who and re.fullmatch(r"(.*?) ?<(.*)>", ask(repo.folder, "check-mailmap", f"{who[1]} <{who[2]}>").text)
    found = mapped or who
    return (found[1], found[2]) if found else ("", "")


def author_of(repo: Repository, commit: str) -> tuple[str, str]:
    """Who made a commit: name and address."""
    name, _, address = ask(repo.folder, "log", "-1", "--format=%aN%x00%aE", commit).text.partition("\0")
    return name, address


def message_since(repo: Repository, base: str, head: str = "HEAD") -> str:
    """What the commits from `base` to `head` say together, newest first."""
    return ask(repo.folder, "log", "--format=%B", f"{base}..{head}").text


class Marked:
    """Which paths `.gitattributes` of a commit calls generated or vendored (github-linguist's attributes).

    Not that of the worktree: a branch must not decide what it is not judged by.
    """

    def __init__(self, repo: Repository, tip: str) -> None:
        self._folder = repo.folder
        self._aside = TemporaryDirectory(prefix="loomstack-")
        self._index = {"GIT_INDEX_FILE": f"{self._aside.name}/index"}
        run(self._folder, "read-tree", tip, seconds_max=READ_SECONDS_MAX, variables=self._index)

    def among(self, paths: Collection[str]) -> frozenset[str]:
        asked = ("check-attr", "--cached", "-z", "--stdin", "linguist-generated", "linguist-vendored")
        given = "\0".join(paths).encode("utf-8", "surrogateescape")
        ran = run(self._folder, *asked, seconds_max=READ_SECONDS_MAX, stdin=given, variables=self._index)
        fields = text(ran.printed).split("\0")
        triples = zip(fields[0::3], fields[1::3], fields[2::3], strict=False)
        return frozenset(path for path, _, value in triples if value in ("set", "true"))


def reformatting(repo: Repository, tip: str) -> frozenset[str]:
    """The commits that `.git-blame-ignore-revs` names, as git-blame(1) has it: nobody's intent is in their lines."""
    listed = ask(repo.folder, "cat-file", "blob", f"{tip}:.git-blame-ignore-revs").text
    return frozenset(re.findall(r"^\s*([0-9a-f]{40,64})\b", listed, re.MULTILINE))


def lines_of(repo: Repository, sha: str, path: str) -> list[str]:
    """The lines of a file in a commit, to be shown; none where it is not there or too large."""
    asked = (*GIVEN, "cat-file", "blob", f"{sha}:{path}")
    content = run(repo.folder, *asked, seconds_max=_ASK_SECONDS_MAX).printed if sha else b""
    return content[:_SHOWN_BYTES_MAX].decode("utf-8", "replace").splitlines()


def ask(folder: Path, *arguments: str) -> Ran:
    return run(folder, *arguments, seconds_max=_ASK_SECONDS_MAX)


def text(found: bytes) -> str:
    return found.decode("utf-8", "surrogateescape")
