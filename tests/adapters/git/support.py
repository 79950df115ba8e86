"""What the tests of deltas share: files written and committed, branches, hooks."""

import sys
from pathlib import Path

from loomstack_mcp.adapters.git.plain import Delta
from tests.conftest import commit_all, git

ROOT = str(Path(__file__).parents[3])
ZERO = "0" * 40


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def commit(root: Path, files: dict[str, str]) -> str:
    write(root, files)
    commit_all(root)
    return git(root, "rev-parse", "HEAD")


def gitlink(root: Path, path: str, sha: str) -> None:
    git(root, "update-index", "--add", "--cacheinfo", f"160000,{sha},{path}")
    git(root, "commit", "--quiet", "-m", "submodule")


def paths(landed: Delta) -> list[str]:
    return [file.path for file in landed.subject.files]


def branched(shop: Path) -> tuple[str, str]:
    """A branch that changed `src/a.py` and stayed behind a trunk that changed `src/b.py`: trunk, branch."""
    git(shop, "checkout", "--quiet", "-b", "feat")
    feat = commit(shop, {"src/a.py": "feat\n"})
    git(shop, "checkout", "--quiet", "main")
    return commit(shop, {"src/b.py": "main\n"}), feat


def hook(repository: Path, name: str, body: str) -> None:
    """A hook that prints what it sees into the file `seen` beside the hooks."""
    file = repository / "hooks" / name
    imports = (
        f"import pathlib, sys\nsys.path.insert(0, {ROOT!r})\nfrom tests.deltas import *\nfolder = pathlib.Path.cwd()\n"
    )
    script = file.with_suffix(".py")
    script.write_text(
        f"{imports}folder = pathlib.Path.cwd()\n{body}\npathlib.Path({str(repository / 'seen')!r}).write_text(seen)\n"
    )
    file.write_text(f"#!/bin/sh\nread line\nexec {sys.executable} {script} $line\n")
    file.chmod(0o755)
