"""A repository, asked by plain git: which commits there are, on what they were made, and what cannot be known."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from loomstack_mcp.adapters.plumbing import Ran, run
from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.errors import NotFound
from loomstack_mcp.core.limits import SECOND_MS

_ASK_SECONDS_MAX = 4
READ_SECONDS_MAX = 120
"""Of one batch of commits."""
_SHOWN_BYTES_MAX = 1_000_000
_REMERGE_SINCE = (2, 35)
_TRUNKS = tuple(
    f"refs/{name}" for name in ("remotes/origin/HEAD", "remotes/origin/main", "remotes/origin/master",
                                "heads/main", "heads/master")
)  # fmt: skip
GIVEN = ("-c", "core.bigFileThreshold=1m", "-c", "core.quotePath=true", "-c", "diff.suppressBlankEmpty=false")
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
    lines = ask(folder, *asked).text.splitlines()
    if len(lines) != 2:
        raise NotFound(f"{folder} is in no git repository; go to one, or clone it first")
    if not ask(folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}").text:
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
    return Repository(folder=folder, git_dir=git_dir, gaps=tuple(gaps), merges=merges)


def trunk(repo: Repository) -> str:
    """The ref that changes land on: origin's default branch, else `main` or `master`, else what is checked out."""
    refs = ask(repo.folder, "for-each-ref", "--format=%(refname)", *_TRUNKS).text.splitlines()
    return next((name for name in _TRUNKS if name in refs), "HEAD")


def base_of(repo: Repository, target: str) -> str:
    """The commit that HEAD and `target` have in common. Raises NotFound."""
    if not ask(repo.folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{target}^{{commit}}").text:
        raise NotFound(f"base {target[:100]} is no commit here; name a branch, or leave it out for the trunk")
    found = ask(repo.folder, "merge-base", "--end-of-options", "HEAD", target).text
    if not found:
        raise NotFound(f"HEAD and {target[:100]} have no commit in common; fetch the trunk, or name another base")
    return found.split("\n", 1)[0]


def commits(repo: Repository, tip: str, *, since_ms: int = 0, last: int = 0) -> tuple[Change, ...]:
    """The commits reachable from `tip`, parents first: when each was made and on what, not what it changed."""
    limits = [f"--since=@{since_ms // SECOND_MS}"] if since_ms else []
    limits += [f"--max-count={last}"] if last else []
    asked = ("rev-list", "--date-order", "--reverse", "--timestamp", "--parents", *limits, "--end-of-options", tip)
    found = (line.split() for line in run(repo.folder, *asked, seconds_max=READ_SECONDS_MAX).text.splitlines())
    return tuple(
        Change(sha=sha, parents=tuple(parents), at_ms=int(seconds) * SECOND_MS) for seconds, sha, *parents in found
    )


def author(repo: Repository) -> tuple[str, str]:
    """Who commits here, as history names them: name and address, each "" where git was not told."""
    name, address = (ask(repo.folder, "config", "--get", f"user.{what}").text for what in ("name", "email"))
    mapped = re.fullmatch(r"(.*?) ?<(.*)>", ask(repo.folder, "check-mailmap", f"{name} <{address}>").text)
    return (mapped[1], mapped[2]) if name and mapped else (name, address)


def generated(repo: Repository, paths: Sequence[str]) -> frozenset[str]:
    """Those of the paths that `.gitattributes` calls generated or vendored (github-linguist's attributes)."""
    asked = ("check-attr", "-z", "--stdin", "linguist-generated", "linguist-vendored")
    given = "\0".join(paths).encode("utf-8", "surrogateescape")
    fields = run(repo.folder, *asked, seconds_max=READ_SECONDS_MAX, stdin=given).text.split("\0")
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
