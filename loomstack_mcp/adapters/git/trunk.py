"""The trunk: the one place that says which ref changes land on."""

from collections.abc import Callable
from pathlib import Path

from loomstack_mcp.adapters.git.discovery import Place
from loomstack_mcp.adapters.git.objects import Objects
from loomstack_mcp.adapters.git.run import run

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


def _default_of_origin(place: Place) -> str:
    """What `refs/remotes/origin/HEAD` names, which git-clone(1) writes; "" where it is not there."""
    if (place.common_dir / "reftable").exists():
        return run(place.folder, "symbolic-ref", "--quiet", f"{_ORIGIN}HEAD").text
    try:
        kept = Path(place.common_dir / _ORIGIN / "HEAD").read_text("utf-8", "surrogateescape").strip()
    except OSError:
        return ""
    named = kept.removeprefix("ref: ")
    return named if named != kept else ""
