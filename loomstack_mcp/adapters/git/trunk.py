"""The trunk: the one place that says which ref changes land on."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from loomstack_mcp.adapters.git.discovery import Place
from loomstack_mcp.adapters.git.objects import Objects
from loomstack_mcp.adapters.git.run import run

_SYMBOLIC = re.compile(r"ref:\s*(refs/\S+)\s*$")
_ORIGIN = "refs/remotes/origin/"
_LOCAL = "refs/heads/"
_USUAL = (
    f"{_ORIGIN}main",
    f"{_ORIGIN}master",
    f"{_LOCAL}main",
    f"{_LOCAL}master",
    f"{_LOCAL}trunk",
    f"{_LOCAL}develop",
)


def trunk_of(place: Place, objects: Objects, descends: Callable[[str, str], bool]) -> str:
    """The ref that changes land on; "" where none can be told.

    Origin's default branch, or the local branch of that name where it is ahead of it; else a branch of a usual name,
    of origin before a local one. `descends` says whether its first commit has its second among its ancestors.
    """
    default = _default_of_origin(place)
    found = next((ref for ref in (default, *_USUAL) if objects.commit(ref)), "")
    local = f"{_LOCAL}{found.removeprefix(_ORIGIN)}"
    tip = objects.commit(local) if found.startswith(_ORIGIN) else ""
    return local if tip and descends(tip, objects.commit(found)) else found


def written_for(place: Place) -> Iterator[Path]:
    """The files that git writes when the trunk moves, or another ref becomes it; some of them need not be there."""
    common = place.common_dir
    yield from (common / "packed-refs", common / "reftable" / "tables.list", common / _ORIGIN / "HEAD")
    yield place.git_dir / "HEAD"  # which stands for the trunk where none can be told
    refs = [named_by(common / _ORIGIN / "HEAD"), named_by(place.git_dir / "HEAD"), *_USUAL]
    locals_ = [f"{_LOCAL}{ref.removeprefix(_ORIGIN)}" for ref in refs if ref.startswith(_ORIGIN)]
    yield from (common / ref for ref in dict.fromkeys([*refs, *locals_]) if ref)


def named_by(file: Path) -> str:
    """The ref that the file of a symbolic one names (git-symbolic-ref(1)); "" where it names none."""
    try:
        kept = f"ref: {file.readlink()}" if file.is_symlink() else file.read_text("utf-8", "surrogateescape")
    except OSError:
        return ""
    named = _SYMBOLIC.match(kept)
    return named[1] if named else ""


def _default_of_origin(place: Place) -> str:
    """What `refs/remotes/origin/HEAD` names, which git-clone(1) writes; "" where it is not there."""
    if (place.common_dir / "reftable").exists():
        return run(place.folder, "symbolic-ref", "--quiet", f"{_ORIGIN}HEAD").text
    return named_by(place.common_dir / _ORIGIN / "HEAD")
