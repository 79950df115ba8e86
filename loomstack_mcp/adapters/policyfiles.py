"""Where a repository's policy files are: on its trunk, in a worktree, in the organisation's folder."""

from pathlib import Path

from loomstack_mcp.adapters.compiled import PolicyFile, builtin, hashed
from loomstack_mcp.adapters.gitrepo import ask, text
from loomstack_mcp.adapters.plumbing import run
from loomstack_mcp.adapters.rulebook import loaded
from loomstack_mcp.core.errors import PolicyError
from loomstack_mcp.core.policy.rules import Layer, Rulebook

FOLDER = "policies"
_FILES_MAX = 200
_BYTES_MAX = 300_000
_SECONDS_MAX = 10


def of_commit(folder: Path, commit: str) -> tuple[PolicyFile, ...]:
    """The repository's layer as a commit has it. Raises PolicyError where it cannot be read whole."""
    ran = run(folder, "ls-tree", "-z", "--full-tree", commit, f"{FOLDER}/", FOLDER, seconds_max=_SECONDS_MAX)
    if ran.code:
        raise PolicyError(f"the policies of {commit[:12]} cannot be read; is it a commit that this clone has?")
    found = []
    for entry in text(ran.printed).split("\0")[:-1]:
        meta, _, path = entry.partition("\t")
        mode, kind, blob = meta.split(" ")
        if path != FOLDER and not path.endswith((".yaml", ".yml")):
            continue
        # A link, a submodule or a file in the place of the folder would be a set without a rule.
        if path == FOLDER or kind != "blob" or mode == "120000":
            raise PolicyError(f"{path}:1: is no file of its own on the trunk; put the rules themselves there")
        found.append(PolicyFile(layer="repo", name=path, content=_blob(folder, blob, path)))
    return _few(found)


def of_folder(root: Path, *, layer: Layer, shown: str = FOLDER) -> tuple[PolicyFile, ...]:
    """The files of a folder `policies/` below `root`; none where there is no such folder."""
    folder = root / FOLDER
    names = (
        sorted(path for path in folder.glob("*.y*ml") if path.suffix in (".yaml", ".yml")) if folder.is_dir() else []
    )
    found = []
    for path in names:
        name = f"{shown}/{path.name}"
        if path.is_symlink() or not path.is_file() or path.stat().st_size > _BYTES_MAX:
            raise PolicyError(f"{name}:1: is no regular file of at most {_BYTES_MAX} bytes")
        found.append(PolicyFile(layer=layer, name=name, content=path.read_bytes()))
    return _few(found)


def of_org(home: str) -> tuple[PolicyFile, ...]:
    """The organisation's layer, in the home folder of LoomStack."""
    return of_folder(Path(home), layer="org", shown="org") if home else ()


def _blob(folder: Path, blob: str, path: str) -> bytes:
    size = ask(folder, "cat-file", "-s", blob).text
    if not size.isdigit() or int(size) > _BYTES_MAX:
        raise PolicyError(f"{path}:1: is missing from this clone, or larger than {_BYTES_MAX} bytes")
    return run(folder, "cat-file", "blob", blob, seconds_max=_SECONDS_MAX).printed


def _few(found: list[PolicyFile]) -> tuple[PolicyFile, ...]:
    if len(found) > _FILES_MAX:
        raise PolicyError(f"{found[_FILES_MAX].name}:1: there are more than {_FILES_MAX} policy files")
    return tuple(found)


def rulebook(root: Path, home: str, *, commit: str = "", worktree: bool = False) -> Rulebook:
    """All layers: the built-in one, the organisation's, and the repository's as a commit, or its worktree, has it.

    With both, a rule of either counts: a tightening works at once, a loosening when it has landed. Raises PolicyError.
    """
    files = [*builtin(), *of_org(home)]
    if commit:
        files += of_commit(root, commit)
    if worktree:
        known = {(file.name, file.content) for file in files}
        found = [file for file in of_folder(root, layer="repo") if (file.name, file.content) not in known]
        both = loaded(files) if commit else None
        here = loaded([*builtin(), *of_org(home), *of_folder(root, layer="repo")])
        return here if both is None or not found else _together(both, here)
    return loaded(files)


def _together(landed: Rulebook, here: Rulebook) -> Rulebook:
    """Every rule of the trunk, and those of the worktree that say something else; waivers of the trunk alone."""
    new = tuple(rule for rule in here.rules if rule not in landed.rules)
    rules = (*landed.rules, *new)
    return Rulebook(rules=rules, waivers=landed.waivers, hash=hashed(rules, landed.waivers))
