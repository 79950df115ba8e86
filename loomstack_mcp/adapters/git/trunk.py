"""The trunk: the one place that says which ref changes land on."""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from loomstack_mcp.adapters.git.clone_settings import CloneSettings, clone_settings, default_remote, remotes
from loomstack_mcp.adapters.git.discovery import Place
from loomstack_mcp.adapters.git.objects import Objects
from loomstack_mcp.adapters.git.run import run
from loomstack_mcp.core.errors import NotFound

USUAL = ("main", "master", "trunk", "develop")
"""What a trunk is called, in the order of trying."""
_SYMBOLIC = re.compile(r"ref:\s*(refs/\S+)\s*$")
_REMOTES = "refs/remotes/"
_LOCAL = "refs/heads/"
_UPSTREAM = "upstream"
"""What people, and their tools, call the repository that theirs is a fork of."""


def trunk_of(place: Place, objects: Objects, descends: Callable[[str, str], bool], *, head: str) -> str:
    """The ref that changes land on; "" where none can be told, so that somebody has to say it.

    Of the remote that the checked-out branch tracks, and then of the clone's own: its default branch, else one of a
    usual name; then what HEAD of a bare repository names, the clone's `init.defaultBranch`, a local branch of a usual
    name, or the only branch there is. A branch never chooses itself: what it tracks tells the remote alone. Where a
    local branch is ahead of the one of its remote, it stands for it. `descends` says whether its first commit has its
    second among its ancestors; `head` is the ref that HEAD names.
    """
    settings = _settings(place)
    for remote in _remotes(settings, head or _rebased(place)):
        if found := _trunk_there(place, objects, remote):
            return _ahead(settings, objects, descends, remote, found)
    own = head if place.root is None and settings.get("core.bare", ("",))[-1] == "true" else ""
    named = (own, *(f"{_LOCAL}{name}" for name in _local_names(settings)))
    return next((ref for ref in named if objects.commit(ref)), "") or _only_branch(place, settings)


def other_trunks(place: Place, objects: Objects, *, head: str, trunk: str) -> tuple[str, ...] | None:
    """Where changes may land besides the trunk, of remotes alone: what it stands for, `upstream`, the clone's own.

    A branch that was pushed to a fork tracks the fork, though it lands elsewhere. None where the clone has remotes,
    and none of those that it belongs to has a branch here.
    """
    settings = _settings(place)
    if trunk.startswith(f"{_REMOTES}{_UPSTREAM}/"):
        return ()
    known = {remote.name for remote in remotes(settings)}
    asked = (*_remotes(settings, head or _rebased(place)), *({_UPSTREAM} & known))
    found = [ref for ref in (_trunk_there(place, objects, remote) for remote in dict.fromkeys(asked)) if ref]
    return tuple(ref for ref in found if ref != trunk) if found or not known else None


