"""Where a repository's policy files are: on its trunk, in a worktree, in the organisation's folder."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from loomstack_mcp.adapters.git.objects import Entry, Objects
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.policy.cache import (
    PolicyFile,
    builtin,
    cache_secret,
    keep_rulebook,
    kept_rulebook,
    policy_hash,
)
from loomstack_mcp.adapters.policy.folders import FOLDER
from loomstack_mcp.adapters.user import HUB_RULES
from loomstack_mcp.core.errors import PolicyError
from loomstack_mcp.core.people import PEOPLE_FILE
from loomstack_mcp.core.policy.rules import Layer, Rulebook

_ENDINGS = (".yaml", ".yml")
_FILES_MAX = 200
_BYTES_MAX = 300_000


def of_commit(repo: Repository, commit: str) -> tuple[PolicyFile, ...]:
    """The repository's layer as a commit has it. Raises PolicyError where it cannot be read whole."""
    objects = repo.holding(commit)
    found = []
    for name, entry in _folder(objects, commit, FOLDER).items():
        if name.endswith(_ENDINGS):
            path = f"{FOLDER}/{name}"
            if not entry.is_file:
                raise PolicyError(f"{path}:1: is no file of its own on the trunk; put the rules themselves there")
            found.append(PolicyFile(layer="repo", name=path, content=_content(objects, entry.id, path)))
    return _few(found)


def people_of_commit(repo: Repository, commit: str) -> tuple[PolicyFile, ...]:
    """Who is who as a commit says; none where it says nothing. Raises PolicyError where it cannot be read."""
    objects = repo.holding(commit)
    folder, _, name = PEOPLE_FILE.rpartition("/")
    found = _folder(objects, commit, folder).get(name)
    if found is None:
        return ()
    if not found.is_file:
        raise PolicyError(f"{PEOPLE_FILE}:1: is no file of its own on the trunk; put the names themselves there")
    return (PolicyFile(layer="repo", name=PEOPLE_FILE, content=_content(objects, found.id, PEOPLE_FILE)),)


def _folder(objects: Objects, commit: str, name: str) -> dict[str, Entry]:
    """What stands in a folder at the top of a commit; nothing where it has none. Raises PolicyError."""
    top = objects.entries(f"{commit}^{{tree}}")
    if top is None:
        raise PolicyError(f"the policies of {commit[:12]} cannot be read; is it a commit that this clone has?")
    if name not in top:
        return {}
    # A link, a submodule or a file in the place of the folder would be a set without a rule, or nobody.
    folder = objects.entries(top[name].id) if top[name].is_folder else None
    if folder is None:
        raise PolicyError(f"{name}:1: is no folder of its own on the trunk, or missing here; put the files there")
    return folder


def people_of_folder(root: Path) -> tuple[PolicyFile, ...]:
    """The same of a folder. Raises PolicyError for what is no regular file."""
    path = root / PEOPLE_FILE
    if not os.path.lexists(path):
        return ()
    return (_regular_file(path, layer="repo", name=PEOPLE_FILE),)


def of_folder(root: Path, *, layer: Layer, shown: str = FOLDER) -> tuple[PolicyFile, ...]:
    """The files of a folder `policies/` below `root`; none where there is no such folder."""
    folder = root / FOLDER
    names = sorted(path for path in folder.glob("*.y*ml") if path.suffix in _ENDINGS) if folder.is_dir() else []
    return _few([_regular_file(path, layer=layer, name=f"{shown}/{path.name}") for path in names])


def _regular_file(path: Path, *, layer: Layer, name: str) -> PolicyFile:
    if path.is_symlink() or not path.is_file() or path.stat().st_size > _BYTES_MAX:
        raise PolicyError(f"{name}:1: is no regular file of at most {_BYTES_MAX} bytes")
    return PolicyFile(layer=layer, name=name, content=path.read_bytes())


