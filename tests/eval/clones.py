"""Public repositories as clones on this machine: where one lies, and a view of it as it was at some commit."""

import subprocess
from pathlib import Path


def clone_of(name: str, folder: Path) -> Path | None:
    """The clone of `owner/name` below a folder: `owner/name`, `owner+name`, `name`, each with or without `repo`."""
    places = (name, name.replace("/", "+"), name.rpartition("/")[2])
    found = (folder / place / inner for place in places for inner in ("repo", ""))
    return next((clone for clone in found if _is_repository(clone)), None)


def name_of(clone: Path) -> str:
    """`owner/name` of a clone that lies where `clone_of` looks, else the name of its folder."""
    folder = clone.resolve()
    return (folder.parent if folder.name == "repo" else folder).name.replace("+", "/").removesuffix(".git")


class View:
    """A bare repository in an empty folder that borrows a clone's objects; the clone is not touched."""

    def __init__(self, clone: Path, folder: Path) -> None:
        self.folder = folder
        git(folder, "init", "--quiet", "--bare", "--initial-branch=main")
        objects = git(clone, "rev-parse", "--path-format=absolute", "--git-path", "objects")
        (folder / "objects/info/alternates").write_text(f"{objects}\n")

    def move(self, sha: str) -> bool:
        """Make a commit the tip of the trunk; false where the clone has none of that name."""
        moved = subprocess.run(_command(self.folder, "update-ref", "refs/heads/main", sha), capture_output=True)
        return moved.returncode == 0


def git(folder: Path, *arguments: str) -> str:
    """One git command's output, without the last line feed."""
    return subprocess.run(_command(folder, *arguments), capture_output=True, check=True, text=True).stdout.strip("\n")


def _command(folder: Path, *arguments: str) -> list[str]:
    return ["git", "-C", str(folder), *arguments]


def _is_repository(folder: Path) -> bool:
    return any((folder / mark).exists() for mark in (".git", "HEAD"))
