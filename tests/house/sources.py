"""The files of a checkout: which are code, which are tests."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_TESTS = ("tests", "test", "testing")


@dataclass(frozen=True, kw_only=True)
class Sources:
    """The Python files of one checkout."""

    root: Path
    code: tuple[Path, ...]
    tests: tuple[Path, ...]


@dataclass(frozen=True, kw_only=True)
class Module:
    """A file of the code, read."""

    path: str
    """Relative to the checkout."""
    name: str
    """Dotted, without `.__init__`."""
    lines: int
    tree: ast.Module

    @property
    def is_hollow(self) -> bool:
        """Whether it holds nothing but a docstring, as a folder's mark does."""
        return len(self.tree.body) == (ast.get_docstring(self.tree) is not None)


def sources(root: Path, *, without: Sequence[str] = ()) -> Sources:
    """The files of a checkout, but for those in folders of these names. Raises ValueError where there is no package."""
    homes = [home for home in (root, root / "src") if home.is_dir()]
    folders = sorted(folder for home in homes for folder in home.iterdir() if (folder / "__init__.py").is_file())
    code = [path for folder in folders if folder.name not in _TESTS for path in _files(folder, without)]
    if not code:
        raise ValueError(f"{root} has no package, neither directly in it nor in its src/")
    tests = [path for name in _TESTS for path in _files(root / name, without)]
    return Sources(root=root, code=tuple(code), tests=tuple(tests))


def modules(found: Sources) -> Iterator[Module]:
    """Every file of the code, hollow ones with it."""
    for path in found.code:
        text = path.read_bytes()
        relative = path.relative_to(found.root)
        parts = relative.with_suffix("").parts[relative.parts[0] == "src" :]
        yield Module(
            path=relative.as_posix(),
            name=".".join(part for part in parts if part != "__init__"),
            lines=lines(text),
            tree=ast.parse(text, filename=str(path)),
        )


def lines(text: bytes) -> int:
    """How many physical lines."""
    return len(text.splitlines())


def _files(folder: Path, without: Sequence[str]) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if not set(path.relative_to(folder).parts[:-1]) & set(without))