def of_org(home: str) -> tuple[PolicyFile, ...]:
    """The organisation's layer, in the home folder of LoomStack, or of the hub whose copy that is."""
    if Path(home).name.startswith(HUB_RULES):
        from loomstack_mcp.adapters.policy.hub_layer import kept_layer  # for those who have a hub

        return kept_layer(home)
    return of_folder(Path(home), layer="org", shown="org") if home else ()


def unread_files(root: Path, *, shown: str = FOLDER) -> tuple[str, ...]:
    """Files that look like rules and are read by nobody: in a sub-folder, or of another ending or letter case."""
    folders = [entry for entry in sorted(root.iterdir()) if entry.name.casefold() == FOLDER] if root.is_dir() else []
    found = [(folder, path) for folder in folders for path in sorted(folder.rglob("*")) if _looks_like_rules(path)]
    return tuple(
        f"{shown if folder.name == FOLDER else folder.name}/{path.relative_to(folder).as_posix()}"
        for folder, path in found
        if not _is_read(folder, path)
    )


def _looks_like_rules(path: Path) -> bool:
    return path.suffix.casefold() in _ENDINGS and path.is_file()


def _is_read(folder: Path, path: Path) -> bool:
    """As rules, or as cases of `policy test`."""
    is_case = path.parent == folder / "tests" and path.suffix == ".yaml"
    return folder.name == FOLDER and (is_case or (path.parent == folder and path.suffix in _ENDINGS))


def _content(objects: Objects, blob: str, path: str) -> bytes:
    found = objects.object_named(blob)
    if found is None or found.content is None or len(found.content) > _BYTES_MAX:
        raise PolicyError(f"{path}:1: is missing from this clone, or larger than {_BYTES_MAX} bytes")
    return found.content


def _few(found: list[PolicyFile]) -> tuple[PolicyFile, ...]:
    if len(found) > _FILES_MAX:
        raise PolicyError(f"{found[_FILES_MAX].name}:1: there are more than {_FILES_MAX} policy files")
    return tuple(found)


def rulebook(repo: Repository, home: str, *, commit: str = "", worktree: bool = False) -> Rulebook:
    """All layers: the built-in one, the organisation's, and the repository's as a commit, or its worktree, has it.

    With both, a rule of either counts: a tightening works at once, a loosening when it has landed. Who is who says the
    commit, and the worktree where there is none yet. Raises PolicyError.
    """
    above = [*builtin(), *of_org(home)]
    try:
        on_trunk = [*of_commit(repo, commit), *people_of_commit(repo, commit)] if commit else []
        landed = _loaded([*above, *on_trunk], home)
    except PolicyError as broken:
        if not worktree or not any(name in str(broken) for name in (f"{FOLDER}/", PEOPLE_FILE)):
            raise
        raise PolicyError(f"on the trunk, whatever is checked out (a person lands the mend):\n{broken}") from None
    if not worktree:
        return landed
    here = of_folder(repo.folder, layer="repo")
    if commit:
        return _together(landed, _loaded([*above, *here], home))
    return _loaded([*above, *here, *people_of_folder(repo.folder)], home)


def _loaded(files: Sequence[PolicyFile], home: str) -> Rulebook:
    """The rulebook of these files, kept from an earlier process where it can be trusted."""
    secret = cache_secret(Path(home)) if home else b""
    if secret and (found := kept_rulebook(Path(home), files, secret=secret)):
        return found
    from loomstack_mcp.adapters.policy.load import loaded  # pydantic and YAML: 150 ms that a kept set does not cost

    book = loaded(files)
    if secret:
        keep_rulebook(Path(home), files, book, secret=secret)
    return book


def _together(landed: Rulebook, here: Rulebook) -> Rulebook:
    """Every rule of the trunk, and those of the worktree that say something else; waivers and people of the trunk
    alone."""
    known = set(map(repr, landed.rules))
    new = tuple(rule for rule in here.rules if repr(rule) not in known)
    if not new:
        return landed
    rules = (*landed.rules, *new)
    return replace(landed, rules=rules, hash=policy_hash(rules, landed.waivers, landed.people))
