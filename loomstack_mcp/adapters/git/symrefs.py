"""Symbolic refs (git-symbolic-ref(1)): a push to one moves what it stands for, and whatever else stands for that."""

from collections.abc import Mapping

from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.run import READ_SECONDS_MAX
from loomstack_mcp.adapters.git.trunk import named_by

_DEPTH_MAX = 5
"""Git follows no more of them (refs.c, SYMREF_MAXDEPTH)."""


def resolved_ref(repo: Repository, ref: str) -> str:
    """The ref that is moved when this one is pushed: itself, but for a symbolic one, whether that leads anywhere yet.

    A symbolic ref is a file, also where other refs are packed; but not where git keeps them in tables.
    """
    for _ in range(_DEPTH_MAX):
        if (repo.place.common_dir / "reftable").exists():
            named = repo.run("symbolic-ref", "--quiet", ref).text
        else:
            named = named_by(repo.place.common_dir / ref)
        if not named:
            break
        ref = named
    return ref


def symbolic_refs(repo: Repository) -> dict[str, str]:
    """Those that lead to a commit, each with the ref at the end of its way."""
    listed = repo.run("for-each-ref", "--format=%(symref) %(refname)", seconds_max=READ_SECONDS_MAX).text.split("\n")
    found = (line.partition(" ") for line in listed)
    return {name: end for end, _, name in found if end}


def moved_refs(repo: Repository, ref: str, symbolic: Mapping[str, str]) -> tuple[str, ...]:
    """Every name under which a push of a ref is seen: its own, what it stands for, and what else stands for that."""
    end = resolved_ref(repo, ref)
    return tuple(dict.fromkeys([ref, end, *(name for name, other in symbolic.items() if other == end)]))
