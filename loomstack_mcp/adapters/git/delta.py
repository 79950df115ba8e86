"""What would land, as plain git says it: of a branch, of the index, of a push."""

import os
from dataclasses import replace

from loomstack_mcp.adapters.git.plain import Delta, PlainGit, shallow_hint
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.snapshots import index_tree
from loomstack_mcp.core.errors import NotFound
from loomstack_mcp.core.policy.delta import Subject
from loomstack_mcp.core.policy.rules import RefChange
from loomstack_mcp.core.policy.violations import Unknown


def landing_delta(repo: Repository, base: str, head: str, *, trunk: str = "") -> Delta:
    """The tree of merging `head` into `base`, against `base`; an empty or zero `base` is an empty repository.

    Of another branch than the trunk name `trunk`, too: what that has already is not held against the change.
    Where they do not merge, or cannot be merged here, what `head` did since it left `base`, with a gap that
    says so. Raises NotFound for what is no commit, Unknown where objects are missing.
    """
    git = PlainGit(repo)
    theirs = _needed(repo, head)
    if not base.strip("0"):
        return git.delta(repo.empty_tree, theirs)
    ours = _needed(repo, base)
    fork = repo.fork(ours, theirs)
    before, gaps = _excused(git, repo, ours, theirs, trunk)
    if fork == ours:
        return replace(git.delta(before, theirs), gaps=gaps)
    merged = git.merged(ours, theirs)
    if merged.tree:
        return replace(git.delta(before, merged.tree), gaps=gaps)
    return replace(git.delta(fork or ours, theirs), gaps=(merged.gap,), conflicts=merged.conflicts)


def staged_delta(repo: Repository) -> Delta:
    """The index against HEAD, or against nothing before the first commit: what `git commit` would take.

    Inside a hook, git may name another index, relative to the folder where it started the hook. Raises Unknown where
    there is no such tree, as in an unfinished merge.
    """
    given = os.environ.get("GIT_INDEX_FILE")
    written = index_tree(repo, repo.folder / given if given else repo.place.git_dir / "index")
    if not written.text:
        raise Unknown(f"what is staged ({written.complaint})")
    return PlainGit(repo).delta(repo.commit("HEAD") or repo.empty_tree, written.text)


def push_delta(repo: Repository, old: str, new: str, *, trunk: str = "", excused: bool = True) -> Delta:
    """What a push of one ref would land; `old` or `new` of zeros creates or deletes it.

    A new ref is judged from where it left `trunk`, the ref of the default branch ("" where there is none). With
    `excused`, what the trunk has already is not held against a branch that took it over by a merge or a rebase, or
    that only moves along the trunk. Without, as for the trunk itself, the old tree is compared with the new one as
    they are. Raises Unknown for what is no commit.
    """
    git = PlainGit(repo)
    if not new.strip("0"):
        return Delta(subject=Subject(), after=repo.empty_tree, refs=frozenset({"delete"}))
    tip = repo.commit(new)
    if not tip:
        raise Unknown(f"what {new[:12]} would land, which is no commit here")
    known = repo.commit(old) if old.strip("0") else ""
    if not known:
        return _new_tip(git, repo, tip, trunk, old)
    refs: frozenset[RefChange] = frozenset() if repo.descends(tip, known) else frozenset({"force"})
    before, gaps = _excused(git, repo, known, tip, trunk if excused else "")
    return replace(git.delta(before, tip), gaps=gaps, refs=refs)


def _excused(git: PlainGit, repo: Repository, known: str, tip: str, trunk: str) -> tuple[str, tuple[str, ...]]:
    """The old state with what the new one has of the trunk, as `PlainGit.with_trunk` has it; as it is without a trunk.

    Where both are the trunk's own, there is nothing new in either, whichever is the later one.
    """
    base = repo.commit(trunk) if trunk else ""
    fork = repo.fork(tip, base) if base else ""
    if not fork:
        return known, ()
    return (tip, ()) if fork == tip and repo.descends(base, known) else git.with_trunk(known, fork)


def _new_tip(git: PlainGit, repo: Repository, tip: str, trunk: str, old: str) -> Delta:
    """What a ref would land that is new, or whose old tip is not here, from where it left the trunk."""
    base = repo.commit(trunk) if trunk else ""
    fork = repo.fork(tip, base) if base else ""
    gaps = (f"{tip[:12]} has no commit in common with {trunk}{shallow_hint(repo)}",) if base and not fork else ()
    refs: frozenset[RefChange] = frozenset({"create"})
    if old.strip("0"):
        # An old tip that is not here cannot be among the ancestors of what is.
        gap = f"the old {old[:12]} is not here: judged from where the new one left the trunk{shallow_hint(repo)}"
        gaps, refs = (*gaps, gap), frozenset({"force"})
    return replace(git.delta(fork or repo.empty_tree, tip), gaps=gaps, refs=refs)


def _needed(repo: Repository, name: str) -> str:
    if found := repo.commit(name):
        return found
    raise NotFound(f"{name[:100]!r} is no commit here; fetch it, or name another")