def fetched_at_ms(place: Place, branch: str, tip: str) -> int:
    """When the only remote was last seen to have a branch there (git-fetch(1), FETCH_HEAD); 0 where that is not known.

    Of several remotes it does not say which one it was.
    """
    if len(remotes(_settings(place))) != 1:
        return 0
    line = re.compile(rf"{tip}\t(?:not-for-merge)?\tbranch '{re.escape(branch)}' of ")
    found = [0]
    for folder in (place.git_dir, place.common_dir):
        with suppress(OSError):
            file = folder / "FETCH_HEAD"
            if any(map(line.match, file.read_text("utf-8", "surrogateescape").splitlines())):
                found.append(file.stat().st_mtime_ns // 1_000_000)
    return max(found)


def written_for(place: Place) -> Iterator[Path]:
    """The files that git writes when the trunk moves, or another ref becomes it; some of them need not be there.

    A commit on any other branch writes to none of them, where the clone has a remote.
    """
    common = place.common_dir
    yield from (common / name for name in ("packed-refs", "reftable/tables.list", "config"))
    yield from (place.git_dir / "HEAD", place.git_dir / "config.worktree")
    for ref in dict.fromkeys(_deciding_refs(place, _settings(place))):
        yield common / ref
        if named := named_by(common / ref):  # it may stand for another one, as HEAD of a remote does
            yield common / named


def _deciding_refs(place: Place, settings: CloneSettings) -> Iterator[str]:
    head = named_by(place.git_dir / "HEAD") or _rebased(place)
    for remote in _remotes(settings, head):
        at = f"{_REMOTES}{remote}/"
        yield f"{at}HEAD"
        yield from (f"{at}{name}" for name in USUAL)
        if default := named_by(place.common_dir / f"{at}HEAD").removeprefix(at):
            yield f"{_LOCAL}{default}"
    yield from (f"{_LOCAL}{name}" for name in _local_names(settings))
    if not remotes(settings):  # the only branch there is may be the trunk, until others come beside it
        yield from ("refs/heads", "refs/remotes", *((head, head.rpartition("/")[0]) if head else ()))


def named_by(file: Path) -> str:
    """The ref that the file of a symbolic one names (git-symbolic-ref(1)); "" where it names none."""
    try:
        kept = f"ref: {file.readlink()}" if file.is_symlink() else file.read_text("utf-8", "surrogateescape")
    except OSError:
        return ""
    named = _SYMBOLIC.match(kept)
    return named[1] if named else ""


def branch_of(place: Place, ref: str) -> str:
    """A ref as people call the branch: `refs/remotes/origin/main` is main, and so is `refs/heads/main`."""
    if not ref.startswith(_REMOTES):
        return ref.removeprefix("refs/").removeprefix("heads/")
    known = [f"{_REMOTES}{remote.name}/" for remote in remotes(_settings(place))]
    within = max((start for start in known if ref.startswith(start)), key=len, default="")
    return ref[len(within) :] if within else ref.removeprefix(_REMOTES).partition("/")[2] or ref


def _settings(place: Place) -> CloneSettings:
    try:
        return clone_settings(place)
    except NotFound:  # nor can git read anything else here, and says so where it is asked
        return {}


def _rebased(place: Place) -> str:
    """The branch that a rebase will move, while HEAD is detached; "" where there is none."""
    for name in ("rebase-merge/head-name", "rebase-apply/head-name"):
        with suppress(OSError):
            return (place.git_dir / name).read_text("utf-8", "surrogateescape").strip()
    return ""


def _remotes(settings: CloneSettings, head: str) -> Iterator[str]:
    """Of the branch first: a fork lands where its branch came from. A URL in its place has no refs here."""
    branch = head.removeprefix(_LOCAL)
    known = {remote.name for remote in remotes(settings)}
    tracked = settings.get(f"branch.{branch}.remote", ("",))[-1]
    # A clone whose settings name no remote may yet have the refs of one.
    fallback = default_remote(settings, USUAL) or ("" if known else "origin")
    yield from dict.fromkeys(name for name in (tracked if tracked in known else "", fallback) if name)


def _trunk_there(place: Place, objects: Objects, remote: str) -> str:
    named = (_default_of(place, remote), *(f"{_REMOTES}{remote}/{name}" for name in USUAL))
    return next((ref for ref in named if objects.commit(ref)), "")


def _default_of(place: Place, remote: str) -> str:
    """What `refs/remotes/REMOTE/HEAD` names, which git-clone(1) writes; "" where it is not there, or leads away."""
    head = f"{_REMOTES}{remote}/HEAD"
    if (place.common_dir / "reftable").exists():
        named = run(place.folder, "symbolic-ref", "--quiet", head).text
    else:
        named = named_by(place.common_dir / head)
    return named if named.startswith(f"{_REMOTES}{remote}/") else ""


def _ahead(
    settings: CloneSettings, objects: Objects, descends: Callable[[str, str], bool], remote: str, found: str
) -> str:
    """The local branch of a remote one, where it is ahead of it and follows no other remote; else that one."""
    name = found.removeprefix(f"{_REMOTES}{remote}/")
    follows = settings.get(f"branch.{name}.remote", (remote,))[-1]
    tip = objects.commit(f"{_LOCAL}{name}") if follows in (remote, ".") else ""
    return f"{_LOCAL}{name}" if tip and descends(tip, objects.commit(found)) else found


def _local_names(settings: CloneSettings) -> Iterator[str]:
    yield from settings.get("init.defaultbranch", ())[-1:]
    yield from USUAL


def _only_branch(place: Place, settings: CloneSettings) -> str:
    """The only branch of a repository without a remote: there is no other that it could land on."""
    if remotes(settings) or (place.common_dir / "shallow").exists():
        return ""
    refs = run(place.folder, "for-each-ref", "--count=2", "--format=%(refname)", _LOCAL, _REMOTES).text.splitlines()
    return refs[0] if len(refs) == 1 and refs[0].startswith(_LOCAL) else ""
