"""What commands write, held to what the programs themselves change."""

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from tests.core.shell.lines import read

LINES = [
    *("cp a b", "cp a b src", "cp -t src a b", "cp -rt src a lib", "cp -tsrc a", "cp --target-directory=src a b"),
    *("cp -rT lib src", "cp -r lib/. src", "cp -a lib/ src/", "cp --parents lib/x.py src", "cp -f a lib/x.py"),
    *("mv a b", "mv a b src", "mv -t src a lib", "mv lib src", "mv lib/x.py .", "mv -T a new"),
    *("ln -s ../c", "ln -s lib/x.py", "ln a src", "ln -t src a", "ln -sf a b", "ln -sT lib new"),
    *("install a b", "install -D a new/deep/b", "install -m 600 a b src", "install -t src -m 600 a"),
    "install -Dt new a",
    *("rm a b", "rm -r lib", "rm -rf lib/ a", "unlink a", "tee a b", "tee -a lib/new"),
    *("touch new a", "touch -r a lib/new"),
    *("truncate -s 0 a", "truncate -s +9 a", "shred -n 1 a", "dd if=a of=b", "sort -o b a", "sort a --output=lib/y"),
    *("sed -i s/of/no/ a", "sed -ni s/of/no/p lib/x.py", "sed -n -e 2p -i a b"),
    *("sed -Ei -e p -e p a", "sed -i -f script a", "sed --in-place 1d a"),
    *("chmod u+x a", "chmod -R go-r lib", "chmod -x run", "chmod --reference=run a", "chmod -v 600 a"),
    *("find lib -delete", "find . -name 'x*' -delete", "find lib -type f -exec rm {} +"),
    r"find lib -name x.py -exec cp a {} \;",
    *("mv src/{one,two} lib", "touch lib/{p,q{r,s}}", "cd lib && mv x.py ../src", "(cd lib; rm x.py); rm a"),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a", "b", "run", "lib/x.py", "lib/sub/y", "src/one", "src/two"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"text of {name}\n")
    (tmp_path / "script").write_text("s/of/no/\n")
    (tmp_path / "run").chmod(0o755)
    return tmp_path


def state(folder: Path) -> dict[str, str]:
    """Each file with its content and mode; folders alone do not count."""
    paths = [path for path in folder.rglob("*") if path.is_symlink() or path.is_file()]
    return {str(path.relative_to(folder)): f"{path.lstat().st_mode} {_content(path)}" for path in paths}


def _content(path: Path) -> str:
    return str(path.readlink()) if path.is_symlink() else hashlib.sha256(path.read_bytes()).hexdigest()


def told(folder: Path, line: str) -> list[tuple[str, bool]]:
    """Each path that is said to be written, and whether all below it is, as it always is of a folder that is there."""
    paths = [(os.path.normpath(write.path or "."), write.is_folder_wide) for write in read(line).writes]
    return [(path, is_wide or (folder / path).is_dir()) for path, is_wide in paths]


def is_among(path: str, writes: list[tuple[str, bool]]) -> bool:
    return any(path == one or (is_wide and (one == "." or path.startswith(f"{one}/"))) for one, is_wide in writes)


@pytest.mark.parametrize("line", LINES)
def test_whatever_the_program_changes_is_told(folder: Path, line: str) -> None:
    before, writes = state(folder), told(folder, line)
    subprocess.run(["bash", "-c", line], cwd=folder, check=True, stdin=subprocess.DEVNULL, capture_output=True)
    after = state(folder)
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}

    assert changed
    assert {path for path in changed if not is_among(path, writes)} == set()
